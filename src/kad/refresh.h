// When to look around although nobody asked: so that who joined is known where it belongs, and the
// table stays filled (libp2p specs, kad-dht/README.md, "Bootstrap process").
//
//   own id    on joining, 2 s later, and then at twice the distance each time up to the interval:
//             who joined in the same second was not yet to be found; and at once when our address
//             is another: those near to us are to know it, and not all of them are connected
//   buckets   each interval from joining on, a random key for every prefix length up to the deepest
//             server's and kMostRefreshDepth; the first time soon, for no bucket was ever looked at
#pragma once

#include <deque>
#include <optional>

#include "base/turn.h"
#include "kad/key.h"

namespace kadmesh {

class Refresh {
 public:
  Refresh(const PeerId& self, Duration interval) : self_(KadId::of(self)), interval_(interval) {}

  // The number of live peers left 0, or came back to it.
  void on_joined(Turn turn);
  void on_isolated();
  // However often it changes, kFirstSelfLookup lies between two lookups.
  void on_new_address(Turn turn);

  bool self_lookup_due(Time now) const { return now >= next_self_; }
  void self_lookup_started(Turn turn);
  // Begins a round of buckets if one is due. `depth`: of the deepest server.
  void begin_round(Turn turn, std::optional<unsigned> depth);
  // A key in the next bucket of the round.
  std::optional<Bytes> next_key(Turn turn);
  Time next_timer() const;

 private:
  KadId self_;
  Duration interval_;
  Duration gap_{};
  Time next_self_ = kNever, next_buckets_ = kNever;
  Time soonest_self_;
  std::deque<unsigned> buckets_;  // of this round
};

}  // namespace kadmesh
