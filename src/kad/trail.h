// The path of one operation as steps (kad/walk_step.h), from what its owner asks and is told.
//
// Who names a peer first has named it; of more than kMostCandidates names no more are told, as no
// walk keeps more either.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <span>

#include "kad/key.h"
#include "kad/walk_step.h"
#include "kad/wire.h"

namespace kadmesh {

class Trail {
 public:
  // Ourselves nobody needs to name.
  Trail(const PeerId& self, const KadId& target) : target_(target), known_{self} {}

  // `stalls`: when it counts as silent; kNever where that changes nothing.
  void asked(Time now, const PeerId& peer, KadType question, Time stalls);
  void answered(Time now, const PeerId& peer, std::span<const KadPeer> closer);
  void failed(Time now, const PeerId& peer, const Error& cause);
  void withdrawn(Time now, const PeerId& peer);
  void converged(Time now);
  // Time has passed: whoever is silent by now has stalled.
  void on_time(Time now);

  std::optional<WalkStep> poll();

 private:
  WalkStep step(WalkStep::What what, Time now, const PeerId& peer) const;
  void heard(Time now, const PeerId& peer, const PeerId& from);

  KadId target_;
  std::set<PeerId> known_;         // asked or named
  std::map<PeerId, Time> stalls_;  // of those asked that have not stalled
  std::deque<WalkStep> steps_;
};

}  // namespace kadmesh
