// A map that holds so many: with one more, the one that was touched longest ago is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace kadmesh {

template <class Key, class Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t most) : most_(most) {}

  // Touches nothing. Null: not here.
  const Value* find(const Key& key) const {
    const auto at = items_.find(key);
    return at == items_.end() ? nullptr : &at->second.value;
  }
  // The one of the key, or `fresh` under it. Valid until it is displaced.
  Value& touch(const Key& key, Value fresh = {}) {
    const auto [at, added] = items_.try_emplace(key, Item{std::move(fresh), next_turn_});
    if (!added) turns_.erase(at->second.turn);
    at->second.turn = next_turn_;
    turns_.emplace(next_turn_++, key);
    return at->second.value;
  }
  // What is one too many, which is then no longer here. To be asked after touch().
  std::optional<Key> displace() {
    if (items_.size() <= most_) return std::nullopt;
    const Key key = turns_.begin()->second;
    turns_.erase(turns_.begin());
    items_.erase(key);
    return key;
  }
  std::size_t size() const { return items_.size(); }

 private:
  struct Item {
    Value value;
    std::uint64_t turn;  // its key in turns_
  };

  std::size_t most_;
  std::map<Key, Item> items_;
  std::map<std::uint64_t, Key> turns_;  // the same, the longest untouched first
  std::uint64_t next_turn_ = 0;
};

}  // namespace kadmesh
