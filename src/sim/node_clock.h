// The two clocks of one machine, as a function of the world's time: each begins where it likes,
// both run too fast or too slow, and the wall clock is set now and then. The monotonic one never
// goes back.
#pragma once

#include "base/turn.h"

namespace kadmesh {

class NodeClock {
 public:
  // A part in ten: no crystal is worse.
  static constexpr std::int32_t kMostDriftPpb = 100'000'000;

  NodeClock(Time world, Now start) : since_(world), start_(start) {}

  Now at(Time world) const;
  // The first moment of the world at which the monotonic clock shows `mono` or more.
  Time when(Time mono) const;

  // Parts per billion, too fast if positive; within kMostDriftPpb.
  std::int32_t drift() const { return drift_; }
  void set_drift(Time world, std::int32_t ppb);
  void step_wall(Duration by) { start_.wall = after(start_.wall, by); }

 private:
  Duration elapsed(Time world) const;

  Time since_;
  Now start_;
  std::int32_t drift_ = 0;
};

}  // namespace kadmesh
