// Whether this node serves the DHT: as it is set (KadMode), or, when that is automatic, once others
// can dial it (libp2p specs, kad-dht/README.md, "Client and server mode").
//
//                       proof of a way in
//             client ----------------------> server
//               ^                              |
//               +------------------------------+
//     no proof for kProofHolds, our addresses changed, or on_told(false)
//
// Proof is a connection that somebody else opened, from a public network that is none of ours and
// that we ourselves have not dialed within kOurDial, while a public address is among those at which
// we listen. Our own dials leave from ports of their own, so what a NAT lets in behind them does
// not come to a listener; nobody can be made to believe that he is dialable who is not. In a
// network of private addresses nothing is proven: there a node is set to serve.
//
// on_told() is for who knows better: AutoNAT, an operator. It holds as proof does.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "kad/config.h"
#include "kad/subnet.h"
#include "transport/peer_link.h"

namespace kadmesh {

class Serving {
 public:
  static constexpr Duration kProofHolds = 24h;
  static constexpr Duration kOurDial = 1min;
  static constexpr std::size_t kMostDialed = 256;  // networks remembered

  explicit Serving(KadMode mode) : mode_(mode) {}

  bool now() const { return mode_ == KadMode::server || proven_until_ != Time{}; }

  // --- each may change now()
  void on_established(Time now, const Established& e);
  void on_addrs(std::span<const Multiaddr> listening);
  void on_told(Time now, bool reachable);
  void on_timer(Time now);
  Time next_timer() const { return proven_until_ == Time{} ? kNever : proven_until_; }

 private:
  struct Dialed {
    Subnet network;
    Time when;
  };
  bool is_foreign(const Subnet& network, Time now) const;
  void prove(Time now);

  KadMode mode_;
  Time proven_until_{};           // Time{}: it is not
  std::vector<Multiaddr> addrs_;  // at which we listen
  std::vector<Subnet> own_;       // theirs, as far as they are public
  std::deque<Dialed> dialed_;
  Time unsure_until_ = Time::min();  // one was forgotten that was dialed lately: nothing is foreign
};

}  // namespace kadmesh
