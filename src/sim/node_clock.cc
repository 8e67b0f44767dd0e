#include "sim/node_clock.h"

#include <algorithm>

namespace kadmesh {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

// value * parts / 10^9 without leaving 64 bits, for values up to a century and parts up to 10^8.
std::int64_t share(std::int64_t value, std::int64_t parts) {
  return value / kBillion * parts + value % kBillion * parts / kBillion;
}

}  // namespace

Duration NodeClock::elapsed(Time world) const {
  const std::int64_t true_time = (world - since_).count();
  return Duration(true_time + share(true_time, drift_));
}

Now NodeClock::at(Time world) const {
  const Duration so_far = elapsed(world);
  return {after(start_.mono, so_far), after(start_.wall, so_far)};
}

Time NodeClock::when(Time mono) const {
  if (mono == kNever) return kNever;
  if (mono <= start_.mono) return since_;
  const Duration wanted = mono - start_.mono;
  if (drift_ == 0) return after(since_, wanted);
  // Near enough to walk the rest.
  std::int64_t guess = wanted.count();
  for (int i = 0; i < 8; ++i) guess = wanted.count() - share(guess, drift_);
  Time world = after(since_, Duration(guess));
  while (elapsed(world) < wanted) world = after(world, Duration(1));
  while (world > since_ && elapsed(world - Duration(1)) >= wanted) world -= Duration(1);
  return world;
}

void NodeClock::set_drift(Time world, std::int32_t ppb) {
  start_ = at(world);
  since_ = world;
  drift_ = std::clamp(ppb, -kMostDriftPpb, kMostDriftPpb);
}

}  // namespace kadmesh
