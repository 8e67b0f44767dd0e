#include "kad/lookup.h"

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {

void Lookup::add(const Contact& contact) {
  const auto known = candidates_.find(distance(KadId::of(contact.peer), target_));
  if (known == candidates_.end() || known->second.state != State::failed) return hear(contact, 1);
  known->second.state = State::heard;
}

void Lookup::hear(const Contact& contact, std::size_t hop) {
  if (contact.peer == self_) return;
  const Distance apart = distance(KadId::of(contact.peer), target_);
  if (const auto known = candidates_.find(apart); known != candidates_.end())
    return merge(known->second.contact, contact.addrs);
  if (candidates_.size() >= kMostCandidates) make_room();
  if (candidates_.size() >= kMostCandidates) return;
  candidates_.emplace(apart, Candidate{contact, State::heard, hop, {}});
}

// Several peers may know several addresses; whoever spoke first may have lied.
void Lookup::merge(Contact& known, std::span<const Dialable> addrs) {
  for (const Dialable& addr : addrs)
    if (known.addrs.size() < kMostAddrs &&
        std::ranges::find(known.addrs, addr.addr(), &Dialable::addr) == known.addrs.end())
      known.addrs.push_back(addr);
}

// The farthest that was not asked yet is the least useful.
void Lookup::make_room() {
  const auto farthest =
      std::find_if(candidates_.rbegin(), candidates_.rend(),
                   [](const auto& item) { return item.second.state == State::heard; });
  if (farthest != candidates_.rend()) candidates_.erase(std::prev(farthest.base()));
}

// The beta closest that did not fail have answered.
bool Lookup::converging() const {
  std::size_t answered = 0;
  for (const auto& [apart, candidate] : candidates_) {
    if (candidate.state == State::failed) continue;
    if (candidate.state != State::answered) return false;
    if (++answered == params_.beta) return true;
  }
  return answered > 0;
}

Lookup::Step Lookup::next(Time now) {
  if (now >= deadline_) return Finished{End::expired};
  std::size_t seen = 0, answered = 0, in_flight = 0, silent_among_k = 0;
  Candidate* best = nullptr;
  Time stalls = kNever;
  for (auto& [apart, candidate] : candidates_) {
    if (candidate.state == State::failed) continue;
    const bool asked = candidate.state == State::asked;
    const bool silent = asked && now >= after(candidate.asked_at, kStall);
    const bool among_k = seen++ < params_.k;
    if (asked && !silent) {
      ++in_flight;
      stalls = std::min(stalls, after(candidate.asked_at, kStall));
    }
    if (among_k && candidate.state == State::answered) ++answered;
    if (among_k && silent) ++silent_among_k;
    // A silent one among the k is stood in for by the next one out.
    const bool in_reach = seen <= params_.k + silent_among_k;
    if (in_reach && !best && candidate.state == State::heard) best = &candidate;
  }
  if (answered == std::min(seen, params_.k))
    return Finished{answered == 0 ? End::starved : End::converged};
  if (best && in_flight < (converging() ? params_.k : params_.alpha)) {
    best->state = State::asked;
    best->asked_at = now;
    return Ask{best->contact};
  }
  return Wait{std::min(stalls, deadline_), in_flight == 0};
}

Lookup::Candidate* Lookup::asked(const PeerId& peer) {
  const auto found = candidates_.find(distance(KadId::of(peer), target_));
  if (found == candidates_.end() || found->second.state != State::asked) return nullptr;
  return &found->second;
}

void Lookup::on_reply(const PeerId& peer, std::span<const Contact> closer) {
  Candidate* const from = asked(peer);
  if (from == nullptr) return;
  from->state = State::answered;
  const std::size_t hop = from->hop + 1;
  for (const Contact& contact : closer.first(std::min(closer.size(), 2 * params_.k)))
    hear(contact, hop);
}

void Lookup::on_failure(const PeerId& peer) {
  if (Candidate* const from = asked(peer)) from->state = State::failed;
}

std::vector<PeerId> Lookup::withdraw() {
  std::vector<PeerId> peers;
  for (auto& [apart, candidate] : candidates_) {
    if (candidate.state != State::asked) continue;
    candidate.state = State::failed;
    peers.push_back(candidate.contact.peer);
  }
  return peers;
}

template <class Wanted>
std::vector<Contact> Lookup::closest(std::size_t most, Wanted wanted) const {
  std::vector<Contact> contacts;
  for (const auto& [apart, candidate] : candidates_)
    if (contacts.size() < most && wanted(candidate.state)) contacts.push_back(candidate.contact);
  return contacts;
}

std::vector<Contact> Lookup::answered(std::size_t most) const {
  return closest(most, [](State state) { return state == State::answered; });
}

std::vector<Contact> Lookup::known(std::size_t most) const {
  return closest(most, [](State state) { return state != State::failed; });
}

const Contact* Lookup::heard_of(const PeerId& peer) const {
  const auto found = candidates_.find(distance(KadId::of(peer), target_));
  return found == candidates_.end() ? nullptr : &found->second.contact;
}

Lookup::Counts Lookup::counts() const {
  Counts counts;
  for (const auto& [apart, candidate] : candidates_) {
    if (candidate.state == State::heard) continue;
    ++counts.asked;
    if (candidate.state == State::failed) ++counts.failed;
    if (candidate.state != State::answered) continue;
    ++counts.answered;
    counts.hops = std::max(counts.hops, candidate.hop);
  }
  return counts;
}

}  // namespace kadmesh
