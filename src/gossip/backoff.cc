#include "gossip/backoff.h"

namespace kadmesh::gossip {

const char* text(PruneCause cause) {
  switch (cause) {
    case PruneCause::we_left:
      return "we left the topic";
    case PruneCause::they_pruned:
      return "it pruned us";
    case PruneCause::mesh_above_dhi:
      return "we pruned it, the mesh had reached Dhi";
    case PruneCause::mesh_full:
      return "we refused its GRAFT, the mesh was full";
    case PruneCause::graft_too_early:
      return "we refused its GRAFT, a backoff stood";
    case PruneCause::explicit_peer:
      return "we refused its GRAFT, it is an explicit peer and gets everything without";
    case PruneCause::low_score:
      return "its score was below zero";
  }
  return "";
}

void Backoff::add(const Topic& topic, const PeerId& peer, Time until, PruneCause cause) {
  const auto at = entries_.find({topic, peer});
  if (at != entries_.end()) {
    if (at->second.until < until) at->second = {until, cause};
  } else if (entries_.size() < most_) {
    entries_.emplace(std::pair(topic, peer), Entry{until, cause});
  }
}

const Backoff::Entry* Backoff::find(const Topic& topic, const PeerId& peer) const {
  const auto at = entries_.find({topic, peer});
  return at == entries_.end() ? nullptr : &at->second;
}

bool Backoff::stands(const Topic& topic, const PeerId& peer, Time now) const {
  const Entry* entry = find(topic, peer);
  return entry && entry->until > now;
}

bool Backoff::bars(const Topic& topic, const PeerId& peer, Time now) const {
  const Entry* entry = find(topic, peer);
  return entry && after(entry->until, slack_) > now;
}

void Backoff::expire(Time now) {
  std::erase_if(entries_,
                [&](const auto& entry) { return after(entry.second.until, slack_) <= now; });
}

}  // namespace kadmesh::gossip
