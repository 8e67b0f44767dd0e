#include "kad/policies.h"

#include <algorithm>
#include <tuple>

namespace kadmesh {
namespace {

const XorMetric kXor;
const ClockwiseMetric kClockwise;
const BetaThenRest kBetaThenRest;
const AllOfK kAllOfK;
const FirstBeta kFirstBeta;
const WorthiestFirst kWorthiestFirst;
const NearestFirst kNearestFirst;
const QuickestFirst kQuickestFirst;
const LiveStay kLiveStay;
const LeastUseful kLeastUseful;
const OldestFirst kOldestFirst;
const NewestFirst kNewestFirst;

// Of what is never destroyed nobody is the owner.
template <class Policy>
std::shared_ptr<const Policy> ours(const Policy& policy) {
  return {std::shared_ptr<const void>(), &policy};
}

}  // namespace

template <>
std::vector<Named<Metric>> policies<Metric>() {
  return {{"xor", ours<Metric>(kXor)}, {"clockwise", ours<Metric>(kClockwise)}};
}
template <>
std::vector<Named<Termination>> policies<Termination>() {
  return {{"beta_then_rest", ours<Termination>(kBetaThenRest)},
          {"all_k", ours<Termination>(kAllOfK)},
          {"first_beta", ours<Termination>(kFirstBeta)}};
}
template <>
std::vector<Named<Ordering>> policies<Ordering>() {
  return {{"worthiest", ours<Ordering>(kWorthiestFirst)},
          {"nearest", ours<Ordering>(kNearestFirst)},
          {"quickest", ours<Ordering>(kQuickestFirst)}};
}
template <>
std::vector<Named<Eviction>> policies<Eviction>() {
  return {{"live_stay", ours<Eviction>(kLiveStay)}, {"least_useful", ours<Eviction>(kLeastUseful)}};
}
template <>
std::vector<Named<Replacement>> policies<Replacement>() {
  return {{"oldest", ours<Replacement>(kOldestFirst)}, {"newest", ours<Replacement>(kNewestFirst)}};
}

std::shared_ptr<const Metric> standard_metric() { return ours<Metric>(kXor); }
std::shared_ptr<const Termination> standard_termination() {
  return ours<Termination>(kBetaThenRest);
}
std::shared_ptr<const Ordering> standard_ordering() { return ours<Ordering>(kWorthiestFirst); }
std::shared_ptr<const Eviction> standard_eviction() { return ours<Eviction>(kLiveStay); }
std::shared_ptr<const Replacement> standard_replacement() {
  return ours<Replacement>(kOldestFirst);
}

// --- metric
Distance XorMetric::between(const KadId& from, const KadId& target) const {
  return distance(from, target);
}

Distance ClockwiseMetric::between(const KadId& from, const KadId& target) const {
  Distance ahead;
  unsigned borrow = 0;
  for (std::size_t i = ahead.bytes.size(); i-- > 0;) {
    const unsigned taken = from.bytes[i] + borrow;
    borrow = target.bytes[i] < taken ? 1 : 0;
    ahead.bytes[i] = static_cast<std::uint8_t>(target.bytes[i] + 256u * borrow - taken);
  }
  return ahead;
}

// --- termination
namespace {

using Verdict = Termination::Verdict;

bool nearest_answered(const WalkView& walk, std::size_t count) {
  return walk.leading >= std::min(walk.known, count);
}

}  // namespace

Verdict BetaThenRest::judge(const WalkView& walk, const LookupParams& params) const {
  if (nearest_answered(walk, params.k)) return Verdict::done;
  return walk.leading > 0 && nearest_answered(walk, params.beta) ? Verdict::widen : Verdict::keep;
}

Verdict AllOfK::judge(const WalkView& walk, const LookupParams& params) const {
  return nearest_answered(walk, params.k) ? Verdict::done : Verdict::keep;
}

Verdict FirstBeta::judge(const WalkView& walk, const LookupParams& params) const {
  return nearest_answered(walk, params.beta) ? Verdict::done : Verdict::keep;
}

// --- ordering
std::size_t WorthiestFirst::pick(std::span<const Contact* const> equals,
                                 const Acquaintance& known) const {
  const auto worth = [&](const Contact* contact) { return known.worth(contact->peer); };
  return static_cast<std::size_t>(std::ranges::max_element(equals, {}, worth) - equals.begin());
}

std::size_t NearestFirst::pick(std::span<const Contact* const>, const Acquaintance&) const {
  return 0;
}

std::size_t QuickestFirst::pick(std::span<const Contact* const> equals,
                                const Acquaintance& known) const {
  const auto rank = [&](const Contact* contact) {
    return std::pair(!known.connected(contact->peer), known.patience(contact->peer));
  };
  return static_cast<std::size_t>(std::ranges::min_element(equals, {}, rank) - equals.begin());
}

// --- eviction
namespace {

// The least by `rank`, of those to whom `may` applies.
template <class May, class Rank>
std::optional<std::size_t> least(std::span<const TableEntry* const> full, May may, Rank rank) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < full.size(); ++i)
    if (may(*full[i]) && (!found || rank(*full[i]) < rank(*full[*found]))) found = i;
  return found;
}

bool gone(const TableEntry& entry) { return entry.failures > 0 && !entry.connected; }

}  // namespace

std::optional<std::size_t> LiveStay::leaves(std::span<const TableEntry* const> full,
                                            const TableEntry&, Time) const {
  return least(full, gone, [](const TableEntry& e) {
    return std::pair(-static_cast<std::int64_t>(e.failures), e.last_answer);
  });
}

std::optional<std::size_t> LeastUseful::leaves(std::span<const TableEntry* const> full,
                                               const TableEntry& comer, Time now) const {
  if (const auto failed = LiveStay().leaves(full, comer, now)) return failed;
  const auto last_of_use = [](const TableEntry& e) { return std::max(e.last_answer, e.since); };
  return least(
      full, [&](const TableEntry& e) { return now >= after(last_of_use(e), kUsefulFor); },
      last_of_use);
}

// --- replacement
std::size_t OldestFirst::enters(std::span<const TableEntry* const>) const { return 0; }

std::size_t NewestFirst::enters(std::span<const TableEntry* const> waiting) const {
  return waiting.size() - 1;
}

}  // namespace kadmesh
