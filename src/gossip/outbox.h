// Messages of ours for which there is nobody yet: sent to the first who subscribes. Bounded in
// messages, in bytes and in age; what is kept is never displaced, so that an application is told
// at once when its next message finds no room.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "gossip/gossip.h"

namespace kadmesh::gossip {

class Outbox {
 public:
  struct Kept {
    Topic topic;
    MessageId id;
    std::shared_ptr<const Bytes> frame;
    Time until;
  };

  // `most` messages; 0: none is kept.
  Outbox(std::size_t most, Duration ttl) : most_(most), ttl_(ttl) {}

  bool has_room(std::size_t bytes) const;
  void keep(const Topic& topic, const MessageId& id, std::shared_ptr<const Bytes> frame, Time now);
  // Offers those of the topic, oldest first; what is taken (true) is kept no longer.
  void offer(const Topic& topic, const std::function<bool(const Kept&)>& takes);
  // Those whose time is over.
  std::vector<Kept> expire(Time now);
  std::size_t size() const { return kept_.size(); }

 private:
  std::size_t most_;
  Duration ttl_;
  std::size_t bytes_ = 0;
  std::deque<Kept> kept_;  // oldest first
};

}  // namespace kadmesh::gossip
