#include "kadsim/histogram.h"

#include <bit>

#include "kadsim/wide.h"

namespace kadmesh::kadsim {

std::uint64_t Histogram::bin_of(std::uint64_t value) {
  if (value < kExact) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value) - std::bit_width(kExact - 1));
  return value >> shift << shift;
}

void Histogram::add(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  bins_[bin_of(value)] += times;
  count_ += times;
}

void Histogram::merge(const Histogram& other) {
  for (const auto& [value, times] : other.bins_) add(value, times);
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  Wide sum = 0;
  for (const auto& [value, times] : bins_) sum += static_cast<Wide>(value) * times;
  return static_cast<double>(sum) / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(std::uint64_t percent) const {
  const Wide wanted = static_cast<Wide>(count_) * percent;
  std::uint64_t seen = 0;
  for (const auto& [value, times] : bins_) {
    seen += times;
    if (static_cast<Wide>(seen) * 100 >= wanted) return value;
  }
  return 0;
}

}  // namespace kadmesh::kadsim
