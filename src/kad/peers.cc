#include "kad/peers.h"

#include "kad/params.h"

namespace kadmesh {

void Peers::connected(const PeerId& peer, std::optional<Dialable> dialed,
                      std::optional<Subnet> seen_in) {
  backoffs_.reached(peer);
  Peer& who = peers_[peer];
  who.dialed = std::move(dialed);
  who.seen_in = seen_in;
}

std::optional<Subnet> Peers::seen_in(const PeerId& peer) const {
  const auto at = peers_.find(peer);
  return at == peers_.end() ? std::nullopt : at->second.seen_in;
}

// A dial that fails while nobody can be reached says nothing of whom it was for.
void Peers::unreachable(Turn turn, const PeerId& peer, std::uint64_t where) {
  if (live_ > 0 && !has(peer)) backoffs_.failed(turn, peer, where);
}

bool Peers::rests(const Contact& contact, Time now) const {
  return live_ > 0 && !has(contact.peer) &&
         backoffs_.rests(contact.peer, whereabouts(contact.addrs), now);
}

void Peers::disconnected(const PeerId& peer) {
  serves(peer, false);
  peers_.erase(peer);
}

void Peers::serves(const PeerId& peer, bool kad) {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return;
  if (is_live(peer)) --live_;
  at->second.serves = kad;
  if (kad) ++live_;
}

void Peers::announced(const PeerId& peer, std::vector<Dialable> addrs) {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return;
  if (addrs.size() > kMostAddrs) addrs.resize(kMostAddrs, addrs.front());
  at->second.announced = std::move(addrs);
}

std::vector<Dialable> Peers::addrs(const PeerId& peer) const {
  std::vector<Dialable> all;
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return all;
  if (at->second.dialed) all.push_back(*at->second.dialed);
  for (const Dialable& addr : at->second.announced)
    if (!at->second.dialed || at->second.dialed->addr() != addr.addr()) all.push_back(addr);
  return all;
}

bool Peers::is_live(const PeerId& peer) const {
  const auto at = peers_.find(peer);
  return at != peers_.end() && at->second.serves == std::optional(true);
}

}  // namespace kadmesh
