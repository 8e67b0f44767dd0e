// Logarithm and power of two in whole numbers: the same on every machine and compiler, which libm's
// are not. Numbers are fixed point with 32 bits behind the point (Q32); right to about 2^-27.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace kadmesh::fixed {

inline constexpr std::int64_t kOne = std::int64_t{1} << 32;
inline constexpr std::int64_t kLn2 = 2977044472;    // ln 2
inline constexpr std::int64_t kLog2E = 6196328019;  // 1 / ln 2

// a * b, both Q32; exact but for the last bit while the product fits.
constexpr std::int64_t times(std::int64_t a, std::int64_t b) {
  const bool negative = (a < 0) != (b < 0);
  const auto x = static_cast<std::uint64_t>(a < 0 ? -a : a);
  const auto y = static_cast<std::uint64_t>(b < 0 ? -b : b);
  const std::uint64_t xh = x >> 32, xl = x & 0xFFFFFFFF, yh = y >> 32, yl = y & 0xFFFFFFFF;
  const std::uint64_t product = ((xh * yh) << 32) + xh * yl + xl * yh + ((xl * yl) >> 32);
  return negative ? -static_cast<std::int64_t>(product) : static_cast<std::int64_t>(product);
}

// log2(number), of a whole number > 0: digit after digit, by squaring.
constexpr std::int64_t log2(std::uint64_t number) {
  const int whole = 63 - std::countl_zero(number);
  std::uint64_t rest = number << (63 - whole) >> 32;  // in [1, 2), 31 bits behind the point
  std::int64_t digits = 0;
  for (int i = 0; i < 32; ++i) {
    rest = rest * rest >> 31;
    const bool digit = rest >> 32 != 0;
    digits = digits << 1 | (digit ? 1 : 0);
    if (digit) rest >>= 1;
  }
  return std::int64_t{whole} * kOne + digits;
}

namespace detail {
constexpr std::uint64_t root(std::uint64_t square) {
  std::uint64_t low = 0, high = std::uint64_t{1} << 32;
  while (low + 1 < high) {
    const std::uint64_t middle = (low + high) / 2;
    (middle * middle <= square ? low : high) = middle;
  }
  return low;
}
// 2^(1/2), 2^(1/4), … with 31 bits behind the point.
constexpr std::array<std::uint64_t, 32> make_roots() {
  std::array<std::uint64_t, 32> roots{};
  std::uint64_t last = std::uint64_t{1} << 32;
  for (auto& each : roots) last = each = root(last << 31);
  return roots;
}
inline constexpr auto kRoots = make_roots();
}  // namespace detail

// 2^power, Q32; 0 for what is too small, 2^30 at most.
constexpr std::int64_t exp2(std::int64_t power) {
  const std::int64_t whole = power >> 32;
  if (whole < -32) return 0;
  if (whole >= 30) return kOne << 30;
  std::uint64_t result = std::uint64_t{1} << 31;
  for (std::size_t i = 0; i < detail::kRoots.size(); ++i)
    if ((power >> (31 - i) & 1) != 0) result = result * detail::kRoots[i] >> 31;
  const std::int64_t shift = whole + 1;
  const auto scaled = static_cast<std::int64_t>(result);
  return shift >= 0 ? scaled << shift : scaled >> -shift;
}

}  // namespace kadmesh::fixed
