#include "kad/lookup.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "kad/params.h"

namespace kadmesh {

const Distance* Lookup::known_at(const PeerId& peer) const {
  const auto found = distances_.find(peer);
  return found == distances_.end() ? nullptr : &found->second;
}

const Lookup::Candidate& Lookup::candidate_at(const Distance& apart) const {
  const auto found = candidates_.find(apart);
  return found == candidates_.end() ? failed_.at(apart) : found->second;
}

Lookup::Candidate& Lookup::candidate_at(const Distance& apart) {
  const auto found = candidates_.find(apart);
  return found == candidates_.end() ? failed_.at(apart) : found->second;
}

void Lookup::add(const Contact& contact) {
  const Distance* const known = known_at(contact.peer);
  const auto failed = known == nullptr ? failed_.end() : failed_.find(*known);
  if (failed == failed_.end()) return hear(contact, 1);
  failed->second.state = State::heard;
  candidates_.insert(failed_.extract(failed));
}

void Lookup::hear(const Contact& contact, std::size_t hop) {
  if (contact.peer == self_) return;
  if (const Distance* const known = known_at(contact.peer))
    return merge(candidate_at(*known).contact, contact.addrs);
  if (distances_.size() >= kMostCandidates) make_room();
  if (distances_.size() >= kMostCandidates) return;
  const Distance apart = away(contact.peer);
  distances_.emplace(contact.peer, apart);
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
  if (farthest == candidates_.rend()) return;
  distances_.erase(farthest->second.contact.peer);
  candidates_.erase(std::prev(farthest.base()));
}

// --- what comes next
struct Lookup::Reach {
  WalkView walk{};
  std::size_t in_flight = 0;
  Time stalls = kNever;                         // the next of those in flight
  std::vector<Candidates::const_iterator> ask;  // the closest to ask, and who equals it
};

namespace {

unsigned leading_zeros(const Distance& distance) {
  unsigned zeros = 0;
  for (const std::uint8_t byte : distance.bytes) {
    zeros += static_cast<unsigned>(std::countl_zero(byte));
    if (byte != 0) break;
  }
  return zeros;
}

}  // namespace

// In reach are the k closest, and one more for each of them that is silent: it is stood in for.
Lookup::Reach Lookup::look(Time now) const {
  Reach reach;
  reach.walk.known = candidates_.size();
  for (const Distance& apart : asked_) {
    const Time stalls = candidates_.at(apart).stalls;
    if (now >= stalls) continue;
    ++reach.in_flight;
    reach.stalls = std::min(reach.stalls, stalls);
  }
  std::size_t seen = 0, in_reach = params_.k;
  for (auto at = candidates_.begin(); at != candidates_.end() && seen < in_reach; ++at, ++seen) {
    const Candidate& candidate = at->second;
    const bool among_k = seen < params_.k;
    if (among_k && candidate.state == State::answered && reach.walk.answered++ == seen)
      ++reach.walk.leading;
    if (among_k && candidate.state == State::asked && now >= candidate.stalls) ++in_reach;
    if (candidate.state != State::heard || reach.ask.size() >= params_.alpha) continue;
    if (reach.ask.empty() || leading_zeros(at->first) == leading_zeros(reach.ask.front()->first))
      reach.ask.push_back(at);
  }
  return reach;
}

Lookup::Step Lookup::next(Time now, const Acquaintance& known) {
  using Verdict = Termination::Verdict;
  if (now >= deadline_) return Finished{End::expired};
  const Reach reach = look(now);
  const Verdict verdict = policies_.termination->judge(reach.walk, params_);
  if (verdict == Verdict::done || (reach.ask.empty() && asked_.empty()))
    return Finished{reach.walk.answered == 0 ? End::starved : End::converged};
  const std::size_t most = verdict == Verdict::widen ? params_.k : params_.alpha;
  if (!reach.ask.empty() && reach.in_flight < most) return ask(now, reach, known);
  return Wait{std::min(reach.stalls, deadline_), reach.in_flight == 0};
}

Lookup::Step Lookup::ask(Time now, const Reach& reach, const Acquaintance& known) {
  std::size_t chosen = 0;
  if (reach.ask.size() > 1) {
    std::vector<const Contact*> equals;
    equals.reserve(reach.ask.size());
    for (const auto& at : reach.ask) equals.push_back(&at->second.contact);
    chosen = policies_.ordering->pick(equals, known);
    KAD_CHECK(chosen < equals.size());
  }
  const Distance& apart = reach.ask[chosen]->first;
  Candidate& whom = candidates_.at(apart);
  whom.state = State::asked;
  whom.stalls = after(now, kStall);
  asked_.push_back(apart);
  return Ask{whom.contact};
}

// --- what came of it
Lookup::Candidate* Lookup::asked(const PeerId& peer) {
  const Distance* const known = known_at(peer);
  if (known == nullptr) return nullptr;
  Candidate& whom = candidate_at(*known);
  return whom.state == State::asked ? &whom : nullptr;
}

void Lookup::stalls(const PeerId& peer, Time when) {
  if (Candidate* const whom = asked(peer)) whom->stalls = when;
}

void Lookup::on_reply(const PeerId& peer, std::span<const Contact> closer) {
  Candidate* const from = asked(peer);
  if (from == nullptr) return;
  from->state = State::answered;
  std::erase(asked_, *known_at(peer));
  const std::size_t hop = from->hop + 1;
  for (const Contact& contact : closer.first(std::min(closer.size(), 2 * params_.k)))
    hear(contact, hop);
}

void Lookup::on_failure(const PeerId& peer) {
  if (asked(peer) == nullptr) return;
  const Distance apart = *known_at(peer);
  std::erase(asked_, apart);
  fail(candidates_.find(apart));
}

void Lookup::fail(Candidates::iterator which) {
  which->second.state = State::failed;
  failed_.insert(candidates_.extract(which));
}

std::vector<PeerId> Lookup::withdraw() {
  std::ranges::sort(asked_);
  std::vector<PeerId> peers;
  for (const Distance& apart : asked_) {
    const auto at = candidates_.find(apart);
    peers.push_back(at->second.contact.peer);
    fail(at);
  }
  asked_.clear();
  return peers;
}

// --- what is known
template <class Wanted>
std::vector<Contact> Lookup::closest(std::size_t most, Wanted wanted) const {
  std::vector<Contact> contacts;
  for (auto at = candidates_.begin(); at != candidates_.end() && contacts.size() < most; ++at)
    if (wanted(at->second.state)) contacts.push_back(at->second.contact);
  return contacts;
}

std::vector<Contact> Lookup::answered(std::size_t most) const {
  return closest(most, [](State state) { return state == State::answered; });
}

std::vector<Contact> Lookup::known(std::size_t most) const {
  return closest(most, [](State) { return true; });
}

const Contact* Lookup::heard_of(const PeerId& peer) const {
  const Distance* const known = known_at(peer);
  return known == nullptr ? nullptr : &candidate_at(*known).contact;
}

Lookup::Counts Lookup::counts() const {
  Counts counts{failed_.size(), 0, failed_.size(), 0};
  for (const auto& [apart, candidate] : candidates_) {
    if (candidate.state == State::heard) continue;
    ++counts.asked;
    if (candidate.state != State::answered) continue;
    ++counts.answered;
    counts.hops = std::max(counts.hops, candidate.hop);
  }
  return counts;
}

}  // namespace kadmesh
