// Which groups of partial messages are spoken of in a topic, begun by us or by peers (partial
// messages extension, as go-libp2p-pubsub has it). What has been sent of a group and what is
// missing is the application's to know; here is what bounds the groups that peers begin, and who
// has been told of ours.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "gossip/message.h"
#include "gossip/order.h"

namespace kadmesh::gossip {

class PartialGroups {
 public:
  // We say something of the group: it is ours for kGroupBeats from now on.
  void ours(const Topic& topic, const Bytes& group);
  // We have said something to the peer, so no heartbeat tells it.
  void told(const Topic& topic, const Bytes& group, const PeerId& peer);
  // The peer says something of the group. False: it is new, and the peer, or all peers together,
  // have begun as many as they may.
  bool theirs(const Topic& topic, const Bytes& group, const PeerId& peer);
  // Of each group of ours in the topic: those of `peers` that have heard nothing of it, who count
  // as told from now on.
  struct Offer {
    Bytes group;
    std::vector<PeerId> peers;
  };
  std::vector<Offer> offers(const Topic& topic, const std::vector<PeerId>& peers);
  void forget(const PeerId& peer);
  void heartbeat();
  std::size_t size() const { return groups_.size(); }

 private:
  struct Key {
    Topic topic;
    Bytes group;
    auto operator<=>(const Key&) const = default;
  };
  struct Group {
    std::size_t beats_left;
    std::optional<PeerId> begun_by{};  // none: ours
    std::set<PeerId> told{};
  };
  bool may_begin(const Topic& topic, const PeerId& peer) const;

  std::map<Key, Group> groups_;
};

}  // namespace kadmesh::gossip
