#include "kad/routing_table.h"

#include <algorithm>

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

RoutingTable::RoutingTable(const PeerId& self, std::size_t k) : self_(KadId::of(self)), k_(k) {}

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
  Bucket& bucket = *place->bucket;
  TableEntry& entry = place->at->shown;
  entry.connected = false;
  if (place->list != &bucket.servers)
    leave(*place, "disconnected before it had a place as a server");
  else if (entry.contact.addrs.empty())
    leave(*place, "disconnected, and no address to dial is known");
  settle(bucket);
}

void RoutingTable::on_serves(const PeerId& peer, std::span<const Dialable> addrs, Time now) {
  const KadId id = KadId::of(peer);
  const unsigned index = common_prefix(self_, id);
  if (index == kKadBits) return;
  auto place = place_of(peer);
  if (place && place->list != &place->bucket->provisional) {
    place->at->shown.contact.addrs = bounded(addrs);
    place->at->subnet = public_subnet(addrs);
    return settle(*place->bucket);
  }
  Entry entry{id, std::nullopt, {{peer, {}}, Standing::server, true, now, {}, 0, index}};
  if (place) {
    entry = std::move(*place->at);
    place->list->erase(place->at);
  }
  enter_as_server(std::move(entry), addrs);
}

void RoutingTable::enter_as_server(Entry entry, std::span<const Dialable> addrs) {
  entry.shown.standing = Standing::server;
  entry.shown.contact.addrs = bounded(addrs);
  entry.subnet = public_subnet(addrs);
  Bucket& bucket = buckets_[entry.shown.bucket];
  bucket.replacements.push_back(std::move(entry));
  settle(bucket);
  if (bucket.replacements.size() <= kMostReplacements) return;
  remember(bucket.replacements.back().shown.contact.peer,
           "its bucket is full, and so is the queue for a place");
  bucket.replacements.pop_back();
}

// Gives places to those who wait for one, oldest first.
void RoutingTable::settle(Bucket& bucket) {
  for (std::size_t i = 0; i < bucket.replacements.size();) {
    if (!has_room_for(bucket, bucket.replacements[i])) {
      ++i;
      continue;
    }
    if (bucket.servers.size() >= k_)
      leave({&bucket, &bucket.servers, displaceable(bucket)}, "failed, and its place was wanted");
    const auto waiting = bucket.replacements.begin() + static_cast<std::ptrdiff_t>(i);
    changes_.push_back({waiting->shown.contact.peer, true});
    bucket.servers.push_back(std::move(*waiting));
    bucket.replacements.erase(waiting);
    i = 0;  // who left may have been of the network of one that was passed over
  }
}

bool RoutingTable::has_room_for(const Bucket& bucket, const Entry& waiting) const {
  const auto neighbours = std::ranges::count_if(
      bucket.servers, [&](const Entry& e) { return waiting.subnet && e.subnet == waiting.subnet; });
  if (static_cast<std::size_t>(neighbours) >= kMostOfSubnet) return false;
  return bucket.servers.size() < k_ ||
         std::ranges::any_of(
             bucket.servers, [](const Entry& e) { return failing(e.shown) && !e.shown.connected; });
}

// Of those that failed and are not connected the one that failed most; among equals the one that
// answered longest ago. There is one.
RoutingTable::Entries::iterator RoutingTable::displaceable(Bucket& bucket) {
  const auto worse = [](const Entry& a, const Entry& b) {
    const auto rank = [](const TableEntry& e) {
      return std::tuple(e.connected || !failing(e), -static_cast<std::int64_t>(e.failures),
                        e.last_answer);
    };
    return rank(a.shown) < rank(b.shown);
  };
  return std::ranges::min_element(bucket.servers, worse);
}

void RoutingTable::on_refuses(const PeerId& peer, std::string why) {
  const auto place = place_of(peer);
  if (!place) return remember(peer, std::move(why));
  Bucket& bucket = *place->bucket;
  leave(*place, std::move(why));
  settle(bucket);
}

void RoutingTable::on_answered(const PeerId& peer, std::span<const Dialable> addrs, Time now) {
  auto place = place_of(peer);
  if (!place || place->list == &place->bucket->provisional) {
    on_serves(peer, addrs, now);
    place = place_of(peer);
  }
  if (!place) return;
  place->at->shown.last_answer = now;
  place->at->shown.failures = 0;
}

void RoutingTable::on_failed(const PeerId& peer, const Error& cause) {
  const auto place = place_of(peer);
  if (!place) return;
  Bucket& bucket = *place->bucket;
  if (++place->at->shown.failures >= kMostFailures)
    leave(*place, "failed " + std::to_string(kMostFailures) + " times in a row, lastly by " +
                      to_string(cause));
  settle(bucket);
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

// Bucket by bucket from the nearest: with a target that shares c bits with us, those of bucket c
// share more than c with the target, all of the buckets above c share exactly c, and those of each
// bucket i below c share i.
template <class Wanted>
std::vector<const RoutingTable::Entry*> RoutingTable::closest(const KadId& target, std::size_t most,
                                                              Wanted wanted) const {
  std::vector<const Entry*> found;
  const auto take = [&](const Bucket& bucket) {
    for (const Entries* list : {&bucket.servers, &bucket.provisional})
      for (const Entry& entry : *list)
        if (wanted(entry.shown)) found.push_back(&entry);
  };
  const auto sort_from = [&](std::size_t from) {
    std::sort(found.begin() + static_cast<std::ptrdiff_t>(from), found.end(),
              [&](const Entry* a, const Entry* b) {
                return distance(a->id, target) < distance(b->id, target);
              });
  };
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
  if (found.size() > most) found.resize(most);
  return found;
}

std::vector<Contact> RoutingTable::to_ask(const KadId& target, std::size_t most) const {
  auto found = closest(target, most, [](const TableEntry& e) { return askable(e) && !failing(e); });
  const auto doubtful = closest(target, most - found.size(),
                                [](const TableEntry& e) { return askable(e) && failing(e); });
  found.insert(found.end(), doubtful.begin(), doubtful.end());
  std::ranges::sort(found, {}, [&](const Entry* e) { return distance(e->id, target); });
  std::vector<Contact> contacts;
  contacts.reserve(found.size());
  for (const Entry* entry : found) contacts.push_back(entry->shown.contact);
  return contacts;
}

std::vector<TableEntry> RoutingTable::to_hand_out(const KadId& target, std::size_t most,
                                                  const PeerId& asking) const {
  std::vector<TableEntry> entries;
  const auto proven = [&](const TableEntry& e) {
    return e.standing == Standing::server && !failing(e) && !e.contact.addrs.empty() &&
           e.contact.peer != asking;
  };
  for (const Entry* entry : closest(target, most, proven)) entries.push_back(entry->shown);
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

bool RoutingTable::waits(const PeerId& peer) const {
  const Bucket* const bucket = bucket_near(peer);
  return bucket != nullptr && among(bucket->replacements, peer) != nullptr;
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
  if (waits(peer))
    return "not in the table: a server that waits for a place (its bucket is full, or holds " +
           std::to_string(kMostOfSubnet) + " servers of its network)";
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
