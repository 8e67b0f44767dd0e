// Which messages have been here: bounded in age and in number, the oldest leave first. Of each only
// a keyed digest is kept: most that come are duplicates, and each is looked up here.
#pragma once

#include <deque>
#include <unordered_set>

#include "base/crypto.h"
#include "gossip/gossip.h"

namespace kadmesh::gossip {

class SeenCache {
 public:
  SeenCache(Duration ttl, std::size_t most) : ttl_(ttl), most_(most) {}

  // Digests of ids, under a key that nobody else has. True when it was not known.
  bool add(const SipHash& id, Time now);
  bool contains(const SipHash& id) const { return known_.contains(id); }
  void expire(Time now);
  std::size_t size() const { return known_.size(); }

 private:
  struct Seen {
    Time since;
    SipHash digest;
  };
  void forget_oldest();

  Duration ttl_;
  std::size_t most_;
  std::unordered_set<SipHash, SipPrefix> known_;
  std::deque<Seen> oldest_first_;
};

}  // namespace kadmesh::gossip
