// The messages that a peer need not be sent (gossipsub-v1.2.md, "IDONTWANT Message"): for some
// heartbeats, and no more of them than an honest peer says. Ids are known by a keyed digest.
#pragma once

#include <array>
#include <cstddef>
#include <unordered_set>
#include <vector>

#include "base/crypto.h"
#include "gossip/gossip.h"
#include "gossip/params.h"

namespace kadmesh::gossip {

class DontWants {
 public:
  // What one RPC says; beyond its bounds it is passed over.
  void add(const std::vector<MessageId>& ids, const SipKey& key);
  bool contains(const SipHash& id) const;
  // A heartbeat has passed. True when nothing is left.
  bool shift();

 private:
  std::array<std::unordered_set<SipHash, SipPrefix>, kDontWantBeats> by_beat_;  // newest first
  std::size_t rpcs_ = 0;                                                        // since shift()
};

}  // namespace kadmesh::gossip
