// Many deadlines, one timer: a hierarchical wheel (Varghese & Lauck 1987). Setting, moving and
// cancelling cost O(1) and so does asking for the next deadline; a heap would pay log n for each.
// Deadlines are kept exactly; ties expire in the order in which they were set.
#pragma once

#include <array>
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
  explicit TimerWheel(Time start);
  ~TimerWheel();
  TimerWheel(TimerWheel&&) noexcept;
  TimerWheel& operator=(TimerWheel&&) noexcept;

  // Arms, or moves, the timer of `key`. A time in the past expires at the next poll.
  // kNever cancels.
  void set(TimerKey key, Time when);
  void cancel(TimerKey key);
  // The earliest deadline, exactly; kNever when nothing is armed.
  Time next() const;
  // One expired timer a call, earliest first; it is no longer armed.
  std::optional<TimerKey> expire(Time now);
  std::size_t size() const;

 private:
  // Chosen by the implementation.
  struct Wheel;
  std::unique_ptr<Wheel> wheel_;
};

}  // namespace kadmesh
