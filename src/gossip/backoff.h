// Who must not be grafted into which topic until when. Outlives connections; bounded, and swept.
#pragma once

#include <map>

#include "gossip/gossip.h"

namespace kadmesh::gossip {

class Backoff {
 public:
  explicit Backoff(std::size_t most) : most_(most) {}

  // Never shortens one that stands. When full, further peers go without: they may only be grafted
  // earlier than they would like.
  void add(const Topic& topic, const PeerId& peer, Time until);
  // Time{} when none stands.
  Time until(const Topic& topic, const PeerId& peer) const;
  bool stands(const Topic& topic, const PeerId& peer, Time now) const {
    return until(topic, peer) > now;
  }
  void expire(Time now);
  std::size_t size() const { return until_.size(); }

 private:
  std::size_t most_;
  std::map<std::pair<Topic, PeerId>, Time> until_;
};

}  // namespace kadmesh::gossip
