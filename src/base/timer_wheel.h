// Many deadlines, one timer: a hierarchical wheel (Varghese & Lauck 1987) that unfolds. A wheel has
// 64 slots, one for each value of 6 bits of a deadline; a slot that holds more than a few timers
// becomes a wheel of its own for the next 6 bits, down to the nanosecond.
//
//   coarsest wheel   |    |    | ·· |    |         a slot: up to 8 timers, in the order set
//                             |
//   finer wheel     |  | ·| ··|  |·|               a slot with more is unfolded
//                          |
//   1 ns            |·······|                      ties: any number, in the order set
//
// Nothing moves as time passes, and there is no horizon. Setting, moving and cancelling cost O(1)
// (at most eleven wheels lie on the way) and so does asking for the next deadline; a heap would pay
// log n for each. Deadlines are kept exactly; ties expire in the order in which they were set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/time.h"

namespace kadmesh {

// Owner's number for what expires; unique among armed timers.
using TimerKey = std::uint64_t;

class TimerWheel {
 public:
  TimerWheel();
  ~TimerWheel();
  TimerWheel(TimerWheel&&) noexcept;
  TimerWheel& operator=(TimerWheel&&) noexcept;

  // Arms, or moves, the timer of `key`, as if it had been cancelled before. A time in the past
  // expires at the next poll. kNever cancels.
  void set(TimerKey key, Time when);
  void cancel(TimerKey key);
  // The earliest deadline, exactly; kNever when nothing is armed.
  Time next() const;
  // One expired timer a call, earliest first; it is no longer armed.
  std::optional<TimerKey> expire(Time now);
  std::size_t size() const;

 private:
  class Wheels;
  std::unique_ptr<Wheels> wheels_;
};

}  // namespace kadmesh
