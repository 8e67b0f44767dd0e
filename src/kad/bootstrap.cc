#include "kad/bootstrap.h"

#include <algorithm>

#include "kad/params.h"
#include "kad/wire.h"

namespace kadmesh {
namespace {

// In (0, most]: full jitter.
Duration drawn(Turn turn, Duration most) {
  return Duration(
      1 + static_cast<std::int64_t>(turn.rng.below(static_cast<std::uint64_t>(most.count()))));
}

Duration backoff(Turn turn, Time down_since) {
  const Duration outage = turn.now.mono - down_since;
  return drawn(turn, std::clamp(outage / kBackoffShare, kLeastDialBackoff, kMostDialBackoff));
}

}  // namespace

std::string_view name(Bootstrap state) {
  switch (state) {
    case Bootstrap::no_seeds:
      return "no_seeds";
    case Bootstrap::dialing:
      return "dialing";
    case Bootstrap::joined:
      return "joined";
    case Bootstrap::isolated:
      return "isolated";
  }
  return "unknown";
}

BootstrapMachine::BootstrapMachine(const PeerId& self, const std::vector<Multiaddr>& seeds,
                                   Turn start)
    : self_(self), short_since_(start.now.mono) {
  for (const Multiaddr& seed : seeds) {
    const auto same = [&](const Place& p) { return p.addrs.front() == seed; };
    if (seed.peer() == self || std::ranges::any_of(places_, same)) continue;
    Place place;
    place.addrs = {seed};
    place.peer = seed.peer();
    place.seed = true;
    place.down_since = place.due = start.now.mono;
    places_.push_back(std::move(place));
  }
}

BootstrapMachine::Place* BootstrapMachine::place_of(const PeerId& peer) {
  const auto at = std::ranges::find(places_, std::optional(peer), &Place::peer);
  return at == places_.end() ? nullptr : &*at;
}

bool BootstrapMachine::short_of_live() const { return live_ < kWantedLive; }

bool BootstrapMachine::dialable(const Place& place) const {
  return !place.connected && !place.dialing && short_of_live();
}

std::size_t BootstrapMachine::dialing() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(places_, [](const Place& p) { return p.dialing.has_value(); }));
}

void BootstrapMachine::on_connected(const PeerId& peer) {
  for (Place& place : places_) {
    if (place.peer != peer) continue;
    place.connected = true;
    place.failed = false;
  }
}

// At once, but not all nodes that lost it at the same instant.
void BootstrapMachine::on_disconnected(Turn turn, const PeerId& peer) {
  for (Place& place : places_) {
    if (place.peer != peer) continue;
    place.connected = false;
    place.down_since = turn.now.mono;
    place.due = after(turn.now.mono, drawn(turn, kLeastDialBackoff));
  }
}

void BootstrapMachine::on_live(Turn turn, std::size_t live) {
  const bool was_short = short_of_live();
  const bool fewer = live < live_;
  live_ = live;
  if (live_ > 0) attempts_ = 0;
  if (fewer && short_of_live() && !was_short) start_over(turn);
  if (fewer && live_ == 0) start_over(turn);
}

// What happened before says nothing about now.
void BootstrapMachine::start_over(Turn turn) {
  short_since_ = turn.now.mono;
  for (Place& place : places_) {
    if (place.connected) continue;
    place.failed = false;
    place.down_since = turn.now.mono;
    place.due = after(patience_of(place), drawn(turn, kLeastDialBackoff));
  }
}

Time BootstrapMachine::patience_of(const Place& place) const {
  const bool seeded = !places_.empty() && places_.front().seed;
  return place.seed || !seeded ? short_since_ : after(short_since_, kPoolPatience);
}

void BootstrapMachine::on_network_changed(Turn turn) { start_over(turn); }

void BootstrapMachine::on_demand(Turn turn) {
  for (Place& place : places_) {
    const Time soonest = std::max(patience_of(place), after(place.last_attempt, kLeastDialBackoff));
    if (dialable(place)) place.due = std::min(place.due, std::max(turn.now.mono, soonest));
  }
}

void BootstrapMachine::on_dialed(Turn turn, const Multiaddr& to, const Result<PeerId>& result,
                                 bool connected) {
  const auto at = std::ranges::find(places_, std::optional(to), &Place::dialing);
  if (at == places_.end()) return;
  at->dialing.reset();
  if (!result) return fail(turn, *at, to.text() + ": " + to_string(result.error()));
  if (!at->peer) at->peer = *result;  // an address without /p2p: now it is known whose it is
  if (connected) return on_connected(*at->peer);
  on_disconnected(turn, *at->peer);
}

void BootstrapMachine::on_unfit(Turn turn, const PeerId& peer, const std::string& why) {
  for (Place& place : places_)
    if (place.peer == peer) fail(turn, place, place.addrs.front().text() + ": " + why);
}

void BootstrapMachine::fail(Turn turn, Place& place, std::string why) {
  place.failed = true;
  ++place.next_addr;
  place.due = after(turn.now.mono, backoff(turn, place.down_since));
  last_failure_ = std::move(why);
}

std::optional<KadDial> BootstrapMachine::due_dial(Time now) {
  if (!short_of_live() || dialing() >= kMostDials) return std::nullopt;
  for (Place& place : places_) {
    if (!dialable(place) || place.due > now) continue;
    place.dialing = place.addrs[place.next_addr % place.addrs.size()];
    place.last_attempt = now;
    place.dial_until = after(now, kDialDeadline + kDialGrace);
    ++attempts_;
    return KadDial{*place.dialing, after(now, kDialDeadline)};
  }
  return std::nullopt;
}

// Answers are owed by the deadline; one that never comes must not keep its place for ever.
void BootstrapMachine::give_up_dials(Turn turn) {
  for (Place& place : places_) {
    if (!place.dialing || turn.now.mono < place.dial_until) continue;
    place.dialing.reset();
    fail(turn, place, place.addrs.front().text() + ": no answer to the dial");
  }
}

std::optional<std::variant<KadDial, StoreRequest>> BootstrapMachine::poll(Turn turn) {
  give_up_dials(turn);
  if (!to_store_.empty()) {
    StoreRequest request = std::move(to_store_.front());
    to_store_.pop_front();
    return request;
  }
  if (auto dial = due_dial(turn.now.mono)) return *std::move(dial);
  return std::nullopt;
}

Time BootstrapMachine::next_dial() const {
  Time next = kNever;
  if (!short_of_live() || dialing() >= kMostDials) return next;
  for (const Place& place : places_)
    if (dialable(place)) next = std::min(next, place.due);
  return next;
}

Time BootstrapMachine::next_timer() const {
  Time next = next_dial();
  for (const Place& place : places_)
    if (place.dialing) next = std::min(next, place.dial_until);
  return next;
}

bool BootstrapMachine::hopeful() const {
  return std::ranges::any_of(places_, [](const Place& p) { return p.seed || !p.failed; });
}

BootstrapStatus BootstrapMachine::status() const {
  BootstrapStatus status{Bootstrap::joined, live_, attempts_, next_dial(), last_failure_};
  if (live_ > 0) return status;
  const auto failed = [](const Place& p) { return p.failed && !p.dialing; };
  if (places_.empty())
    status.state = Bootstrap::no_seeds;
  else
    status.state = std::ranges::all_of(places_, failed) ? Bootstrap::isolated : Bootstrap::dialing;
  return status;
}

// --- the pool
void BootstrapMachine::on_worked(Turn turn, const PeerId& peer,
                                 const std::vector<Dialable>& addrs) {
  std::vector<Multiaddr> places;
  for (const Dialable& addr : addrs)
    if (places.size() < kMostPoolAddrs) places.push_back(addr.addr().with_peer(peer));
  if (places.empty()) return;
  Place* const known = place_of(peer);
  if (known && known->seed) return;
  if (known) {
    if (known->addrs == places && turn.now.mono < after(known->saved, kPoolRefresh)) return;
    known->addrs = std::move(places);
    known->connected = true;
    return save(turn, *known);
  }
  if (!make_room()) return;
  add_to_pool(turn, peer, std::move(places), true);
  save(turn, places_.back());
}

void BootstrapMachine::add_to_pool(Turn turn, const PeerId& peer, std::vector<Multiaddr> addrs,
                                   bool connected) {
  Place place;
  place.addrs = std::move(addrs);
  place.peer = peer;
  place.connected = connected;
  place.down_since = turn.now.mono;
  place.due = after(patience_of(place), drawn(turn, kLeastDialBackoff));
  places_.push_back(std::move(place));
}

// Of a full pool the one that has been out of reach longest goes. Who is connected stays.
bool BootstrapMachine::make_room() {
  const auto pool = static_cast<std::size_t>(std::ranges::count(places_, false, &Place::seed));
  if (pool < kMostPool) return true;
  const auto rank = [](const Place& p) {
    return std::pair(p.seed || p.connected || p.dialing, p.down_since);
  };
  const auto longest = std::ranges::min_element(places_, {}, rank);
  if (longest == places_.end() || rank(*longest).first) return false;
  to_store_.push_back(Erase{Kind::pool, to_bytes(longest->peer->bytes()), {}});
  places_.erase(longest);
  return true;
}

void BootstrapMachine::save(Turn turn, Place& place) {
  place.saved = turn.now.mono;
  Row row;
  row.kind = Kind::pool;
  row.key = to_bytes(place.peer->bytes());
  row.value = encode_addrs(place.addrs);
  row.received = turn.now.wall;
  row.expires = after(turn.now.wall, kPoolTtl);
  to_store_.push_back(Save{std::move(row)});
}

void BootstrapMachine::on_pool(Turn turn, const StoreRows& rows) {
  for (const Row& row : rows) {
    const auto peer = PeerId::from_bytes(row.key);
    auto addrs = decode_addrs(row.value);
    if (!peer || *peer == self_ || addrs.empty() || place_of(*peer)) continue;
    if (!make_room()) return;
    add_to_pool(turn, *peer, std::move(addrs), false);
  }
}

}  // namespace kadmesh
