// Counts by value, in bins that grow with it: exact below kExact, then within 1/64. Adding two up
// gives what one of all values would be, whatever the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace kadmesh::kadsim {

class Histogram {
 public:
  static constexpr std::uint64_t kExact = 128;

  void add(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  // Of the values as their bins have them (the least of each); 0 of none.
  double mean() const;
  std::uint64_t least() const { return bins_.empty() ? 0 : bins_.begin()->first; }
  std::uint64_t most() const { return bins_.empty() ? 0 : bins_.rbegin()->first; }
  // The least value that at least `percent` of all do not exceed.
  std::uint64_t percentile(std::uint64_t percent) const;
  // By the least value of the bin; none is empty.
  const std::map<std::uint64_t, std::uint64_t>& bins() const { return bins_; }

  static std::uint64_t bin_of(std::uint64_t value);

 private:
  std::map<std::uint64_t, std::uint64_t> bins_;
  std::uint64_t count_ = 0;
};

}  // namespace kadmesh::kadsim
