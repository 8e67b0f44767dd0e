// The deadlines of things that have a key: the earliest first, ties in the order of the keys.
//
// For a floor's own few thousand; what every packet moves belongs into a TimerWheel. A key that is
// gone must be cancelled, or it expires for nobody.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"

namespace kadmesh {

template <class Key>
class Deadlines {
 public:
  // Arms or moves; kNever cancels.
  void set(const Key& key, Time when) {
    cancel(key);
    if (when == kNever) return;
    of_.emplace(key, when);
    order_.emplace(when, key);
  }
  void cancel(const Key& key) {
    const auto at = of_.find(key);
    if (at == of_.end()) return;
    order_.erase({at->second, key});
    of_.erase(at);
  }
  // kNever when nothing is armed.
  Time next() const { return order_.empty() ? kNever : order_.begin()->first; }
  // One that is due, which is then no longer armed.
  std::optional<Key> expire(Time now) {
    if (next() > now || order_.empty()) return std::nullopt;
    const Key key = order_.begin()->second;
    cancel(key);
    return key;
  }
  std::size_t size() const { return of_.size(); }

 private:
  std::map<Key, Time> of_;
  std::set<std::pair<Time, Key>> order_;
};

}  // namespace kadmesh
