// Which messages have been here: bounded in age and in number, the oldest leave first.
#pragma once

#include <deque>
#include <set>

#include "gossip/gossip.h"
#include "gossip/order.h"

namespace kadmesh::gossip {

class SeenCache {
 public:
  SeenCache(Duration ttl, std::size_t most) : ttl_(ttl), most_(most) {}

  // True when it was not known.
  bool add(const MessageId& id, Time now);
  bool contains(const MessageId& id) const { return known_.contains(id); }
  void expire(Time now);
  std::size_t size() const { return known_.size(); }

 private:
  struct Seen {
    Time since;
    std::set<MessageId, ByText>::iterator id;
  };
  void forget_oldest();

  Duration ttl_;
  std::size_t most_;
  std::set<MessageId, ByText> known_;
  std::deque<Seen> oldest_first_;
};

}  // namespace kadmesh::gossip
