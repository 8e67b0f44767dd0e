// How much work one peer may make of us: a bucket of time per peer, that asking and being told
// empty and that fills as time passes. A peer that disconnects and comes again finds its own.
#pragma once

#include <map>
#include <optional>

#include "base/peer_id.h"
#include "base/time.h"

namespace kadmesh::gossip {

class BackfillLimit {
 public:
  // Peers that are remembered. Those whose bucket is full again are forgotten first; when none is,
  // the others share one.
  static constexpr std::size_t kMostPeers = 4096;

  // A question costs `question`, a KiB that is told `kib`; `burst` is what a full bucket holds.
  BackfillLimit(Duration question, Duration kib, Duration burst)
      : question_(question), kib_(kib), burst_(burst) {}

  // Takes the cost of a question; or says how long to wait until there is room for it.
  std::optional<Duration> admit(const PeerId& peer, Time now);
  void told(const PeerId& peer, std::size_t bytes, Time now);
  std::size_t peers() const { return full_.size(); }

 private:
  Time& full_at(const PeerId& peer, Time now);

  Duration question_, kib_, burst_;
  std::map<PeerId, Time> full_;  // when the bucket is full again
  Time shared_ = Time::min();
};

}  // namespace kadmesh::gossip
