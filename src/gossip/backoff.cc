#include "gossip/backoff.h"

#include <algorithm>

namespace kadmesh::gossip {

void Backoff::add(const Topic& topic, const PeerId& peer, Time until) {
  const auto at = until_.find({topic, peer});
  if (at != until_.end())
    at->second = std::max(at->second, until);
  else if (until_.size() < most_)
    until_.emplace(std::pair(topic, peer), until);
}

Time Backoff::until(const Topic& topic, const PeerId& peer) const {
  const auto at = until_.find({topic, peer});
  return at == until_.end() ? Time{} : at->second;
}

void Backoff::expire(Time now) {
  std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
}

}  // namespace kadmesh::gossip
