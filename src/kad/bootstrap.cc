#include "kad/bootstrap.h"

#include <algorithm>

#include "base/jitter.h"
#include "kad/params.h"

namespace kadmesh {
namespace {

// None where no address is public: such are of one site, and not counted.
std::optional<Subnet> network_of(const std::vector<Multiaddr>& addrs) {
  for (const Multiaddr& addr : addrs)
    if (const auto network = public_subnet(addr)) return network;
  return std::nullopt;
}

Duration backoff(Turn turn, Time down_since) {
  const Duration outage = turn.now.mono - down_since;
  return full_jitter(turn.rng,
                     std::clamp(outage / kBackoffShare, kLeastDialBackoff, kMostDialBackoff));
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
                                   Turn start, Duration merge_every)
    : self_(self), short_since_(start.now.mono), merge_every_(merge_every) {
  merge_later(start);
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

// Not all nodes at once.
void BootstrapMachine::merge_later(Turn turn) {
  merge_due_ = after(turn.now.mono, merge_every_ / 2 + full_jitter(turn.rng, merge_every_ / 2));
}

bool BootstrapMachine::merges() const { return !short_of_live() && !places_.empty(); }

// At once, but not all nodes that lost it at the same instant.
void BootstrapMachine::on_disconnected(Turn turn, const PeerId& peer) {
  for (Place& place : places_) {
    if (place.peer != peer) continue;
    place.connected = false;
    place.down_since = turn.now.mono;
    place.due = after(turn.now.mono, full_jitter(turn.rng, kLeastDialBackoff));
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
    place.due = after(patience_of(place), full_jitter(turn.rng, kLeastDialBackoff));
  }
}

Time BootstrapMachine::patience_of(const Place& place) const {
  const bool seeded = !places_.empty() && places_.front().seed;
  return place.seed || !seeded ? short_since_ : after(short_since_, kPoolPatience);
}

void BootstrapMachine::on_network_changed(Turn turn) {
  start_over(turn);
  merge_due_ = after(turn.now.mono, full_jitter(turn.rng, kLeastDialBackoff));
}

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
  const bool merging = std::exchange(at->merging, false);
  if (!result) return fail(turn, *at, to.text() + ": " + to_string(result.error()));
  if (merging && connected) explore_.push_back(*result);
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
  if (place.seed || live_ == 0) return;
  ++place.failures;
  save(turn, place);
}

std::optional<KadDial> BootstrapMachine::due_dial(Time now) {
  if (!short_of_live() || dialing() >= kMostDials) return std::nullopt;
  for (Place& place : places_)
    if (dialable(place) && place.due <= now) return dial(place, now);
  return std::nullopt;
}

std::optional<KadDial> BootstrapMachine::due_merge(Turn turn) {
  if (!merges() || turn.now.mono < merge_due_) return std::nullopt;
  merge_later(turn);
  const auto rank = [](const Place& p) {
    return std::pair(p.connected || p.dialing, p.last_attempt);
  };
  Place& untried = *std::ranges::min_element(places_, {}, rank);
  if (rank(untried).first) return std::nullopt;
  untried.merging = true;
  return dial(untried, turn.now.mono);
}

KadDial BootstrapMachine::dial(Place& place, Time now) {
  place.dialing = place.addrs[place.next_addr % place.addrs.size()];
  place.last_attempt = now;
  place.dial_until = after(now, kDialDeadline + kDialGrace);
  ++attempts_;
  return KadDial{*place.dialing, after(now, kDialDeadline)};
}

// Answers are owed by the deadline; one that never comes must not keep its place for ever.
void BootstrapMachine::give_up_dials(Turn turn) {
  for (Place& place : places_) {
    if (!place.dialing || turn.now.mono < place.dial_until) continue;
    place.dialing.reset();
    place.merging = false;
    fail(turn, place, place.addrs.front().text() + ": no answer to the dial");
  }
}

std::optional<BootstrapMachine::Wish> BootstrapMachine::poll(Turn turn) {
  give_up_dials(turn);
  drop_the_dead();
  if (!to_store_.empty()) {
    StoreRequest request = std::move(to_store_.front());
    to_store_.pop_front();
    return request;
  }
  if (!explore_.empty()) {
    const Explore next{explore_.front()};
    explore_.pop_front();
    return next;
  }
  if (auto dial = due_dial(turn.now.mono)) return *std::move(dial);
  if (auto dial = due_merge(turn)) return *std::move(dial);
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
  Time next = merges() ? std::min(next_dial(), merge_due_) : next_dial();
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
void BootstrapMachine::on_worked(Turn turn, const PeerId& peer, const std::vector<Dialable>& addrs,
                                 const std::optional<Subnet>& seen_in) {
  std::vector<Multiaddr> places;
  for (const Dialable& addr : addrs)
    if (places.size() < kMostPoolAddrs) places.push_back(addr.addr().with_peer(peer));
  if (places.empty()) return;
  Place* place = place_of(peer);
  if (place && place->seed) return;
  const bool known = place != nullptr;
  const auto network = seen_in ? seen_in : network_of(places);
  if (!known && (pool(true) >= kMostPool - kLostPlaces || !make_room(network, turn.now.wall)))
    return;
  if (!known) place = &add_to_pool(turn, {peer, places, 0, turn.now.wall}, network);
  place->network = network;
  place->connected = true;
  const bool news = !known || place->addrs != places || place->failures > 0;
  if (!news && turn.now.mono < after(place->saved, kPoolRefresh)) return;
  place->addrs = std::move(places);
  place->failures = 0;
  place->served = turn.now.wall;
  save(turn, *place);
}

BootstrapMachine::Place& BootstrapMachine::add_to_pool(Turn turn, const PoolRow& peer,
                                                       const std::optional<Subnet>& network) {
  Place& place = places_.emplace_back();
  place.network = network;
  place.addrs = peer.addrs;
  place.peer = peer.peer;
  place.failures = peer.failures;
  place.served = peer.served;
  place.down_since = turn.now.mono;
  place.due = after(patience_of(place), full_jitter(turn.rng, kLeastDialBackoff));
  return place;
}

std::size_t BootstrapMachine::pool(bool connected) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      places_, [&](const Place& p) { return !p.seed && p.connected == connected; }));
}

// For one more of the pool: in its network, and in all.
bool BootstrapMachine::make_room(const std::optional<Subnet>& comer, WallTime now) {
  const auto near = [&](const Place& p) { return !p.seed && p.network == comer; };
  const bool crowded =
      comer && static_cast<std::size_t>(std::ranges::count_if(places_, near)) >= kMostPoolOfSubnet;
  if (crowded) return displace(now, near);
  if (pool(true) + pool(false) < kMostPool) return true;
  return pool(false) > kLostPlaces && displace(now, [](const Place& p) { return !p.seed; });
}

// Who is connected, or may be in a moment, stays.
template <class Among>
bool BootstrapMachine::displace(WallTime now, Among among) {
  auto worst = places_.end();
  for (auto at = places_.begin(); at != places_.end(); ++at)
    if (!at->connected && !at->dialing && among(*at) &&
        (worst == places_.end() || staleness(*at, now) > staleness(*worst, now)))
      worst = at;
  if (worst == places_.end()) return false;
  to_store_.push_back(Erase{Kind::pool, to_bytes(worst->peer->bytes()), {}});
  places_.erase(worst);
  return true;
}

Duration BootstrapMachine::staleness(const Place& place, WallTime now) {
  const WallTime served = std::clamp<WallTime>(place.served, now - kPoolTtl, now - 1s);
  return (now - served) * (std::int64_t{1} << std::min(place.failures, kMostPoolFailures));
}

void BootstrapMachine::drop_the_dead() {
  std::erase_if(places_, [&](const Place& p) {
    if (p.failures < kMostPoolFailures || p.connected || p.dialing) return false;
    to_store_.push_back(Erase{Kind::pool, to_bytes(p.peer->bytes()), {}});
    return true;
  });
}

void BootstrapMachine::save(Turn turn, Place& place) {
  place.saved = turn.now.mono;
  to_store_.push_back(Save{to_row({*place.peer, place.addrs, place.failures, place.served})});
}

void BootstrapMachine::on_pool(Turn turn, const StoreRows& rows) {
  for (const Row& row : rows) {
    const auto known = to_pool_row(row);
    if (!known || known->peer == self_ || place_of(known->peer)) continue;
    const auto network = network_of(known->addrs);
    if (make_room(network, turn.now.wall)) add_to_pool(turn, *known, network);
  }
}

}  // namespace kadmesh
