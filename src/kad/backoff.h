// Whom not to dial for a while: who could not be reached is hardly there a moment later, and every
// walk that hears of him would pay for it again.
//
// After each failure a peer rests for a time drawn from (0, ceiling] (full jitter: who failed for
// many at one instant is not tried by all of them at another), the ceiling being 1 s, 2 s, 4 s ...
// up to 5 min. A failure while it rests is one of a dial that was under way already, and counts
// with the one before. It starts over when the peer is connected, whoever dialed; all do when the
// network changed; and who has rested for so long that kForgotten passed since has no past.
//
// It rests only where it failed: who hears of it elsewhere may try, for a liar may have named it at
// an address of his own.
//
// Bootstrap has waits of its own, by how long a place has been out of reach (kad/bootstrap.h): a
// seed is somebody to hope for, and these are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "base/address.h"
#include "base/peer_id.h"
#include "base/turn.h"

namespace kadmesh {

// Where somebody is said to be, as a number: of its addresses, in any order.
std::uint64_t whereabouts(std::span<const Dialable> addrs);

class Backoffs {
 public:
  static constexpr Duration kLeast = 1s, kMost = 5min;
  static constexpr Duration kForgotten = 10min;
  static constexpr std::size_t kMostPeers =
      1024;  // beyond it the one that rests no longer goes first

  // `where`: whereabouts().
  void failed(Turn turn, const PeerId& peer, std::uint64_t where);
  void reached(const PeerId& peer) { resting_.erase(peer); }
  void start_over() { resting_.clear(); }

  bool rests(const PeerId& peer, std::uint64_t where, Time now) const;
  std::size_t size() const { return resting_.size(); }

 private:
  struct Rest {
    unsigned failures = 0;
    Time until{};
    std::uint64_t where = 0;
  };
  void make_room();

  std::map<PeerId, Rest> resting_;
};

}  // namespace kadmesh
