// Luck of the laboratory itself: links, faults, churn. Eight bytes of state, so that each direction
// of each connection has its own, and one more draw in one disturbs no other. Nodes draw from Rng.
//
// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"

namespace kadmesh {

// One bijective round of mixing: no two words share a result.
constexpr std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
  return word ^ (word >> 31);
}

class Luck {
 public:
  explicit constexpr Luck(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() { return mixed(state_ += 0x9E3779B97F4A7C15u); }
  // In [0, bound), even to one part in 2^64 / bound. bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  constexpr bool chance_ppm(std::uint32_t parts_per_million) {
    return parts_per_million > 0 && below(1'000'000) < parts_per_million;
  }
  // In [0, most].
  constexpr Duration up_to(Duration most) {
    return most <= Duration::zero() ? Duration::zero()
                                    : Duration(below(static_cast<std::uint64_t>(most.count()) + 1));
  }
  template <class Items>
  constexpr auto& pick(Items& items) {
    return items[below(items.size())];
  }

 private:
  std::uint64_t state_;
};

// What everything in a run is seeded with: a function of the run's seed, what it is for, and which
// one; never of the order in which things were made.
std::uint64_t derived(std::uint64_t seed, std::string_view label, std::uint64_t index = 0);
Rng::Key derived_key(std::uint64_t seed, std::string_view label, std::uint64_t index);

}  // namespace kadmesh
