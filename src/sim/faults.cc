#include "sim/faults.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace kadmesh {
namespace {

constexpr std::array<std::string_view, kFaults> kNames{"kill",      "crash", "freeze",  "slow",
                                                       "partition", "cut",   "cut_way", "stall",
                                                       "reset",     "clock", "drift"};

bool takes_out(Fault fault) {
  return fault == Fault::kill || fault == Fault::crash || fault == Fault::freeze ||
         fault == Fault::slow;
}

}  // namespace

std::string_view name(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

Faults::Faults(World& world, FaultConfig config)
    : world_(world),
      config_(std::move(config)),
      luck_(derived(world.seed(), "faults", config_.number)) {}

Faults::~Faults() = default;

void Faults::start() {
  ++round_;
  schedule();
}

void Faults::heal() {
  ++round_;
  for (auto& [id, undo] : std::exchange(undo_, {})) undo();
}

std::uint64_t Faults::injected() const {
  return std::accumulate(injected_.begin(), injected_.end(), std::uint64_t{0});
}

void Faults::schedule() {
  world_.at(after(world_.now().mono, draw(config_.pause, luck_)),
            [this, round = round_, alive = std::weak_ptr(alive_)] {
              if (alive.expired() || round != round_) return;
              inject_one();
              schedule();
            });
}

void Faults::undo_later(std::function<void()> undo) {
  const std::uint64_t id = next_undo_++;
  undo_.emplace(id, std::move(undo));
  world_.at(after(world_.now().mono, draw(config_.lasts, luck_)),
            [this, id, alive = std::weak_ptr(alive_)] {
              if (alive.expired()) return;
              if (auto node = undo_.extract(id)) node.mapped()();
            });
}

Fault Faults::choose() {
  const auto& weights = config_.weights;
  const auto all = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::uint64_t at = luck_.below(std::max<std::uint64_t>(all, 1));
  std::size_t fault = 0;
  while (fault + 1 < kFaults && at >= weights[fault]) at -= weights[fault++];
  return static_cast<Fault>(fault);
}

void Faults::inject_one() {
  if (world_.nodes() == 0) return;
  const Fault fault = choose();
  const Index node = luck_.below(world_.nodes());
  if (config_.weights[static_cast<std::size_t>(fault)] == 0 || !inject(fault, node)) return;
  ++injected_[static_cast<std::size_t>(fault)];
  if (watch_) watch_(world_.now().mono, fault, node);
}

// False: not to that node, or not now.
bool Faults::inject(Fault fault, Index node) {
  if (fault == Fault::partition) return partition();
  if (std::ranges::count(config_.spared, node) > 0 || !world_.up(node)) return false;
  if (takes_out(fault)) return take_out(fault, node);
  if (fault == Fault::reset) return world_.reset_one(node, luck_);
  if (fault == Fault::clock) return set_clock_wrong(node), true;
  if (fault == Fault::drift) return set_drift_wrong(node), true;
  return inject_on_pair(fault, node);
}

bool Faults::inject_on_pair(Fault fault, Index a) {
  const Index b = luck_.below(world_.nodes());
  if (a == b) return false;
  if (fault == Fault::stall) {
    world_.stall(a, b, luck_.up_to(kLongestStall));
    return true;
  }
  const bool both = fault == Fault::cut;
  both ? world_.cut(a, b) : world_.cut_way(a, b);
  ++cuts_[{a, b}];
  if (both) ++cuts_[{b, a}];
  undo_later([this, a, b, both] {
    mend_way(a, b);
    if (both) mend_way(b, a);
  });
  return true;
}

// The last of those that cut it.
void Faults::mend_way(Index from, Index to) {
  const auto at = cuts_.find({from, to});
  if (--at->second > 0) return;
  cuts_.erase(at);
  world_.heal_way(from, to);
}

StoreFate Faults::fate() {
  if (luck_.chance_ppm(config_.store_lost_ppm)) return StoreFate::lost;
  return luck_.chance_ppm(config_.store_reopened_ppm) ? StoreFate::reopened : StoreFate::kept;
}

bool Faults::take_out(Fault fault, Index node) {
  if (out_.contains(node) || (out_.size() + 1) * config_.one_in > world_.nodes()) return false;
  out_.insert(node);
  if (fault == Fault::freeze) {
    world_.freeze(node);
  } else if (fault == Fault::slow) {
    world_.slow(node, {.turn = luck_.up_to(20ms), .kib = luck_.up_to(5ms)});
  } else {
    fault == Fault::kill ? world_.kill(node) : world_.crash(node);
  }
  undo_later([this, fault, node, fate = fate()] {
    out_.erase(node);
    if (fault == Fault::freeze) return world_.thaw(node);
    if (fault == Fault::slow) return world_.slow(node, {});
    if (!world_.up(node)) world_.restart(node, fate);
  });
  return true;
}

// Half of them put one node alone, half split all in two at a place that is drawn.
bool Faults::partition() {
  if (world_.nodes() < 2 || std::exchange(partitioned_, true)) return false;
  std::vector<Index> all(world_.nodes());
  std::iota(all.begin(), all.end(), Index{0});
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[luck_.below(i)]);
  all.resize(luck_.below(2) == 0 ? 1 : luck_.below(all.size() - 1) + 1);
  world_.partition({all});
  undo_later([this] {
    partitioned_ = false;
    world_.end_partition();
  });
  return true;
}

void Faults::set_clock_wrong(Index node) {
  const Duration by = luck_.up_to(2 * kLongestClockJump) - kLongestClockJump;
  world_.jump_clock(node, by);
  undo_later([this, node, by] { world_.jump_clock(node, -by); });
}

// Up to one part in ten thousand, several times worse than a crystal.
void Faults::set_drift_wrong(Index node) {
  Drift& drift = drifts_.try_emplace(node, Drift{world_.drift(node), 0}).first->second;
  ++drift.faults;
  world_.drift_clock(node, static_cast<std::int32_t>(luck_.below(200'001)) - 100'000);
  undo_later([this, node] {
    const auto at = drifts_.find(node);
    if (--at->second.faults > 0) return;
    world_.drift_clock(node, at->second.before);
    drifts_.erase(at);
  });
}

}  // namespace kadmesh
