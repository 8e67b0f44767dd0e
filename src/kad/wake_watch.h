// Notices that this machine slept, that its clock was set, or that the process stood still: what
// was known of connections and of who is due for what is of another time then.
//
//   suspended      the monotonic clock stood, the wall clock went on       they come apart
//   clock set      the wall clock jumped, either way                       they come apart
//   stood still    both went on, and the timer came late                   (SIGSTOP, a paused VM)
//
// Both clocks are read by turns that come as the node's timer asks, so a jump is seen at the first
// look after it. A clock that is slewed, or drifts, stays far below kLeastJump from look to look.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/turn.h"

namespace kadmesh {

class WakeWatch {
 public:
  static constexpr Duration kLeastJump = 30s;

  explicit WakeWatch(Now start) : last_(start) {}

  // True when something of the above happened since the last look. `due`: when this one was to be.
  bool look(Now now, Time due) {
    const Now before = std::exchange(last_, now);
    const Duration apart = since(now.wall, before.wall) - since(now.mono, before.mono);
    return apart > kLeastJump || apart < -kLeastJump || since(now.mono, due) > kLeastJump;
  }

 private:
  // In whole seconds, of which no two moments are too many apart.
  template <class Moment>
  static Duration since(Moment later, Moment earlier) {
    const std::int64_t seconds = later.time_since_epoch() / 1s - earlier.time_since_epoch() / 1s;
    return std::clamp(seconds, -kFar, kFar) * 1s;
  }

  static constexpr std::int64_t kFar = 24 * 3600;
  Now last_;
};

}  // namespace kadmesh
