// Who is connected, and what identify said of them. A peer is here from 0 -> 1 connections to
// 1 -> 0; the swarm's limits bound how many there are. And who cannot be connected: kad/backoff.h.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "kad/backoff.h"
#include "kad/subnet.h"

namespace kadmesh {

class Peers {
 public:
  void connected(const PeerId& peer, std::optional<Dialable> dialed,
                 std::optional<Subnet> seen_in = std::nullopt);
  void disconnected(const PeerId& peer);
  void serves(const PeerId& peer, bool kad);
  void announced(const PeerId& peer, std::vector<Dialable> addrs);

  // A dial of somebody who is not connected failed, at those whereabouts() (kad/backoff.h): as long
  // as others are live, it is not to be repeated while he rests().
  void unreachable(Turn turn, const PeerId& peer, std::uint64_t where);
  void network_changed() { backoffs_.start_over(); }

  bool has(const PeerId& peer) const { return peers_.contains(peer); }
  bool rests(const Contact& contact, Time now) const;
  // Where it may be dialed: first the address at which we did, then what it announced.
  std::vector<Dialable> addrs(const PeerId& peer) const;
  // The public network that its connection showed.
  std::optional<Subnet> seen_in(const PeerId& peer) const;
  // Connected and known to serve our protocol.
  std::size_t live() const { return live_; }
  bool is_live(const PeerId& peer) const;
  bool empty() const { return peers_.empty(); }

 private:
  struct Peer {
    std::optional<Dialable> dialed;
    std::vector<Dialable> announced;
    std::optional<bool> serves;
    std::optional<Subnet> seen_in;
  };
  std::map<PeerId, Peer> peers_;
  Backoffs backoffs_;
  std::size_t live_ = 0;  // asked for after every input: not worth a walk over thousands
};

}  // namespace kadmesh
