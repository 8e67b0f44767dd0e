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
  // `key`: nobody else's.
  SeenCache(Duration ttl, std::size_t most, const SipKey& key)
      : ttl_(ttl), most_(most), key_(key) {}

  // True when it was not known.
  bool add(const MessageId& id, Time now);
  bool contains(const MessageId& id) const { return known_.contains(sip_hash(key_, id)); }
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
  SipKey key_;
  std::unordered_set<SipHash, SipPrefix> known_;
  std::deque<Seen> oldest_first_;
};

}  // namespace kadmesh::gossip
