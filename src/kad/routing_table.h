// Whom we know, in k-buckets by common prefix with our own id (libp2p specs, kad-dht/README.md,
// "Kademlia routing table").
//
// Differences from the paper, and why:
//   - A bucket for every prefix length at once instead of splitting the last one: the same capacity
//     (only the bucket of our own branch may split there), and no splitting.
//   - Entries stand as provisional or server (kad/table_entry.h). Provisional ones are connected
//     peers of which we do not know yet whether they serve: our walks may ask them, nobody is told
//     of them, they have places of their own and so displace nobody. They leave on disconnection.
//   - A full bucket keeps who is in it. A place becomes free only by evidence: kMostFailures in a
//     row, or a failure of a peer that is not connected while somebody else waits for a place. No
//     newcomer, however many or quick, displaces a server that answers.
//   - Servers outlive their connections as long as we know an address to dial.
//   - kMostOfSubnet servers of a bucket from one public network.
//
// Nothing heard from third peers enters: every call here is about a peer that was connected to us.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kad/key.h"
#include "kad/subnet.h"
#include "kad/table_entry.h"

namespace kadmesh {

// A server entered or left.
struct TableChange {
  PeerId peer;
  bool entered;
};

class RoutingTable {
 public:
  RoutingTable(const PeerId& self, std::size_t k);

  // --- what happened to a peer. About our own id all of these do nothing.
  void on_connected(const PeerId& peer, Time now);
  void on_disconnected(const PeerId& peer);
  // It serves our protocol and may be dialed at `addrs` (best first; replaces what was known).
  void on_serves(const PeerId& peer, std::span<const Dialable> addrs, Time now);
  // It does not.
  void on_refuses(const PeerId& peer, std::string why);
  // It answered a request of ours, which proves that it serves.
  void on_answered(const PeerId& peer, std::span<const Dialable> addrs, Time now);
  void on_failed(const PeerId& peer, const Error& cause);

  // --- questions
  // For walks: servers, and connected provisional peers. Those that failed last come only when too
  // few others are known. Closest first.
  std::vector<Contact> to_ask(const KadId& target, std::size_t most) const;
  // For others: servers with an address that did not fail last, without `asking`. Closest first.
  std::vector<TableEntry> to_hand_out(const KadId& target, std::size_t most,
                                      const PeerId& asking) const;
  std::optional<TableEntry> find(const PeerId& peer) const;
  std::vector<TableEntry> entries() const;  // by bucket, then by distance
  std::size_t servers() const;
  std::size_t provisional() const;
  // The longest prefix that any server shares with us; none when there is no server.
  std::optional<unsigned> depth() const;
  // One sentence: why it is or is not here.
  std::string why(const PeerId& peer) const;

  std::optional<TableChange> poll();

 private:
  struct Entry {
    KadId id;
    std::optional<Subnet> subnet;
    TableEntry shown;
  };
  using Entries = std::vector<Entry>;
  struct Bucket {
    Entries servers;       // at most k
    Entries provisional;   // at most k; connected
    Entries replacements;  // at most kMostReplacements, oldest first; connected servers
  };
  struct Place {
    Bucket* bucket;
    Entries* list;
    Entries::iterator at;
  };

  std::optional<Place> place_of(const PeerId& peer);
  const Bucket* bucket_near(const PeerId& peer) const;
  static const Entry* among(const Entries& list, const PeerId& peer);
  bool waits(const PeerId& peer) const;
  void enter_as_server(Entry entry, std::span<const Dialable> addrs);
  void settle(Bucket& bucket);
  bool has_room_for(const Bucket& bucket, const Entry& waiting) const;
  static Entries::iterator displaceable(Bucket& bucket);
  void leave(const Place& place, std::string why);
  void remember(const PeerId& peer, std::string why);
  template <class Wanted>
  std::vector<const Entry*> closest(const KadId& target, std::size_t most, Wanted wanted) const;

  KadId self_;
  std::size_t k_;
  std::map<unsigned, Bucket> buckets_;  // by common prefix with us
  std::deque<TableChange> changes_;
  std::map<PeerId, std::string> departed_;  // why, for at most kMostDepartures
  std::deque<PeerId> departures_;           // the same, oldest first
};

}  // namespace kadmesh
