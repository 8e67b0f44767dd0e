// The messages of the last heartbeats, to answer IWANT and to tell of in IHAVE
// (gossipsub-v1.0.md, "Message cache"). Windows shift at each heartbeat; bounded in messages and in
// bytes besides, the oldest leave first.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/crypto.h"
#include "gossip/gossip.h"

namespace kadmesh::gossip {

class MessageCache {
 public:
  using Frame = std::shared_ptr<const Bytes>;

  // `told`: how many of the `windows` are told of in IHAVE, newest first. `key`: nobody else's.
  MessageCache(std::size_t windows, std::size_t told, const SipKey& key);

  void put(const MessageId& id, const Topic& topic, Frame frame);
  // The frame, unless the peer has had it kMostServed times; null when it is not here.
  Frame serve(const MessageId& id, const PeerId& peer);
  // Ids to tell of, newest window first.
  std::map<Topic, std::vector<MessageId>> told() const;
  void shift();
  std::size_t size() const { return by_id_.size(); }

 private:
  struct Entry {
    Topic topic;
    Frame frame;
    std::map<PeerId, std::size_t> served;
  };
  SipHash digest(const MessageId& id) const { return sip_hash(key_, id); }
  void drop_oldest_message();
  void erase(const MessageId& id);

  std::size_t told_;
  std::size_t bytes_ = 0;
  SipKey key_;
  std::unordered_map<SipHash, Entry, SipPrefix> by_id_;
  std::deque<std::deque<MessageId>> windows_;  // newest first
};

}  // namespace kadmesh::gossip
