// A map that holds so many, at least one: with one more, the one that was touched longest ago is
// gone.
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
  // The one of the key, or `fresh` under it, valid until it is gone; and who is gone for it.
  struct Touched {
    Value& value;
    std::optional<std::pair<Key, Value>> gone;
  };
  Touched touch(const Key& key, Value fresh = {}) {
    const auto [at, added] = items_.try_emplace(key, Item{std::move(fresh), next_age_});
    if (!added) by_age_.erase(at->second.age);
    at->second.age = next_age_;
    by_age_.emplace(next_age_++, key);
    return {at->second.value, displaced()};
  }
  std::size_t size() const { return items_.size(); }

 private:
  struct Item {
    Value value;
    std::uint64_t age;  // its key in by_age_
  };

  std::optional<std::pair<Key, Value>> displaced() {
    if (items_.size() <= most_) return std::nullopt;
    auto node = items_.extract(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
    return std::pair(std::move(node.key()), std::move(node.mapped().value));
  }

  std::size_t most_;
  std::map<Key, Item> items_;
  std::map<std::uint64_t, Key> by_age_;  // the same, the longest untouched first
  std::uint64_t next_age_ = 0;
};

}  // namespace kadmesh
