// A std::map whose keys lie side by side: finding one among a few dozen touches a cache line or
// three, and not one for each step down a tree. Values have places of their own and stay there.
//
// Inserting and erasing move the keys behind; for up to some thousand entries that is little, and
// nothing at all where keys only grow. Iteration is in the order of the keys.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace kadmesh {

template <class Key, class T>
class FlatMap {
  struct Slot {
    Key key;
    std::unique_ptr<T> value;
  };

  template <class Value, class Place>
  class Iterator {
   public:
    struct Entry {
      const Key& first;
      Value& second;
    };
    struct Arrow {
      Entry entry;
      const Entry* operator->() const { return &entry; }
    };
    using value_type = Entry;
    using reference = Entry;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(Place at) : at_(at) {}
    Entry operator*() const { return {at_->key, *at_->value}; }
    Arrow operator->() const { return {**this}; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend FlatMap;
    Place at_{};
  };

 public:
  using iterator = Iterator<T, typename std::vector<Slot>::iterator>;
  using const_iterator = Iterator<const T, typename std::vector<Slot>::const_iterator>;

  bool empty() const { return slots_.empty(); }
  std::size_t size() const { return slots_.size(); }
  iterator begin() { return iterator(slots_.begin()); }
  iterator end() { return iterator(slots_.end()); }
  const_iterator begin() const { return const_iterator(slots_.begin()); }
  const_iterator end() const { return const_iterator(slots_.end()); }

  iterator find(const Key& key) { return iterator(found(slots_, key)); }
  const_iterator find(const Key& key) const { return const_iterator(found(slots_, key)); }
  bool contains(const Key& key) const { return find(key) != end(); }
  // It must be there.
  T& at(const Key& key) { return value_at(slots_, key); }
  const T& at(const Key& key) const { return value_at(slots_, key); }

  // Nothing happens when the key is there.
  template <class... Args>
  std::pair<iterator, bool> try_emplace(const Key& key, Args&&... args) {
    const auto at = place(slots_, key);
    if (at != slots_.end() && at->key == key) return {iterator(at), false};
    auto value = std::make_unique<T>(std::forward<Args>(args)...);
    return {iterator(slots_.insert(at, Slot{key, std::move(value)})), true};
  }
  T& operator[](const Key& key) { return try_emplace(key).first->second; }

  iterator erase(iterator at) { return iterator(slots_.erase(at.at_)); }
  std::size_t erase(const Key& key) {
    const auto at = find(key);
    if (at == end()) return 0;
    erase(at);
    return 1;
  }

 private:
  // What is newest is asked for most where keys only grow.
  static auto place(auto& slots, const Key& key) {
    if (slots.empty() || slots.back().key < key) return slots.end();
    return std::ranges::lower_bound(slots, key, {}, &Slot::key);
  }
  static auto found(auto& slots, const Key& key) {
    const auto at = place(slots, key);
    return at != slots.end() && at->key == key ? at : slots.end();
  }
  static auto& value_at(auto& slots, const Key& key) {
    const auto at = found(slots, key);
    KAD_CHECK(at != slots.end());
    return *at->value;
  }

  std::vector<Slot> slots_;
};

}  // namespace kadmesh
