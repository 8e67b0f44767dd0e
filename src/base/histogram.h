// How often a number was how large: buckets of powers of two, so that milliseconds up to half a
// minute fit a few.
//
//   bucket i holds what is above bound i - 1 and at most bound i;  bounds 0 1 2 4 8 ... 32768;
//   the last bucket holds the rest
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace kadmesh {

class Histogram {
 public:
  static constexpr std::size_t kBounds = 17;

  static constexpr std::uint64_t bound(std::size_t i) {
    return i == 0 ? 0 : std::uint64_t{1} << (i - 1);
  }

  constexpr void add(std::uint64_t value) {
    const auto above =
        value <= 1 ? value : static_cast<std::uint64_t>(std::bit_width(value - 1)) + 1;
    ++counts_[std::min<std::size_t>(above, kBounds)];
    sum_ += value;
  }

  // One for each bound, and the rest.
  constexpr const std::array<std::uint64_t, kBounds + 1>& counts() const { return counts_; }
  constexpr std::uint64_t sum() const { return sum_; }
  constexpr std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts_) all += count;
    return all;
  }

 private:
  std::array<std::uint64_t, kBounds + 1> counts_{};
  std::uint64_t sum_ = 0;
};

}  // namespace kadmesh
