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
//     row, or, while somebody else waits for a place, what KadPolicies::eviction says. As it stands
//     no newcomer, however many or quick, displaces a server that answers.
//   - Servers outlive their connections as long as we know an address to dial.
//   - Few servers of one public network (kad/diversity.h): that which their connections show; where
//     that is none, that of the addresses which they name, which may be invented.
//   - Only peers that the DHT is for (kad/scope.h).
//
// Who waits is looked at whenever anything has changed: bucket by bucket, those that share least
// with us first, in the order of KadPolicies::replacement.
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

#include "kad/diversity.h"
#include "kad/key.h"
#include "kad/policy.h"
#include "kad/scope.h"
#include "kad/table_entry.h"

namespace kadmesh {

// A server entered or left.
struct TableChange {
  PeerId peer;
  bool entered;
};

// By what peers get a place, and who is near.
struct TableRules {
  DiversityLimits diversity;
  Scope scope = Scope::any;  // never automatic
  KadPolicies policies;
};

class RoutingTable {
 public:
  RoutingTable(const PeerId& self, std::size_t k, TableRules rules = {});

  // --- what happened to a peer. About our own id all of these do nothing.
  void on_connected(const PeerId& peer, Time now);
  void on_disconnected(const PeerId& peer);
  // It serves our protocol and may be dialed at `addrs` (best first; replaces what was known).
  // `seen_in`: the public network that its connection shows.
  void on_serves(const PeerId& peer, std::span<const Dialable> addrs, Time now,
                 std::optional<Subnet> seen_in = std::nullopt);
  // It does not.
  void on_refuses(const PeerId& peer, std::string why);
  // It answered a request of ours, which proves that it serves.
  void on_answered(const PeerId& peer, std::span<const Dialable> addrs, Time now,
                   std::optional<Subnet> seen_in = std::nullopt);
  void on_failed(const PeerId& peer, const Error& cause);

  // --- questions
  // For walks: servers, and connected provisional peers. Those that failed last come only when too
  // few others are known. Closest first.
  std::vector<Contact> to_ask(const KadId& target, std::size_t most) const;
  // For others: servers with an address that did not fail last, without `asking`. Closest first.
  std::vector<TableEntry> to_hand_out(const KadId& target, std::size_t most,
                                      const PeerId& asking) const;
  std::optional<TableEntry> find(const PeerId& peer) const;
  // Servers that lie nearer to us than it does.
  std::size_t nearer_to_us(const PeerId& peer) const;
  std::vector<TableEntry> entries() const;  // by bucket, then by distance
  std::size_t servers() const;
  std::size_t provisional() const;
  // How many bits a key's k closest share with it, or a few less: as many as buckets are full, from
  // the first on; none as long as there are others and the first is not.
  std::optional<unsigned> region_bits() const;
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
  void enter_as_server(Entry entry, std::span<const Dialable> addrs);
  void settle();
  bool admit_one(Bucket& bucket);
  bool is_diverse(const Bucket& bucket, const Entry& comer) const;
  std::optional<std::size_t> leaves_for(const Bucket& bucket, const Entry& comer) const;
  std::string why_waits(const Bucket& bucket, const Entry& waiting) const;
  void leave(const Place& place, std::string why);
  void remember(const PeerId& peer, std::string why);
  struct Near {
    Distance away;
    const Entry* entry;
    friend auto operator<=>(const Near& a, const Near& b) { return a.away <=> b.away; }
    friend bool operator==(const Near& a, const Near& b) { return a.away == b.away; }
  };
  template <class Wanted>
  std::vector<Near> closest(const KadId& target, std::size_t most, Wanted wanted) const;
  template <class Take, class Sort>
  void by_bucket(const KadId& target, std::size_t most, const std::vector<Near>& found, Take take,
                 Sort sort_from) const;

  KadId self_;
  std::size_t k_;
  TableRules rules_;
  Time now_{};                          // the latest that an input brought
  std::map<unsigned, Bucket> buckets_;  // by common prefix with us
  std::deque<TableChange> changes_;
  std::map<PeerId, std::string> departed_;  // why, for at most kMostDepartures
  std::deque<PeerId> departures_;           // the same, oldest first
};

}  // namespace kadmesh
