#include "sim/network.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/network_kinds.h"

namespace kadmesh {

std::size_t Network::AddressHash::operator()(const Endpoint& of) const noexcept {
  std::uint64_t low = 0, high = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    low = low << 8 | of.host[i];
    high = high << 8 | of.host[i + 8];
  }
  return mixed(mixed(low) ^ high ^ of.port);
}

Network::Network(std::uint64_t seed, LinkConfig link, AddressPlan plan, Calendar& calendar,
                 NetworkUser& user)
    : seed_(derived(seed, "network")),
      link_(std::move(link)),
      plan_(plan),
      calendar_(calendar),
      user_(user) {
  KAD_CHECK(link_.window > 0);
}

// --- hosts
HostId Network::add_host(const HostConfig& config) {
  const auto id = static_cast<HostId>(hosts_.size());
  Host host;
  host.region = config.region.value_or(region_of(link_.latency, seed_, id));
  host.limit = config.connections;
  host.up.rate = config.rates.up;
  host.down.rate = config.rates.down;
  rates_ = rates_ || host.up.rate > 0 || host.down.rate > 0;
  host.nat = config.nat;
  if (config.nat) {
    auto& inner = nats_.at(static_cast<std::size_t>(*config.nat)).inner;
    const std::size_t n = inner.size() + 2;  // .1 is the NAT itself
    host.address = config.address.value_or(
        ipv4(192, 168, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)));
    KAD_CHECK(inner.emplace(host.address, id).second);
  } else {
    host.address = config.address.value_or(planned_address(plan_, seed_, id));
    KAD_CHECK(addresses_.emplace(host.address, Somewhere{.host = id}).second);
  }
  hosts_.push_back(std::move(host));
  return id;
}

// Its outer address is of 198.18.0.0/15, where no planned host is.
NatId Network::add_nat(const NatConfig& config) {
  const auto n = static_cast<std::uint32_t>(nats_.size());
  const Endpoint outer = ipv4(198, static_cast<std::uint8_t>(18 + (n >> 16 & 1)),
                              static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n));
  nats_.push_back({Nat(config, outer, derived(seed_, "nat", n)), {}});
  addresses_.emplace(outer, Somewhere{.nat = NatId{n}});
  return NatId{n};
}

Endpoint Network::address(HostId host, std::uint16_t port) const {
  Endpoint at = hosts_.at(host).address;
  at.port = port;
  return at;
}

Result<Endpoint> Network::forward(HostId host, std::uint16_t port, std::uint16_t outer_port) {
  if (!hosts_.at(host).nat) return fail(Errc::invalid, "not behind a NAT");
  Nat& nat = nats_[static_cast<std::size_t>(*hosts_[host].nat)].nat;
  if (!nat.forward(outer_port, address(host, port))) return fail(Errc::invalid, "port is taken");
  Endpoint at = nat.outer();
  at.port = outer_port;
  return at;
}

Duration Network::one_way(HostId a, HostId b) const {
  return kadmesh::one_way(link_.latency, seed_, a, hosts_[a].region, b, hosts_[b].region);
}

// --- events
void Network::post(Time when, Kind kind, std::uint32_t at, std::uint32_t detail) {
  const std::uint64_t life = pipes_[at >> 1].life;
  calendar_.push({when, static_cast<std::uint32_t>(kind), at, life << 32 | detail});
}

void Network::post_line(Time when, Kind kind, HostId host, std::uint32_t size) {
  calendar_.push({when, static_cast<std::uint32_t>(kind), host, size});
}

bool Network::for_process(const CalendarEvent& event) {
  return event.kind >= static_cast<std::uint32_t>(Kind::first_for_process);
}

HostId Network::host_of(const CalendarEvent& event) const { return end(event.which).host; }

bool Network::stale(const CalendarEvent& event) const {
  const Pipe& pipe = pipes_[event.which >> 1];
  if (pipe.life != event.what >> 32) return true;
  const State state = pipe.ends[event.which & 1].state;
  const auto kind = static_cast<Kind>(event.kind);
  if (kind == Kind::tell_failed) return state != State::dialing;
  if (kind == Kind::tell_accepted) return state != State::knocking;
  if (kind == Kind::tell_closed) return state != State::over;
  if (kind == Kind::tell_dialed)
    return state != State::knocking && state != State::open && state != State::over;
  if (state != State::open) return true;
  if (kind == Kind::tell_written) return pipe.ways[event.which & 1].backed_up;
  return !pipe.ends[event.which & 1].wanted || pipe.ways[other(event.which) & 1].ready.empty();
}

// Connections are many and their turns far apart: what the next event is about is seldom in the
// processor's cache, and can come while this one is handled.
void Network::fetch_ahead() const {
  const CalendarEvent* next = calendar_.peek();
  if (!next || !handles(*next) || next->which >> 1 >= pipes_.capacity()) return;
  const Pipe& pipe = pipes_[next->which >> 1];
  __builtin_prefetch(&pipe);
  __builtin_prefetch(&pipe.ways[next->which & 1]);
}

void Network::handle(const CalendarEvent& event) {
  const auto kind = static_cast<Kind>(event.kind);
  const auto detail = static_cast<std::uint32_t>(event.what);
  const std::uint32_t at = event.which;
  fetch_ahead();
  if (kind == Kind::up_served) return on_served(kUp, at, detail);
  if (kind == Kind::down_served) return on_served(kDown, at, detail);
  if (pipes_[at >> 1].life != event.what >> 32) return;
  switch (kind) {
    case Kind::syn:
      return send_syn(at, detail);
    case Kind::syn_arrives:
      return on_syn(at, detail);
    case Kind::syn_ack_arrives:
      return on_syn_ack(at, detail);
    case Kind::ack_arrives:
      return on_ack(at);
    case Kind::landing:
      return on_landing(at);
    case Kind::credit:
      return credit(at, detail);
    case Kind::reset_arrives:
      return on_reset(at);
    case Kind::give_up:
      return on_give_up(at);
    case Kind::flush_deadline:
      return on_flush_deadline(at);
    case Kind::up_served:
    case Kind::down_served:
      return;
    case Kind::tell_dialed:
      return tell_dialed(at);
    case Kind::tell_failed:
      return tell_failed(at, static_cast<Cause>(detail));
    case Kind::tell_accepted:
      return tell_accepted(at);
    case Kind::tell_written:
      return tell_written(at);
    case Kind::tell_closed:
      return tell_closed(at);
    case Kind::deliver:
      end(at).delivering = false;
      return deliver(at);
  }
}

// --- trouble
bool Network::reachable(HostId from, HostId to) const {
  if (partitioned_ && hosts_[from].group != hosts_[to].group) return false;
  return cuts_.empty() || !cuts_.contains(std::uint64_t{from} << 32 | to);
}

void Network::partition(const std::vector<std::vector<HostId>>& groups) {
  for (Host& host : hosts_) host.group = 0;
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const HostId host : groups[i]) hosts_.at(host).group = static_cast<std::uint32_t>(i + 1);
  partitioned_ = true;
  unblock_all();
}

void Network::end_partition() {
  partitioned_ = false;
  unblock_all();
}

void Network::cut(HostId from, HostId to) { cuts_.insert(std::uint64_t{from} << 32 | to); }

void Network::heal() {
  cuts_.clear();
  end_partition();
}

void Network::heal(HostId from, HostId to) {
  cuts_.erase(std::uint64_t{from} << 32 | to);
  unblock(to);
}

void Network::unblock_all() {
  for (HostId host = 0; host < hosts_.size(); ++host) unblock(host);
}

void Network::reset_all(HostId host) {
  hosts_.at(host).listening.clear();
  while (!hosts_[host].sockets.empty()) {
    const std::uint32_t at = hosts_[host].sockets.back();
    if (end(at).state != State::dialing && end(at).state != State::over) send_reset(at);
    abandon(at);
  }
}

void Network::vanish(HostId host) {
  hosts_.at(host).listening.clear();
  if (!std::exchange(hosts_[host].dark, true)) ++dark_;
  while (!hosts_[host].sockets.empty()) abandon(hosts_[host].sockets.back());
}

void Network::power_up(HostId host) {
  if (std::exchange(hosts_.at(host).dark, false)) --dark_;
  unblock(host);
}

std::vector<std::uint32_t> Network::between(HostId a, HostId b) const {
  std::vector<std::uint32_t> found;
  for (const std::uint32_t at : hosts_.at(a).sockets)
    if (end(other(at)).host == b && end(other(at)).state != State::gone) found.push_back(at);
  return found;
}

void Network::reset_between(HostId a, HostId b, const char* why) {
  why_cut_ = why;
  for (const std::uint32_t at : between(a, b))
    for (const std::uint32_t side : {at, other(at)}) end_now(side, Cause::cut);
}

bool Network::reset_some(HostId host, Luck& luck) {
  const auto& sockets = hosts_.at(host).sockets;
  const std::uint64_t draw = luck.next();
  if (sockets.empty()) return false;
  const std::uint32_t at = sockets[draw % sockets.size()];
  if (end(at).state != State::open) return false;
  send_reset(at);
  end_now(at, Cause::reset);
  return true;
}

void Network::stall(HostId a, HostId b, Duration pause) {
  for (const std::uint32_t at : between(a, b))
    for (const std::uint32_t side : {at, other(at)}) stall(side, after(now(), pause));
}

void Network::stall(std::uint32_t at, Time until) {
  Time& stalled_until = rare_way(at).stalled_until;
  stalled_until = way(at).stalled ? std::max(stalled_until, until) : until;
  way(at).stalled = true;
}

Error Network::error_of(Cause cause) const {
  switch (cause) {
    case Cause::closed:
      return {Errc::closed, "the other side closed the connection"};
    case Cause::reset:
      return {Errc::reset, "reset by the other side"};
    case Cause::refused:
      return {Errc::refused, "nobody listens there (connection refused)"};
    case Cause::silence:
      return {Errc::timeout, "no answer from that address"};
    case Cause::nowhere:
      return {Errc::refused, "nobody has that address"};
    case Cause::limit:
      return {Errc::limit, "no socket or no port is left"};
    case Cause::cut:
      return {Errc::reset, why_cut_};
  }
  return {Errc::io, "?"};
}

}  // namespace kadmesh
