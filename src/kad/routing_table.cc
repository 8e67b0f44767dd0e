#include "kad/routing_table.h"

#include <algorithm>

#include "base/check.h"
#include "kad/params.h"

namespace kadmesh {
namespace {

bool failing(const TableEntry& entry) { return entry.failures > 0; }

// Worth a request of a walk at all: a provisional peer only over its open connection.
bool askable(const TableEntry& entry) {
  return entry.standing == Standing::server || entry.connected;
}

bool same_peer(const PeerId& peer, const TableEntry& entry) { return entry.contact.peer == peer; }

std::vector<Dialable> bounded(std::span<const Dialable> addrs) {
  const std::size_t count = std::min(addrs.size(), kMostAddrs);
  return {addrs.begin(), addrs.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

RoutingTable::RoutingTable(const PeerId& self, std::size_t k, TableRules rules)
    : self_(KadId::of(self)), k_(k), rules_(std::move(rules)) {}

std::optional<RoutingTable::Place> RoutingTable::place_of(const PeerId& peer) {
  const auto found = buckets_.find(common_prefix(self_, KadId::of(peer)));
  if (found == buckets_.end()) return std::nullopt;
  Bucket& bucket = found->second;
  for (Entries* list : {&bucket.servers, &bucket.provisional, &bucket.replacements}) {
    const auto at =
        std::ranges::find_if(*list, [&](const Entry& e) { return same_peer(peer, e.shown); });
    if (at != list->end()) return Place{&bucket, list, at};
  }
  return std::nullopt;
}

void RoutingTable::on_connected(const PeerId& peer, Time now) {
  now_ = now;
  if (const auto place = place_of(peer)) {
    place->at->shown.connected = true;
    place->at->shown.failures = 0;  // it is back, whatever the failures were about
    return;
  }
  const KadId id = KadId::of(peer);
  const unsigned index = common_prefix(self_, id);
  if (index == kKadBits) return;  // ourselves
  Bucket& bucket = buckets_[index];
  if (bucket.provisional.size() >= k_)
    return remember(peer, "too many connected peers near it are not identified yet");
  TableEntry shown{{peer, {}}, Standing::provisional, true, now, {}, 0, index};
  bucket.provisional.push_back({id, std::nullopt, std::move(shown)});
}

void RoutingTable::on_disconnected(const PeerId& peer) {
  const auto place = place_of(peer);
  if (!place) return;
  TableEntry& entry = place->at->shown;
  entry.connected = false;
  if (place->list != &place->bucket->servers)
    leave(*place, "disconnected before it had a place as a server");
  else if (entry.contact.addrs.empty())
    leave(*place, "disconnected, and no address to dial is known");
  settle();
}

void RoutingTable::on_serves(const PeerId& peer, std::span<const Dialable> addrs, Time now,
                             std::optional<Subnet> seen_in) {
  now_ = now;
  const KadId id = KadId::of(peer);
  const unsigned index = common_prefix(self_, id);
  if (index == kKadBits) return;
  if (!may_enter(rules_.scope, addrs, seen_in))
    return on_refuses(peer, std::string(outside(rules_.scope)));
  const auto subnet = seen_in ? seen_in : public_subnet(addrs);
  auto place = place_of(peer);
  if (place && place->list != &place->bucket->provisional) {
    place->at->shown.contact.addrs = bounded(addrs);
    place->at->subnet = subnet;
    return settle();
  }
  Entry entry{id, std::nullopt, {{peer, {}}, Standing::server, true, now, {}, 0, index}};
  if (place) {
    entry = std::move(*place->at);
    place->list->erase(place->at);
  }
  entry.subnet = subnet;
  enter_as_server(std::move(entry), addrs);
}

void RoutingTable::enter_as_server(Entry entry, std::span<const Dialable> addrs) {
  entry.shown.standing = Standing::server;
  entry.shown.contact.addrs = bounded(addrs);
  Bucket& bucket = buckets_[entry.shown.bucket];
  bucket.replacements.push_back(std::move(entry));
  settle();
  if (bucket.replacements.size() <= kMostReplacements) return;
  remember(bucket.replacements.back().shown.contact.peer,
           "its bucket is full, and so is the queue for a place");
  bucket.replacements.pop_back();
}

// Who enters may displace one of a network for which others wait elsewhere: from the beginning.
void RoutingTable::settle() {
  for (auto at = buckets_.begin(); at != buckets_.end();)
    at = admit_one(at->second) ? buckets_.begin() : std::next(at);
}

bool RoutingTable::admit_one(Bucket& bucket) {
  if (bucket.replacements.empty()) return false;
  std::vector<std::size_t> eligible;
  std::vector<const TableEntry*> shown;
  for (std::size_t i = 0; i < bucket.replacements.size(); ++i) {
    const Entry& comer = bucket.replacements[i];
    if (!is_diverse(bucket, comer)) continue;
    if (bucket.servers.size() >= k_ && !leaves_for(bucket, comer)) continue;
    eligible.push_back(i);
    shown.push_back(&comer.shown);
  }
  if (eligible.empty()) return false;
  const std::size_t chosen = rules_.policies.replacement->enters(shown);
  KAD_CHECK(chosen < eligible.size());
  const auto comer = bucket.replacements.begin() + static_cast<std::ptrdiff_t>(eligible[chosen]);
  if (bucket.servers.size() >= k_) {
    const auto leaving = static_cast<std::ptrdiff_t>(*leaves_for(bucket, *comer));
    leave({&bucket, &bucket.servers, bucket.servers.begin() + leaving}, "its place was wanted");
  }
  changes_.push_back({comer->shown.contact.peer, true});
  bucket.servers.push_back(std::move(*comer));
  bucket.replacements.erase(comer);
  return true;
}

bool RoutingTable::is_diverse(const Bucket& bucket, const Entry& comer) const {
  const auto& [of_bucket, of_table, exempt] = rules_.diversity;
  if (!comer.subnet || !rules_.diversity.counts(*comer.subnet)) return true;
  const auto near = std::ranges::count(bucket.servers, comer.subnet, &Entry::subnet);
  if (of_bucket != 0 && static_cast<std::size_t>(near) >= of_bucket) return false;
  if (of_table == 0) return true;
  const Subnet holder = holding(*comer.subnet);
  std::size_t held = 0;
  for (const auto& [index, each] : buckets_)
    for (const Entry& entry : each.servers)
      if (entry.subnet && holding(*entry.subnet) == holder && ++held >= of_table) return false;
  return true;
}

std::optional<std::size_t> RoutingTable::leaves_for(const Bucket& bucket,
                                                    const Entry& comer) const {
  std::vector<const TableEntry*> full;
  full.reserve(bucket.servers.size());
  for (const Entry& entry : bucket.servers) full.push_back(&entry.shown);
  const auto leaving = rules_.policies.eviction->leaves(full, comer.shown, now_);
  KAD_CHECK(!leaving || *leaving < full.size());
  return leaving;
}

void RoutingTable::on_refuses(const PeerId& peer, std::string why) {
  const auto place = place_of(peer);
  if (!place) return remember(peer, std::move(why));
  leave(*place, std::move(why));
  settle();
}

void RoutingTable::on_answered(const PeerId& peer, std::span<const Dialable> addrs, Time now,
                               std::optional<Subnet> seen_in) {
  now_ = now;
  auto place = place_of(peer);
  if (!place || place->list == &place->bucket->provisional) {
    on_serves(peer, addrs, now, seen_in);
    place = place_of(peer);
  }
  if (!place) return;
  place->at->shown.last_answer = now;
  place->at->shown.failures = 0;
}

void RoutingTable::on_failed(const PeerId& peer, const Error& cause) {
  const auto place = place_of(peer);
  if (!place) return;
  if (++place->at->shown.failures >= kMostFailures)
    leave(*place, "failed " + std::to_string(kMostFailures) + " times in a row, lastly by " +
                      to_string(cause));
  settle();
}

void RoutingTable::leave(const Place& place, std::string why) {
  const PeerId peer = place.at->shown.contact.peer;
  if (place.list == &place.bucket->servers) changes_.push_back({peer, false});
  place.list->erase(place.at);
  remember(peer, std::move(why));
}

void RoutingTable::remember(const PeerId& peer, std::string why) {
  if (departed_.insert_or_assign(peer, std::move(why)).second) departures_.push_back(peer);
  if (departures_.size() <= kMostDepartures) return;
  departed_.erase(departures_.front());
  departures_.pop_front();
}

template <class Wanted>
std::vector<RoutingTable::Near> RoutingTable::closest(const KadId& target, std::size_t most,
                                                      Wanted wanted) const {
  std::vector<Near> found;
  const auto take = [&](const Bucket& bucket) {
    for (const Entries* list : {&bucket.servers, &bucket.provisional})
      for (const Entry& entry : *list)
        if (wanted(entry.shown))
          found.push_back({rules_.policies.metric->between(entry.id, target), &entry});
  };
  const auto sort_from = [&](std::size_t from) {
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(from), found.end());
  };
  if (rules_.policies.metric->follows_prefixes()) {
    by_bucket(target, most, found, take, sort_from);
  } else {
    for (const auto& [index, bucket] : buckets_) take(bucket);
    sort_from(0);
  }
  if (found.size() > most) found.resize(most);
  return found;
}

// Bucket by bucket from the nearest: with a target that shares c bits with us, those of bucket c
// share more than c with the target, all of the buckets above c share exactly c, and those of each
// bucket i below c share i.
template <class Take, class Sort>
void RoutingTable::by_bucket(const KadId& target, std::size_t most, const std::vector<Near>& found,
                             Take take, Sort sort_from) const {
  const unsigned shared = common_prefix(self_, target);
  const auto own = buckets_.lower_bound(shared);
  auto above = own;
  if (own != buckets_.end() && own->first == shared) {
    take(own->second);
    sort_from(0);
    ++above;
  }
  const std::size_t before = found.size();
  for (; before < most && above != buckets_.end(); ++above) take(above->second);
  sort_from(before);
  for (auto below = own; below != buckets_.begin() && found.size() < most;) {
    const std::size_t from = found.size();
    take((--below)->second);
    sort_from(from);
  }
}

std::vector<Contact> RoutingTable::to_ask(const KadId& target, std::size_t most) const {
  auto found = closest(target, most, [](const TableEntry& e) { return askable(e) && !failing(e); });
  const auto doubtful = closest(target, most - found.size(),
                                [](const TableEntry& e) { return askable(e) && failing(e); });
  found.insert(found.end(), doubtful.begin(), doubtful.end());
  std::ranges::sort(found);
  std::vector<Contact> contacts;
  contacts.reserve(found.size());
  for (const Near& near : found) contacts.push_back(near.entry->shown.contact);
  return contacts;
}

std::vector<TableEntry> RoutingTable::to_hand_out(const KadId& target, std::size_t most,
                                                  const PeerId& asking) const {
  std::vector<TableEntry> entries;
  const auto proven = [&](const TableEntry& e) {
    return e.standing == Standing::server && !failing(e) && !e.contact.addrs.empty() &&
           e.contact.peer != asking;
  };
  for (const Near& near : closest(target, most, proven)) entries.push_back(near.entry->shown);
  return entries;
}

const RoutingTable::Bucket* RoutingTable::bucket_near(const PeerId& peer) const {
  const auto found = buckets_.find(common_prefix(self_, KadId::of(peer)));
  return found == buckets_.end() ? nullptr : &found->second;
}

const RoutingTable::Entry* RoutingTable::among(const Entries& list, const PeerId& peer) {
  const auto at =
      std::ranges::find_if(list, [&](const Entry& e) { return same_peer(peer, e.shown); });
  return at == list.end() ? nullptr : &*at;
}

std::optional<TableEntry> RoutingTable::find(const PeerId& peer) const {
  const Bucket* const bucket = bucket_near(peer);
  if (bucket == nullptr) return std::nullopt;
  if (const Entry* entry = among(bucket->servers, peer)) return entry->shown;
  if (const Entry* entry = among(bucket->provisional, peer)) return entry->shown;
  return std::nullopt;
}

std::string RoutingTable::why_waits(const Bucket& bucket, const Entry& waiting) const {
  const std::string waits = "not in the table: a server that waits for a place: ";
  if (!is_diverse(bucket, waiting))
    return waits + "of its network the bucket has " + std::to_string(rules_.diversity.of_bucket) +
           " servers, or the table " + std::to_string(rules_.diversity.of_table);
  return waits + "its bucket is full";
}

std::vector<TableEntry> RoutingTable::entries() const {
  std::vector<TableEntry> all;
  for (const auto& [index, bucket] : buckets_) {
    std::map<Distance, const TableEntry*> sorted;
    for (const Entries* list : {&bucket.servers, &bucket.provisional})
      for (const Entry& entry : *list) sorted.emplace(distance(entry.id, self_), &entry.shown);
    for (const auto& [apart, entry] : sorted) all.push_back(*entry);
  }
  return all;
}

std::size_t RoutingTable::servers() const {
  std::size_t count = 0;
  for (const auto& [index, bucket] : buckets_) count += bucket.servers.size();
  return count;
}

std::size_t RoutingTable::provisional() const {
  std::size_t count = 0;
  for (const auto& [index, bucket] : buckets_) count += bucket.provisional.size();
  return count;
}

std::size_t RoutingTable::nearer_to_us(const PeerId& peer) const {
  const KadId id = KadId::of(peer);
  const Distance away = distance(id, self_);
  std::size_t nearer = 0;
  for (auto at = buckets_.lower_bound(common_prefix(self_, id)); at != buckets_.end(); ++at)
    for (const Entry& entry : at->second.servers)
      if (distance(entry.id, self_) < away) ++nearer;
  return nearer;
}

std::optional<unsigned> RoutingTable::region_bits() const {
  unsigned full = 0;
  for (const auto& [shared, bucket] : buckets_) {
    if (shared != full || bucket.servers.size() < k_) break;
    ++full;
  }
  if (full == 0 && servers() >= k_) return std::nullopt;
  return full;
}

std::optional<unsigned> RoutingTable::depth() const {
  for (auto at = buckets_.rbegin(); at != buckets_.rend(); ++at)
    if (!at->second.servers.empty()) return at->first;
  return std::nullopt;
}

std::string RoutingTable::why(const PeerId& peer) const {
  if (KadId::of(peer) == self_) return "not in the table: it is this node";
  if (const auto entry = find(peer)) {
    const std::string where = " in bucket " + std::to_string(entry->bucket) +
                              (entry->connected ? ", connected" : ", not connected") + ", " +
                              std::to_string(entry->failures) + " failures in a row";
    return std::string(name(entry->standing)) + where;
  }
  if (const Bucket* const bucket = bucket_near(peer))
    if (const Entry* const waiting = among(bucket->replacements, peer))
      return why_waits(*bucket, *waiting);
  if (const auto left = departed_.find(peer); left != departed_.end())
    return "not in the table: " + left->second;
  return "not in the table: it was never connected to us";
}

std::optional<TableChange> RoutingTable::poll() {
  if (changes_.empty()) return std::nullopt;
  const TableChange change = changes_.front();
  changes_.pop_front();
  return change;
}

}  // namespace kadmesh
