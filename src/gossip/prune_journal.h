// The last prunes of each peer, own and received, for those who ask why it is in no mesh. Says
// nothing to the router. Bounded: a peer's oldest notes leave first, and all notes of the peer that
// none was made of for longest.
#pragma once

#include <deque>
#include <vector>

#include "base/recent_map.h"
#include "gossip/backoff.h"

namespace kadmesh::gossip {

struct PruneNote {
  Time when;
  Topic topic;
  PruneCause cause;  // they_pruned: received; others are ours
  double score = 0;  // the peer's at that moment
};

class PruneJournal {
 public:
  static constexpr std::size_t kMostPeers = 1'000;
  static constexpr std::size_t kMostNotes = 16;  // of one peer

  void add(const PeerId& peer, PruneNote note);
  // The latest first.
  std::vector<PruneNote> of(const PeerId& peer) const;
  std::size_t peers() const { return notes_.size(); }

 private:
  RecentMap<PeerId, std::deque<PruneNote>> notes_{kMostPeers};
};

}  // namespace kadmesh::gossip
