// Times, sizes, rates and shares as a scenario writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace kadmesh::kadsim {

// The longest time that a scenario can name: far below the end of the clocks.
inline constexpr Duration kMostDuration = std::chrono::hours(24 * 3660);

// "250ms", "1.5s", "2min", "1h", "3d", "40us", "7ns", "0". Exact: no binary fraction in between.
// Errc::invalid for anything else, also what is negative or above kMostDuration.
Result<Duration> parse_duration(std::string_view text);
// The shortest that reads back as the same: "1.5s".
std::string to_text(Duration time);
// Of people: three figures, "1.53 s".
std::string readable(Duration time);

// "2KiB", "1500", "1.5MiB", "2kB": bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);
// "10Mbit/s", "1.5MB/s", "64KiB/s", "unlimited" (0): bytes per second.
Result<std::uint64_t> parse_bandwidth(std::string_view text);
// "2%", "0.5%" and "0.02": millionths.
Result<std::uint32_t> parse_share(std::string_view text);
inline constexpr std::uint32_t kWhole = 1'000'000;

}  // namespace kadmesh::kadsim
