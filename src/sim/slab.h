// Items by number, at addresses that stay: whoever is called back may add more. Numbers given back
// are used again, the last one first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"

namespace kadmesh {

template <class Item, std::size_t kBlockBits = 8>
class Slab {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};

  Index take() {
    if (free_.empty()) grow();
    const Index index = free_.back();
    free_.pop_back();
    used_[index >> 6] |= bit(index);
    return index;
  }
  // The item keeps its value until its number is taken again: whoever takes one sets all of it.
  void give_back(Index index) {
    KAD_CHECK((used_[index >> 6] & bit(index)) != 0);
    used_[index >> 6] &= ~bit(index);
    free_.push_back(index);
  }

  Item& operator[](Index index) { return blocks_[index >> kBlockBits][index & (kBlock - 1)]; }
  const Item& operator[](Index index) const {
    return blocks_[index >> kBlockBits][index & (kBlock - 1)];
  }
  std::size_t capacity() const { return blocks_.size() * kBlock; }
  // Items in use.
  std::size_t size() const { return blocks_.size() * kBlock - free_.size(); }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << kBlockBits;

  static std::uint64_t bit(Index index) { return std::uint64_t{1} << (index & 63); }

  void grow() {
    const std::size_t first = blocks_.size() * kBlock;
    blocks_.push_back(std::make_unique<Item[]>(kBlock));
    free_.reserve(first + kBlock);
    used_.resize((first + kBlock + 63) / 64);
    for (std::size_t i = kBlock; i-- > 0;) free_.push_back(static_cast<Index>(first + i));
  }

  std::vector<std::unique_ptr<Item[]>> blocks_;
  std::vector<Index> free_;
  std::vector<std::uint64_t> used_;  // a bit each: what is given back twice is two owners' later
};

}  // namespace kadmesh
