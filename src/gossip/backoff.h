// Who must not be grafted into which topic until when, and why. Outlives connections; bounded, and
// swept.
#pragma once

#include <map>

#include "gossip/gossip.h"

namespace kadmesh::gossip {

enum class PruneCause {
  we_left,
  they_pruned,
  mesh_above_dhi,
  mesh_full,
  graft_too_early,
  explicit_peer,
  low_score,
};
// "it pruned us"
const char* text(PruneCause cause);

class Backoff {
 public:
  struct Entry {
    Time until;
    PruneCause cause;
  };

  // We keep `slack` beyond each backoff, for the peer's clock may have started it later.
  Backoff(std::size_t most, Duration slack) : most_(most), slack_(slack) {}

  // Never shortens one that stands. When full, further peers go without: they may only be grafted
  // earlier than they would like.
  void add(const Topic& topic, const PeerId& peer, Time until, PruneCause cause);
  // Null when none was added, or it has been swept.
  const Entry* find(const Topic& topic, const PeerId& peer) const;
  // A GRAFT of the peer's comes too early.
  bool stands(const Topic& topic, const PeerId& peer, Time now) const;
  // A GRAFT of ours would come too early.
  bool bars(const Topic& topic, const PeerId& peer, Time now) const;
  void expire(Time now);
  std::size_t size() const { return entries_.size(); }

 private:
  std::size_t most_;
  Duration slack_;
  std::map<std::pair<Topic, PeerId>, Entry> entries_;
};

}  // namespace kadmesh::gossip
