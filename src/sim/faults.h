// Trouble by a seed: while it lasts, one fault after another is injected, each for a while of its
// own; heal() undoes whatever is left of them. What must hold at all times is checked meanwhile,
// what must come in the end is required after.
//
//   Faults faults(world, {});
//   faults.start();
//   world.run_for(2min);
//   faults.heal();
//   CHECK(world.run_until(progress, 2min));
//
// Faults draw from luck of their own: what nodes do does not change which faults come, and when;
// but a reset that finds no connection is none. Where faults of one kind overlap each is counted: a
// way is mended, a clock keeps its pace again, when the last of them ends. Two plans in one world
// do not know of each other's, and must leave each other alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "sim/distribution.h"
#include "sim/world.h"

namespace kadmesh {

enum class Fault : std::uint8_t {
  kill,       // a process ends, and is started again
  crash,      // a machine, of which nobody is told
  freeze,     // a process that stands still
  slow,       // turns that take time
  partition,  // two groups, or one node alone
  cut,        // two nodes; their connections are reset
  cut_way,    // one direction between two
  stall,      // between two, for a moment; ends by itself
  reset,      // one connection
  clock,      // the wall clock is set wrong
  drift,      // clocks run wrong
};
inline constexpr std::size_t kFaults = 11;
std::string_view name(Fault fault);

struct FaultConfig {
  // From one to the next, and how long each lasts.
  Distribution pause = Exponential{2s};
  Distribution lasts = Exponential{10s};
  // How often each comes, in relation to the others; 0: never.
  std::array<std::uint32_t, kFaults> weights = {3, 2, 3, 2, 2, 2, 2, 3, 3, 1, 1};
  // Parts per million of restarts that find an empty disk, or open theirs again.
  std::uint32_t store_lost_ppm = 100'000, store_reopened_ppm = 0;
  // Of all nodes at once that are down, frozen or slow: one in so many.
  std::size_t one_in = 3;
  std::vector<World::Index> spared{};  // nothing is done to these nodes themselves
  std::uint64_t number = 0;            // another plan under the same seed
};

class Faults {
 public:
  static constexpr Duration kLongestStall = 5s;
  static constexpr Duration kLongestClockJump = std::chrono::hours(24);

  // The world outlives this.
  Faults(World& world, FaultConfig config);
  ~Faults();

  void start();
  // No more of them, and whatever they did is undone: all nodes run again, at full speed; wall
  // clocks are set back, and all run at their own pace. What a clock was ahead or behind through
  // drift stays: a monotonic one is never set.
  void heal();

  std::uint64_t injected(Fault fault) const { return injected_[static_cast<std::size_t>(fault)]; }
  std::uint64_t injected() const;
  // For a log: when, what, to whom.
  void on_fault(std::function<void(Time, Fault, World::Index)> watch) { watch_ = std::move(watch); }

 private:
  using Index = World::Index;

  void schedule();
  void inject_one();
  Fault choose();
  bool inject(Fault fault, Index node);
  bool inject_on_pair(Fault fault, Index a);
  bool take_out(Fault fault, Index node);
  bool partition();
  void mend_way(Index from, Index to);
  void set_clock_wrong(Index node);
  void set_drift_wrong(Index node);
  StoreFate fate();
  // Later, or by heal().
  void undo_later(std::function<void()> undo);

  World& world_;
  FaultConfig config_;
  Luck luck_;
  std::map<std::uint64_t, std::function<void()>> undo_;
  std::uint64_t next_undo_ = 0, round_ = 0;
  std::set<Index> out_;
  std::map<std::pair<Index, Index>, unsigned> cuts_;  // from, to: by how many faults
  struct Drift {
    std::int32_t before;
    unsigned faults;
  };
  std::map<Index, Drift> drifts_;
  bool partitioned_ = false;
  std::array<std::uint64_t, kFaults> injected_{};
  std::function<void(Time, Fault, World::Index)> watch_;
  std::shared_ptr<const bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kadmesh
