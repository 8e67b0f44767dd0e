#include "node/address_book.h"

#include <algorithm>
#include <tuple>

namespace kadmesh {

AddressBook::Peer& AddressBook::peer_entry(const PeerId& peer) {
  if (const auto found = by_peer_.find(peer); found != by_peer_.end()) return found->second;
  if (by_peer_.size() >= kMostPeers) {
    by_peer_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  oldest_first_.push_back(peer);
  return by_peer_.emplace(peer, Peer{{}, std::prev(oldest_first_.end())}).first->second;
}

void AddressBook::insert(Peer& peer, const Dialable& addr, Time now) {
  const auto same = std::ranges::find_if(
      peer.entries, [&](const Entry& entry) { return entry.dialable.addr() == addr.addr(); });
  if (same != peer.entries.end()) {
    if (addr.source() <= same->dialable.source()) same->dialable = addr;
    same->learned = now;
    if (addr.source() == Source::dialed) same->failures = 0;
    return;
  }
  if (peer.entries.size() >= kMostPerPeer) {
    const auto weakest = std::ranges::max_element(peer.entries, {}, [](const Entry& entry) {
      return std::tuple(entry.dialable.source(), -entry.learned.time_since_epoch().count());
    });
    if (weakest->dialable.source() < addr.source()) return;
    peer.entries.erase(weakest);
  }
  peer.entries.push_back({addr, now});
}

void AddressBook::learned(const PeerId& peer, const Dialable& addr, Time now) {
  Peer& entry = peer_entry(peer);
  oldest_first_.splice(oldest_first_.end(), oldest_first_, entry.age);
  insert(entry, addr, now);
}

void AddressBook::announced(const PeerId& peer, const std::vector<Dialable>& addrs, Time now) {
  Peer& entry = peer_entry(peer);
  oldest_first_.splice(oldest_first_.end(), oldest_first_, entry.age);
  std::erase_if(entry.entries, [](const Entry& old) {
    return old.dialable.source() == Source::identify ||
           old.dialable.source() == Source::signed_record;
  });
  for (const Dialable& addr : addrs) insert(entry, addr, now);
}

void AddressBook::failed(const PeerId& peer, const Multiaddr& addr) {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return;
  const Multiaddr bare = addr.without_peer();
  for (Entry& entry : found->second.entries)
    if (entry.dialable.addr() == bare && entry.failures < 1000) ++entry.failures;
}

std::vector<Dialable> AddressBook::of(const PeerId& peer) const {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return {};
  std::vector<Entry> entries = found->second.entries;
  // The address itself last, so that the order is the same everywhere.
  std::ranges::sort(entries, {}, [](const Entry& entry) {
    return std::tuple(entry.dialable.source(), entry.failures,
                      -entry.learned.time_since_epoch().count(),
                      as_text(entry.dialable.addr().bytes()));
  });
  std::vector<Dialable> addrs;
  addrs.reserve(entries.size());
  for (const Entry& entry : entries) addrs.push_back(entry.dialable);
  return addrs;
}

std::vector<Multiaddr> AddressBook::dial_order(const PeerId& peer) const {
  std::vector<Multiaddr> addrs;
  for (const Dialable& dialable : of(peer)) addrs.push_back(dialable.addr());
  return addrs;
}

}  // namespace kadmesh
