// Bootstrap as a state, not a call: as long as too few live peers are connected, whoever might be
// reached is dialed, for ever.
//
//             live peers > 0
//   dialing ----------------> joined        (derived: from the live peers, the dials in flight and
//     |   ^                      |            what they came to; nothing is stored that could go
//     |   +--- the last left ----+            stale)
//     |
//     +--- every place failed ---> isolated ---> (a place's wait is over) ---> dialing
//
// Places are seeds, which are permanent, and the pool: peers that served us once, kept in the store
// across restarts (kad/pool_row.h). While fewer than kWantedLive live peers are connected, each
// place that is not connected is dialed, one dial a place at a time, kMostDials in all; those of
// the pool once the seeds have had kPoolPatience. So a seed that restarts is found again even when
// others are live, and a poisoned pool displaces no seed.
//
// Merging. Who has enough live peers may still be in half a network: the other half is sought by
// dialing one place that is not connected each `merge_every`, drawn between half of it and all, the
// longest untried first. Who is reached so is to be asked who is near to us (Explore): by what it
// knows the halves become one.
//
// The pool. At most kMostPoolOfSubnet of a public network, and kLostPlaces of it belong to who is
// out of reach: who works now does not displace all whom a rift has hidden. Of those out of reach
// that one gives way whose last service is longest ago, times two for each failure since. A failure
// counts only while others can be reached: a laptop on a train says nothing of its peers. Who
// failed kMostPoolFailures times leaves.
//
// After a failure a place waits a time drawn from (0, ceiling] (full jitter), the ceiling being an
// eighth of how long it has been out of reach, between 1 s and 5 min: exponential, and after any
// outage of less than 40 s back within 5 s. News makes waits start over: a change of network, the
// number of live peers falling, an operation that has nobody to ask.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/turn.h"
#include "kad/action.h"
#include "kad/bootstrap_status.h"
#include "kad/pool_row.h"
#include "kad/subnet.h"

namespace kadmesh {

class BootstrapMachine {
 public:
  // Walk towards our own id from this peer, which a merge has reached.
  struct Explore {
    PeerId through;
  };

  // Seeds that name ourselves are dropped.
  BootstrapMachine(const PeerId& self, const std::vector<Multiaddr>& seeds, Turn start,
                   Duration merge_every = 10min);

  void on_connected(const PeerId& peer);
  void on_disconnected(Turn turn, const PeerId& peer);
  // How many connected, kad-capable peers there are.
  void on_live(Turn turn, std::size_t live);
  // The answer to a KadDial; `connected`: the peer is so now.
  void on_dialed(Turn turn, const Multiaddr& to, const Result<PeerId>& result, bool connected);
  // A connected peer does not serve our protocol.
  void on_unfit(Turn turn, const PeerId& peer, const std::string& why);
  // A connected peer proved to serve; `addrs` are where it may be dialed, `seen_in` the public
  // network that its connection showed: what a peer says of its addresses, it may say of any.
  void on_worked(Turn turn, const PeerId& peer, const std::vector<Dialable>& addrs,
                 const std::optional<Subnet>& seen_in = std::nullopt);
  // Rows of Kind::pool.
  void on_pool(Turn turn, const StoreRows& rows);
  void on_network_changed(Turn turn);
  // An operation has nobody to ask.
  void on_demand(Turn turn);

  // A dial that is due now, a row of the pool to save or erase, somebody to explore from.
  using Wish = std::variant<KadDial, StoreRequest, Explore>;
  std::optional<Wish> poll(Turn turn);
  Time next_timer() const;

  // Waiting for somebody may help: there is a seed, or a peer of the pool that did not fail yet.
  bool hopeful() const;
  BootstrapStatus status() const;

 private:
  struct Place {
    std::vector<Multiaddr> addrs;  // with /p2p where the peer is known; tried in turn
    std::optional<PeerId> peer;
    bool seed = false;
    bool connected = false;
    bool failed = false;  // since it was last connected, or news came; connected: it is no server
    std::optional<Multiaddr> dialing;
    bool merging = false;  // that dial is for a merge
    Time dial_until;       // an answer that has not come by then is a failure
    std::size_t next_addr = 0;
    Time down_since;
    Time last_attempt;
    Time due;
    // Of the pool.
    std::optional<Subnet> network;  // as seen; of its addresses where it was not; none: of a site
    Time saved;                     // its row
    WallTime served;
    std::uint32_t failures = 0;  // since then, while others could be reached
  };

  bool short_of_live() const;
  bool dialable(const Place& place) const;
  std::size_t dialing() const;
  void start_over(Turn turn);
  void fail(Turn turn, Place& place, std::string why);
  Time patience_of(const Place& place) const;
  void give_up_dials(Turn turn);
  std::optional<KadDial> due_dial(Time now);
  std::optional<KadDial> due_merge(Turn turn);
  KadDial dial(Place& place, Time now);
  bool merges() const;
  void merge_later(Turn turn);
  Time next_dial() const;
  Place* place_of(const PeerId& peer);
  Place& add_to_pool(Turn turn, const PoolRow& peer, const std::optional<Subnet>& network);
  bool make_room(const std::optional<Subnet>& comer, WallTime now);
  template <class Among>
  bool displace(WallTime now, Among among);
  static Duration staleness(const Place& place, WallTime now);
  std::size_t pool(bool connected) const;
  void drop_the_dead();
  void save(Turn turn, Place& place);

  PeerId self_;
  std::vector<Place> places_;  // seeds first, as configured; then the pool, at most kMostPool
  std::size_t live_ = 0, attempts_ = 0;
  Time short_since_;  // of live peers
  Duration merge_every_;
  Time merge_due_;
  std::deque<PeerId> explore_;
  std::string last_failure_;
  std::deque<StoreRequest> to_store_;
};

}  // namespace kadmesh
