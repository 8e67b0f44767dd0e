#include "sim/churn.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace kadmesh {
namespace {

std::string_view trimmed(std::string_view word) {
  const auto first = word.find_first_not_of(" \t\r");
  if (first == word.npos) return {};
  return word.substr(first, word.find_last_not_of(" \t\r") - first + 1);
}

// Up to the next comma, which is taken away, too.
std::string_view field(std::string_view& line) {
  const std::size_t end = std::min(line.find(','), line.size());
  const std::string_view word = trimmed(line.substr(0, end));
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

// Digits only, so few that no product leaves 64 bits.
Result<std::uint64_t> whole(std::string_view word) {
  constexpr std::size_t kMostDigits = 9;
  if (word.empty() || word.size() > kMostDigits) return fail(Errc::malformed);
  std::uint64_t number = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return fail(Errc::malformed);
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

Result<ChurnEvent> event_of(std::string_view line) {
  // Seconds may have up to nine decimals.
  std::string_view seconds = field(line);
  const std::size_t point = std::min(seconds.find('.'), seconds.size());
  ASSIGN_OR_RETURN(const std::uint64_t full, whole(seconds.substr(0, point)));
  std::string decimals(seconds.substr(std::min(point + 1, seconds.size())));
  if (decimals.size() > 9) return fail(Errc::malformed);
  decimals.resize(9, '0');
  ASSIGN_OR_RETURN(const std::uint64_t ns, whole(decimals));
  ASSIGN_OR_RETURN(const std::uint64_t node, whole(field(line)));
  const std::string_view way = field(line);
  if ((way != "up" && way != "down") || !line.empty()) return fail(Errc::malformed);
  return ChurnEvent{std::chrono::seconds(full) + Duration(ns), node, way == "up"};
}

}  // namespace

ChurnConfig flapping(World::Index node, Duration up, Duration down) {
  ChurnConfig config;
  config.session = Always{up};
  config.downtime = Always{down};
  config.orderly_ppm = config.vanish_ppm = 0;
  config.nodes = std::vector{node};
  return config;
}

Result<std::vector<ChurnEvent>> churn_from_csv(std::string_view text) {
  std::vector<ChurnEvent> events;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto event = event_of(line);
    if (!event)
      return fail(Errc::malformed,
                  "line " + std::to_string(number) + ": expected seconds, node, up or down");
    events.push_back(*event);
  }
  return events;
}

Churn::Churn(World& world, ChurnConfig config) : world_(world), config_(std::move(config)) {}

Churn::Churn(World& world, std::vector<ChurnEvent> events, StoreFate store)
    : world_(world), events_(std::move(events)) {
  config_.store = store;
  config_.orderly_ppm = config_.vanish_ppm = 0;
}

Churn::~Churn() = default;

void Churn::later(Duration wait, void (Churn::*what)(std::size_t), std::size_t which) {
  world_.at(after(world_.now().mono, wait),
            [this, what, which, round = round_, alive = std::weak_ptr(alive_)] {
              if (!alive.expired() && round == round_) (this->*what)(which);
            });
}

void Churn::start() {
  ++round_;
  all_.clear();
  std::vector<Index> nodes(world_.nodes());
  std::iota(nodes.begin(), nodes.end(), Index{0});
  if (config_.nodes) nodes = *config_.nodes;
  const std::uint64_t seed = derived(world_.seed(), "churn", config_.number);
  for (const Index node : nodes) all_.push_back({node, Luck(mixed(seed ^ mixed(node)))});
  for (std::size_t i = 0; i < events_.size(); ++i) later(events_[i].at, &Churn::play, i);
  if (!events_.empty()) return;
  for (std::size_t i = 0; i < all_.size(); ++i)
    later(draw(config_.session, all_[i].luck), &Churn::leave, i);
}

void Churn::stop() {
  ++round_;
  for (One& one : all_) bring_back(one);
}

// --- by distributions
void Churn::leave(std::size_t which) {
  One& one = all_[which];
  if (!one.luck.chance_ppm(config_.orderly_ppm) || !world_.up(one.node)) return end(which);
  if (on_leave_) on_leave_(one.node);
  world_.command(one.node, [](Node& node, Turn turn) { node.shutdown(turn); });
  later(kGoodbye, &Churn::end, which);
  one.away = true;
}

void Churn::end(std::size_t which) {
  depart(all_[which]);
  later(draw(config_.downtime, all_[which].luck), &Churn::come, which);
}

void Churn::come(std::size_t which) {
  bring_back(all_[which]);
  later(draw(config_.session, all_[which].luck), &Churn::leave, which);
}

// --- by a trace
Churn::One& Churn::of(Index node) {
  while (all_.size() <= node) all_.push_back({all_.size(), Luck(0)});  // came after start()
  return all_[node];
}

void Churn::play(std::size_t which) {
  const ChurnEvent& event = events_[which];
  if (event.node >= world_.nodes()) return;
  event.up ? bring_back(of(event.node)) : depart(of(event.node));
}

// --- either
void Churn::depart(One& one) {
  one.away = true;
  if (!world_.up(one.node)) return;
  ++departures_;
  if (on_leave_) on_leave_(one.node);
  one.luck.chance_ppm(config_.vanish_ppm) ? world_.crash(one.node) : world_.kill(one.node);
}

void Churn::bring_back(One& one) {
  if (!std::exchange(one.away, false)) return;
  ++arrivals_;
  world_.restart(one.node, config_.store);
}

}  // namespace kadmesh
