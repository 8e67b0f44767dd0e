// Time as cores see it: given, never read. Neither clock has a now().
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kadmesh {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// Monotonic: deadlines and intervals. Its epoch means nothing.
struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using Time = MonoClock::time_point;

// Since the Unix epoch, UTC; only for what is stored or sent.
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};
using WallTime = WallClock::time_point;

inline constexpr Time kNever = Time::max();

// Sums and differences that stay at the ends of the clock instead of wrapping.
constexpr Duration saturated_sum(Duration a, Duration b) {
  if (b > Duration::zero() && a > Duration::max() - b) return Duration::max();
  if (b < Duration::zero() && a < Duration::min() - b) return Duration::min();
  return a + b;
}
constexpr Time after(Time start, Duration wait) {
  return Time(saturated_sum(start.time_since_epoch(), wait));
}
constexpr WallTime after(WallTime start, Duration wait) {
  return WallTime(saturated_sum(start.time_since_epoch(), wait));
}

// From a number of seconds that a peer sent: clamped, never wrapped.
constexpr Duration seconds_clamped(std::uint64_t seconds) {
  constexpr auto kMost = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(Duration::max()).count());
  return std::chrono::seconds(static_cast<std::int64_t>(seconds < kMost ? seconds : kMost));
}

// "2026-11-22T10:55:00.000000000Z"
std::string to_rfc3339(WallTime time);

}  // namespace kadmesh
