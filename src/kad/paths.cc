#include "kad/paths.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {
namespace {

// What all paths are up to: the step of the whole, from the steps of each.
struct Together {
  bool waits = false, only_silent = true, converged = false, expired = false;
  Time until = kNever;

  void add(const Lookup::Wait& wait) {
    waits = true;
    only_silent = only_silent && wait.only_silent;
    until = std::min(until, wait.until);
  }
  void add(const Lookup::Finished& finished) {
    converged = converged || finished.end == Lookup::End::converged;
    expired = expired || finished.end == Lookup::End::expired;
  }
  Lookup::Step step() const {
    if (waits) return Lookup::Wait{until, only_silent};
    if (expired) return Lookup::Finished{Lookup::End::expired};
    return Lookup::Finished{converged ? Lookup::End::converged : Lookup::End::starved};
  }
};

}  // namespace

Paths::Paths(const PeerId& self, const KadId& target, LookupParams params, std::size_t count,
             Time deadline, KadPolicies policies)
    : target_(target), policies_(std::move(policies)) {
  count = std::clamp<std::size_t>(count, 1, kMostPaths);
  params.alpha = params.alpha / count + (params.alpha % count == 0 ? 0 : 1);
  paths_.assign(count, Lookup(self, target, params, deadline, policies_));
}

// A second chance is given by the path that failed to reach it.
void Paths::add(const Contact& contact) {
  if (single()) return paths_.front().add(contact);
  const auto owned = owned_.find(contact.peer);
  if (owned == owned_.end()) return paths_[deal_++ % paths_.size()].add(contact);
  const Owned was = owned->second;
  if (was.state == State::failed) owned_.erase(owned);
  paths_[was.path].add(contact);
}

// The path wants to ask the peer: whether it may. If not, it is told what others know by now.
bool Paths::asks(std::size_t path, const PeerId& peer) {
  const auto [owned, fresh] = owned_.emplace(peer, Owned{path});
  if (fresh) return true;
  if (owned->second.state == State::answered) paths_[path].on_reply(peer, {});
  if (owned->second.state == State::failed) paths_[path].on_failure(peer);
  return false;
}

Lookup::Step Paths::step(std::size_t path, Time now, const Acquaintance& known) {
  for (;;) {
    const Lookup::Step step = paths_[path].next(now, known);
    const auto* ask = std::get_if<Lookup::Ask>(&step);
    if (ask == nullptr || asks(path, ask->to.peer)) return step;
  }
}

Lookup::Step Paths::next(Time now, const Acquaintance& known) {
  if (single()) return paths_.front().next(now, known);
  Together all;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const std::size_t path = (turn_ + i) % paths_.size();
    const Lookup::Step one = step(path, now, known);
    if (std::holds_alternative<Lookup::Ask>(one)) {
      turn_ = path + 1;
      return one;
    }
    if (const auto* wait = std::get_if<Lookup::Wait>(&one))
      all.add(*wait);
    else
      all.add(std::get<Lookup::Finished>(one));
  }
  return all.step();
}

void Paths::stalls(const PeerId& peer, Time when) {
  for (Lookup& path : paths_) path.stalls(peer, when);
}

Paths::Owned* Paths::asked(const PeerId& peer) {
  const auto at = owned_.find(peer);
  return at == owned_.end() || at->second.state != State::asked ? nullptr : &at->second;
}

void Paths::on_reply(const PeerId& peer, std::span<const Contact> closer) {
  if (single()) return paths_.front().on_reply(peer, closer);
  Owned* const owned = asked(peer);
  if (owned == nullptr) return;
  owned->state = State::answered;
  for (std::size_t path = 0; path < paths_.size(); ++path)
    paths_[path].on_reply(peer, path == owned->path ? closer : std::span<const Contact>());
}

void Paths::on_failure(const PeerId& peer) {
  if (single()) return paths_.front().on_failure(peer);
  Owned* const owned = asked(peer);
  if (owned == nullptr) return;
  owned->state = State::failed;
  for (Lookup& path : paths_) path.on_failure(peer);
}

std::vector<PeerId> Paths::withdraw() {
  if (single()) return paths_.front().withdraw();
  for (Lookup& path : paths_) path.withdraw();
  std::vector<PeerId> peers;
  for (auto& [peer, owned] : owned_) {
    if (owned.state != State::asked) continue;
    owned.state = State::failed;
    peers.push_back(peer);
  }
  return peers;
}

namespace {

std::vector<Contact> in_order(std::map<Distance, Contact> by_distance) {
  std::vector<Contact> contacts;
  contacts.reserve(by_distance.size());
  for (auto& [apart, contact] : by_distance) contacts.push_back(std::move(contact));
  return contacts;
}

}  // namespace

std::vector<Contact> Paths::answered(std::size_t most) const {
  if (single()) return paths_.front().answered(most);
  std::map<Distance, Contact> all;
  for (const Lookup& path : paths_)
    for (Contact& contact : path.answered(most)) {
      const Distance apart = away(contact.peer);
      all.emplace(apart, std::move(contact));
    }
  return in_order(std::move(all));
}

// Where one path has failed to reach a peer that another has only heard of, it did not answer.
std::vector<Contact> Paths::known(std::size_t most) const {
  if (single()) return paths_.front().known(most);
  std::map<Distance, Contact> all;
  for (const Lookup& path : paths_)
    for (Contact& contact : path.known(most)) {
      const auto owned = owned_.find(contact.peer);
      if (owned != owned_.end() && owned->second.state == State::failed) continue;
      const Distance apart = away(contact.peer);
      all.emplace(apart, std::move(contact));
    }
  return in_order(std::move(all));
}

const Contact* Paths::heard_of(const PeerId& peer) const {
  for (const Lookup& path : paths_)
    if (const Contact* const heard = path.heard_of(peer)) return heard;
  return nullptr;
}

Lookup::Counts Paths::counts() const {
  if (single()) return paths_.front().counts();
  Lookup::Counts counts;
  for (const auto& [peer, owned] : owned_) {
    ++counts.asked;
    if (owned.state == State::answered) ++counts.answered;
    if (owned.state == State::failed) ++counts.failed;
  }
  for (const Lookup& path : paths_) counts.hops = std::max(counts.hops, path.counts().hops);
  return counts;
}

}  // namespace kadmesh
