// What score parameters must hold: all that go's validation and the tables of gossipsub-v1.1.md
// "Overview of New Parameters" demand, and bounds within which no score is NaN or infinite.
#include "gossip/score_params.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "gossip/constraint.h"

namespace kadmesh {
namespace {

using gossip::Constraint;

// Squares of such, times such, times 2^53 events, are far below the largest double.
constexpr double kMost = 1e12;
constexpr Duration kMostTime = 365 * 24h;

// False for NaN, as all below.
bool between(double value, double least, double most) { return value >= least && value <= most; }
bool is_fraction(double value) { return value > 0 && value < 1; }
bool is_reward(double weight) { return between(weight, 0, kMost); }
bool is_penalty(double weight) { return between(weight, -kMost, 0); }
// At least 0, and something where the weight is.
bool is_amount(double value, double weight) {
  return between(value, 0, kMost) && (weight == 0 || value > 0);
}
bool is_time(Duration time) { return time >= 0s && time <= kMostTime; }

// What a peer has at most from P1, and what one that brings nothing has from P3.
double most_for_time(const TopicScoreParams& t) {
  return t.time_in_mesh_cap * t.time_in_mesh_weight;
}
double for_silence(const TopicScoreParams& t) {
  return t.mesh_deliveries_threshold * t.mesh_deliveries_threshold * t.mesh_deliveries_weight;
}
double most_earned(const TopicScoreParams& t) {
  return t.weight * (most_for_time(t) + t.first_deliveries_cap * t.first_deliveries_weight);
}
bool silence_pays(const TopicScoreParams& t) {
  return t.time_in_mesh_weight != 0 && most_for_time(t) + for_silence(t) > 0;
}

const char* const kSilence =
    "time_in_mesh_weight * time_in_mesh_cap <= -mesh_deliveries_weight * "
    "mesh_deliveries_threshold^2, or silence_may_pay";

Result<void> check(const TopicScoreParams& params, bool silence_may_pay, const std::string& of) {
  auto checked = check(params);
  if (checked && !silence_may_pay && silence_pays(params))
    checked = fail(Errc::invalid, std::string("gossip: the score parameters break ") + kSilence);
  if (!checked) checked.error().detail += of;
  return checked;
}

// x to the power of n. Its roundings are those of multiplications alone, and it grows with x.
double power(double x, std::uint64_t n) {
  double result = 1;
  for (; n > 0; n >>= 1) {
    if ((n & 1) != 0) result *= x;
    x *= x;
  }
  return result;
}

}  // namespace

double score_decay(Duration to_zero, Duration interval, double decay_to_zero) {
  const std::int64_t ticks = to_zero / interval;
  if (ticks <= 1) return decay_to_zero;
  // Doubles between 0 and 1 are in the order of their bits: the last whose power does not pass.
  std::uint64_t low = 0, high = std::bit_cast<std::uint64_t>(1.0);
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    const double raised = power(std::bit_cast<double>(middle), static_cast<std::uint64_t>(ticks));
    (raised <= decay_to_zero ? low : high) = middle;
  }
  return std::bit_cast<double>(low);
}

Result<void> check(const TopicScoreParams& t) {
  const bool p3 = t.mesh_deliveries_weight != 0;
  const std::array constraints{
      Constraint{is_reward(t.weight), "0 <= weight <= 1e12"},
      Constraint{is_reward(t.time_in_mesh_weight), "0 <= time_in_mesh_weight <= 1e12"},
      Constraint{t.time_in_mesh_quantum > 0s, "time_in_mesh_quantum > 0"},
      Constraint{is_amount(t.time_in_mesh_cap, t.time_in_mesh_weight),
                 "0 < time_in_mesh_cap <= 1e12"},
      Constraint{is_reward(t.first_deliveries_weight), "0 <= first_deliveries_weight <= 1e12"},
      Constraint{is_fraction(t.first_deliveries_decay), "0 < first_deliveries_decay < 1"},
      Constraint{is_amount(t.first_deliveries_cap, t.first_deliveries_weight),
                 "0 < first_deliveries_cap <= 1e12"},
      Constraint{is_penalty(t.mesh_deliveries_weight), "-1e12 <= mesh_deliveries_weight <= 0"},
      Constraint{is_fraction(t.mesh_deliveries_decay), "0 < mesh_deliveries_decay < 1"},
      Constraint{is_amount(t.mesh_deliveries_threshold, t.mesh_deliveries_weight),
                 "0 < mesh_deliveries_threshold <= 1e12"},
      Constraint{is_amount(t.mesh_deliveries_cap, t.mesh_deliveries_weight),
                 "0 < mesh_deliveries_cap <= 1e12"},
      Constraint{t.mesh_deliveries_cap >= t.mesh_deliveries_threshold,
                 "mesh_deliveries_cap >= mesh_deliveries_threshold"},
      Constraint{is_time(t.mesh_deliveries_window), "0 <= mesh_deliveries_window <= 365 days"},
      Constraint{is_time(t.mesh_deliveries_activation),
                 "0 <= mesh_deliveries_activation <= 365 days"},
      Constraint{!p3 || t.mesh_deliveries_activation >= 1s, "mesh_deliveries_activation >= 1 s"},
      Constraint{is_penalty(t.mesh_failure_weight), "-1e12 <= mesh_failure_weight <= 0"},
      Constraint{is_fraction(t.mesh_failure_decay), "0 < mesh_failure_decay < 1"},
      Constraint{is_penalty(t.invalid_weight), "-1e12 <= invalid_weight <= 0"},
      Constraint{is_fraction(t.invalid_decay), "0 < invalid_decay < 1"},
  };
  return first_broken(constraints, "the score parameters break");
}

Result<void> check(const ScoreParams& p) {
  for (const auto& [topic, params] : p.topics)
    RETURN_IF_ERROR(check(params, p.silence_may_pay, ", topic \"" + topic + '"'));
  if (p.default_topic)
    RETURN_IF_ERROR(check(*p.default_topic, p.silence_may_pay, ", the default topic"));
  const std::array constraints{
      Constraint{is_reward(p.topic_score_cap), "0 <= topic_score_cap <= 1e12"},
      Constraint{is_reward(p.application_weight), "0 <= application_weight <= 1e12"},
      Constraint{is_penalty(p.colocation_weight), "-1e12 <= colocation_weight <= 0"},
      Constraint{p.colocation_threshold >= 1, "colocation_threshold >= 1"},
      Constraint{is_penalty(p.behaviour_weight), "-1e12 <= behaviour_weight <= 0"},
      Constraint{is_reward(p.behaviour_threshold), "0 <= behaviour_threshold <= 1e12"},
      Constraint{is_fraction(p.behaviour_decay), "0 < behaviour_decay < 1"},
      Constraint{is_penalty(p.slow_weight), "-1e12 <= slow_weight <= 0"},
      Constraint{is_reward(p.slow_threshold), "0 <= slow_threshold <= 1e12"},
      Constraint{is_fraction(p.slow_decay), "0 < slow_decay < 1"},
      Constraint{p.decay_interval >= 1s && p.decay_interval <= 24h,
                 "1 s <= decay_interval <= 1 day"},
      Constraint{is_fraction(p.decay_to_zero), "0 < decay_to_zero < 1"},
      Constraint{is_time(p.retain), "0 <= retain <= 365 days"},
  };
  return first_broken(constraints, "the score parameters break");
}

Result<void> check(const ScoreThresholds& t) {
  const std::array constraints{
      Constraint{t.gossip < 0 && t.gossip >= -kMost, "-1e12 <= gossip < 0"},
      Constraint{between(t.publish, -kMost, t.gossip), "-1e12 <= publish <= gossip"},
      Constraint{t.graylist < t.publish && t.graylist >= -kMost, "-1e12 <= graylist < publish"},
      Constraint{is_reward(t.accept_px), "0 <= accept_px <= 1e12"},
      Constraint{is_reward(t.opportunistic_graft), "0 <= opportunistic_graft <= 1e12"},
  };
  return first_broken(constraints, "the score thresholds break");
}

bool silence_shows_anywhere(const ScoreParams& params) {
  if (params.default_topic && most_earned(*params.default_topic) > 0) return false;
  const auto& topics = params.topics;
  return std::ranges::all_of(topics, [&](const auto& silent) {
    const TopicScoreParams& t = silent.second;
    if (t.mesh_deliveries_weight == 0) return true;
    double total = t.weight * (most_for_time(t) + for_silence(t));
    for (const auto& [topic, other] : topics)
      if (topic != silent.first) total += most_earned(other);
    return total <= 0;
  });
}

}  // namespace kadmesh
