// Who told of a message that we then asked for, and owes it (gossipsub-v1.1.md "Spam Protection
// Measures"; go-libp2p-pubsub, gossip_tracer.go). A promise is kept by whoever brings the message,
// and stands beside others of the same message: to be asked again, or to have another asked, ends
// none. Messages are known by a keyed digest; bounded, and when it is full nobody promises.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <vector>

#include "base/crypto.h"
#include "base/peer_id.h"
#include "base/time.h"

namespace kadmesh::gossip {

class Promises {
 public:
  void made(const SipHash& message, const PeerId& by, Time due);
  void kept(const SipHash& message);
  // Whose promises were due by now and are not kept.
  std::vector<PeerId> broken(Time now);
  std::size_t size() const { return by_due_.size(); }

 private:
  struct Due {
    Time when;
    SipHash message;
    PeerId by;
  };
  std::unordered_map<SipHash, std::vector<PeerId>, SipPrefix> owed_;  // each peer once
  std::deque<Due> by_due_;  // of all that is owed, and of what was kept since
};

}  // namespace kadmesh::gossip
