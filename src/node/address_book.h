// Where peers may be reached, and how we know. Only Dialable addresses enter: what an inbound
// socket showed has another type and cannot. Bounded per peer and in all.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace kadmesh {

class AddressBook {
 public:
  static constexpr std::size_t kMostPerPeer = 32;
  static constexpr std::size_t kMostPeers = 10'000;

  // Of two claims about one address the stronger source is kept. Beyond kMostPerPeer the weakest
  // and oldest address goes; beyond kMostPeers the peer that was learned of longest ago.
  void learned(const PeerId& peer, const Dialable& addr, Time now);
  // Replaces all that identify or a signed record said of the peer before.
  void announced(const PeerId& peer, const std::vector<Dialable>& addrs, Time now);
  // A dial of it failed: it moves to the end of its source's addresses.
  void failed(const PeerId& peer, const Multiaddr& addr);

  // Best first: by source, then fewer failures, then newest.
  std::vector<Dialable> of(const PeerId& peer) const;
  std::vector<Multiaddr> dial_order(const PeerId& peer) const;
  std::size_t peers() const { return by_peer_.size(); }

 private:
  struct Entry {
    Dialable dialable;
    Time learned;
    unsigned failures = 0;
  };
  struct Peer {
    std::vector<Entry> entries;
    std::list<PeerId>::iterator age;
  };
  Peer& peer_entry(const PeerId& peer);
  void insert(Peer& peer, const Dialable& addr, Time now);

  std::map<PeerId, Peer> by_peer_;
  std::list<PeerId> oldest_first_;
};

}  // namespace kadmesh
