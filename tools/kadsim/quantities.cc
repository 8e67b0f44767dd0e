#include "kadsim/quantities.h"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>

#include "kadsim/wide.h"

namespace kadmesh::kadsim {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kTimes{Unit{"ns", 1},
                            Unit{"us", 1'000},
                            Unit{"ms", 1'000'000},
                            Unit{"s", 1'000'000'000},
                            Unit{"min", 60'000'000'000},
                            Unit{"h", 3'600'000'000'000},
                            Unit{"d", 86'400'000'000'000}};
constexpr std::array kSizes{Unit{"", 1},
                            Unit{"B", 1},
                            Unit{"kB", 1000},
                            Unit{"KiB", 1024},
                            Unit{"MB", 1000'000},
                            Unit{"MiB", 1024 * 1024},
                            Unit{"GB", 1000'000'000},
                            Unit{"GiB", 1024 * 1024 * 1024}};
// In bits a second.
constexpr std::array kRates{Unit{"bit/s", 1},
                            Unit{"kbit/s", 1000},
                            Unit{"Mbit/s", 1000'000},
                            Unit{"Gbit/s", 1000'000'000},
                            Unit{"B/s", 8},
                            Unit{"kB/s", 8000},
                            Unit{"KiB/s", 8192},
                            Unit{"MB/s", 8000'000},
                            Unit{"MiB/s", std::uint64_t{8} * 1024 * 1024},
                            Unit{"GB/s", 8000'000'000}};
constexpr std::array kShares{Unit{"%", kWhole / 100}, Unit{"", kWhole}};

constexpr std::size_t kMostDigits = 15;  // on either side of the point: no product overflows

// A decimal number times its unit, rounded down; none for what is no such thing or does not fit.
std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::size_t at = 0;
  Wide digits = 0, scale = 1;
  std::size_t seen = 0;
  bool point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point && seen > 0) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    if (++seen > kMostDigits) return std::nullopt;
    digits = digits * 10 + static_cast<unsigned>(c - '0');
    if (point) scale *= 10;
  }
  if (seen == 0 || text[at - 1] == '.') return std::nullopt;
  text.remove_prefix(at);
  while (text.starts_with(' ')) text.remove_prefix(1);
  for (const Unit& unit : units)
    if (unit.name == text) {
      const Wide product = digits * unit.factor / scale;
      if (product > static_cast<Wide>(std::numeric_limits<std::int64_t>::max()))
        return std::nullopt;
      return static_cast<std::uint64_t>(product);
    }
  return std::nullopt;
}

std::string decimal(std::uint64_t count, std::uint64_t unit) {
  std::string out = std::to_string(count / unit), rest;
  for (std::uint64_t left = count % unit, place = unit / 10; left > 0; place /= 10) {
    rest.push_back(static_cast<char>('0' + left / place));
    left %= place;
  }
  return rest.empty() ? out : out + "." + rest;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  const auto nanoseconds = parse(text, kTimes);
  if (!nanoseconds || *nanoseconds > static_cast<std::uint64_t>(kMostDuration.count()))
    return fail(Errc::invalid,
                "'" + std::string(text) + "' is no time; one is like 250ms, 1.5s, 2min, 1h or 3d");
  return Duration(static_cast<std::int64_t>(*nanoseconds));
}

std::string to_text(Duration time) {
  const auto count = static_cast<std::uint64_t>(time.count());
  if (count == 0) return "0s";
  if (count < 1'000) return std::to_string(count) + "ns";
  if (count < 1'000'000) return decimal(count, 1'000) + "us";
  if (count < 1'000'000'000) return decimal(count, 1'000'000) + "ms";
  return decimal(count, 1'000'000'000) + "s";
}

std::string readable(Duration time) {
  const double seconds = static_cast<double>(time.count()) / 1e9;
  char text[48];
  if (seconds < 1e-3)
    std::snprintf(text, sizeof text, "%.3g us", seconds * 1e6);
  else if (seconds < 1)
    std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  else if (seconds < 1000)
    std::snprintf(text, sizeof text, "%.3g s", seconds);
  else
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  return text;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  if (const auto bytes = parse(text, kSizes)) return *bytes;
  return fail(Errc::invalid,
              "'" + std::string(text) + "' is no size; one is like 1500, 2KiB, 16kB or 1MiB");
}

Result<std::uint64_t> parse_bandwidth(std::string_view text) {
  if (text == "unlimited") return 0;
  const auto bits = parse(text, kRates);
  if (bits && *bits >= 8) return *bits / 8;
  return fail(Errc::invalid, "'" + std::string(text) +
                                 "' is no bandwidth; one is like 10Mbit/s, 1.5MB/s or unlimited");
}

Result<std::uint32_t> parse_share(std::string_view text) {
  const auto share = parse(text, kShares);
  if (share && *share <= kWhole) return static_cast<std::uint32_t>(*share);
  return fail(Errc::invalid, "'" + std::string(text) +
                                 "' is no share; one is like 2%, 0.5% or 0.02, at most 100%");
}

}  // namespace kadmesh::kadsim
