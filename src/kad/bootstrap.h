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
// across restarts. While fewer than kWantedLive live peers are connected, each place that is not
// connected is dialed, one dial a place at a time, kMostDials in all; those of the pool once the
// seeds have had kPoolPatience. So a seed that restarts is found again even when others are live,
// and a poisoned pool displaces no seed.
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

namespace kadmesh {

class BootstrapMachine {
 public:
  // Seeds that name ourselves are dropped.
  BootstrapMachine(const PeerId& self, const std::vector<Multiaddr>& seeds, Turn start);

  void on_connected(const PeerId& peer);
  void on_disconnected(Turn turn, const PeerId& peer);
  // How many connected, kad-capable peers there are.
  void on_live(Turn turn, std::size_t live);
  // The answer to a KadDial; `connected`: the peer is so now.
  void on_dialed(Turn turn, const Multiaddr& to, const Result<PeerId>& result, bool connected);
  // A connected peer does not serve our protocol.
  void on_unfit(Turn turn, const PeerId& peer, const std::string& why);
  // A connected peer proved to serve; `addrs` are where it may be dialed.
  void on_worked(Turn turn, const PeerId& peer, const std::vector<Dialable>& addrs);
  // Rows of Kind::pool.
  void on_pool(Turn turn, const StoreRows& rows);
  void on_network_changed(Turn turn);
  // An operation has nobody to ask.
  void on_demand(Turn turn);

  // A dial that is due now, or a row of the pool to save or erase.
  std::optional<std::variant<KadDial, StoreRequest>> poll(Turn turn);
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
    Time dial_until;  // an answer that has not come by then is a failure
    std::size_t next_addr = 0;
    Time down_since;
    Time last_attempt;
    Time due;
    Time saved;  // its row
  };

  bool short_of_live() const;
  bool dialable(const Place& place) const;
  std::size_t dialing() const;
  void start_over(Turn turn);
  void fail(Turn turn, Place& place, std::string why);
  Time patience_of(const Place& place) const;
  void give_up_dials(Turn turn);
  std::optional<KadDial> due_dial(Time now);
  Time next_dial() const;
  Place* place_of(const PeerId& peer);
  void add_to_pool(Turn turn, const PeerId& peer, std::vector<Multiaddr> addrs, bool connected);
  bool make_room();
  void save(Turn turn, Place& place);

  PeerId self_;
  std::vector<Place> places_;  // seeds first, as configured; then the pool, at most kMostPool
  std::size_t live_ = 0, attempts_ = 0;
  Time short_since_;  // of live peers
  std::string last_failure_;
  std::deque<StoreRequest> to_store_;
};

}  // namespace kadmesh
