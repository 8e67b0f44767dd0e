// How connections come to be: SYN, SYN-ACK, ACK, through NATs where there are
// some.
#include "base/check.h"
#include "sim/network.h"
#include "sim/network_kinds.h"

namespace kadmesh {
namespace {

Endpoint portless(Endpoint of) {
  of.port = 0;
  return of;
}

}  // namespace

Network::Somewhere Network::find(HostId from, const Endpoint& to) const {
  const auto& nat = hosts_[from].nat;
  if (nat) {
    const auto& inner = nats_[static_cast<std::size_t>(*nat)].inner;
    if (const auto at = inner.find(portless(to)); at != inner.end())
      return {.host = at->second, .inside = true};
  }
  const auto at = addresses_.find(portless(to));
  return at == addresses_.end() ? Somewhere{} : at->second;
}

bool Network::full(const Host& host) const {
  return host.limit > 0 && host.sockets.size() >= host.limit;
}

std::uint16_t Network::ephemeral_port(Host& host) {
  if (host.next_port < 10'000) host.next_port = 10'000;  // it wrapped
  return host.next_port++;
}

void Network::join(std::uint32_t at, HostId host) {
  end(at).host = host;
  rare_end(at).place = static_cast<std::uint32_t>(hosts_[host].sockets.size());
  hosts_[host].sockets.push_back(at);
}

SocketId Network::dial(HostId from, SocketToken token, const Endpoint& to,
                       std::uint16_t local_port) {
  Host& host = hosts_.at(from);
  const std::uint32_t slot = pipes_.take();
  const std::uint32_t at = slot << 1, life = pipes_[slot].life;
  Pipe& pipe = pipes_[slot];
  pipe = Pipe{};
  pipe.life = life;
  pipe.used = true;
  const std::uint64_t luck = mixed(seed_ ^ mixed(std::uint64_t{from} << 32 | ++host.dials));
  pipe.ways[0].luck = Luck(luck);
  pipe.ways[1].luck = Luck(mixed(luck));

  const bool none_left = full(host);
  join(at, from);
  End& dialer = pipe.ends[0];
  dialer.state = State::dialing;
  dialer.token = token;
  pipe.rare_ends[0] = {.local = address(from, local_port != 0 ? local_port : ephemeral_port(host)),
                       .remote = to,
                       .place = pipe.rare_ends[0].place,
                       .dialed_port = local_port};
  if (local_port != 0) meeting_[{from, {local_port, to}}] = at;
  if (none_left)
    refuse(at, Cause::limit, Duration::zero());
  else
    send_syn(at, 0);
  return SocketId{at};
}

void Network::adopt(SocketId socket, SocketToken token) {
  end(static_cast<std::uint32_t>(socket)).token = token;
}

void Network::send_syn(std::uint32_t dialer, std::uint32_t attempt) {
  End& from = end(dialer);
  if (from.state != State::dialing) return;
  if (attempt > kSynRetries) return refuse(dialer, Cause::silence, Duration::zero());
  const Somewhere to = find(from.host, rare_end(dialer).remote);
  if (!to.host && !to.nat) {
    if (link_.silent_nowhere) return retry_syn(dialer, attempt, Duration::zero());
    return refuse(dialer, Cause::nowhere, 2 * one_way(from.host, from.host));
  }
  Endpoint source = rare_end(dialer).local;
  if (const auto& nat = hosts_[from.host].nat; nat && !to.inside) {
    const auto left = nats_[static_cast<std::size_t>(*nat)].nat.leave(now(), rare_end(dialer).local,
                                                                      rare_end(dialer).remote);
    if (!left) return refuse(dialer, Cause::limit, Duration::zero());
    source = *left;
  }
  rare_end(other(dialer)).remote = source;

  // Behind a NAT all are as far away as the first one.
  HostId nearest = to.host.value_or(from.host);
  if (to.nat)
    if (const auto& inner = nats_[static_cast<std::size_t>(*to.nat)].inner; !inner.empty())
      nearest = inner.begin()->second;
  Pipe& pipe = pipes_[dialer >> 1];
  pipe.latency = one_way(from.host, nearest);
  Way& way = pipe.ways[0];
  if (way.luck.chance_ppm(link_.syn_loss_ppm)) return retry_syn(dialer, attempt, Duration::zero());
  post(after(now(), pipe.latency + way.luck.up_to(link_.jitter)), Kind::syn_arrives, dialer,
       attempt);
}

// It was not answered, of which the dialer knows nothing.
void Network::retry_syn(std::uint32_t dialer, std::uint32_t attempt, Duration waited) {
  const Duration pause = std::max(Duration::zero(), kSynPause * (1 << attempt) - waited);
  post(after(now(), pause), Kind::syn, dialer, attempt + 1);
}

// Where a SYN comes out, if anywhere.
std::optional<std::pair<HostId, Endpoint>> Network::let_in(std::uint32_t dialer) const {
  const End& from = end(dialer);
  const Somewhere to = find(from.host, rare_end(dialer).remote);
  if (to.host) return std::pair(*to.host, rare_end(dialer).remote);
  if (!to.nat) return std::nullopt;
  const NatBox& box = nats_[static_cast<std::size_t>(*to.nat)];
  if (hosts_[from.host].nat == to.nat && !box.nat.config().hairpins) return std::nullopt;
  const auto inner =
      box.nat.enter(now(), rare_end(dialer).remote.port, rare_end(other(dialer)).remote);
  if (!inner) return std::nullopt;
  const auto host = box.inner.find(portless(*inner));
  if (host == box.inner.end()) return std::nullopt;
  return std::pair(host->second, *inner);
}

void Network::on_syn(std::uint32_t dialer, std::uint32_t attempt) {
  if (end(dialer).state != State::dialing) return;
  const Duration latency = pipes_[dialer >> 1].latency;
  const auto to = let_in(dialer);
  if (!to || !reachable(end(dialer).host, to->first) || hosts_[to->first].dark)
    return retry_syn(dialer, attempt, latency);
  if (meet(dialer, attempt, to->first, to->second)) return;
  if (!hosts_[to->first].listening.contains(to->second.port))
    return refuse(dialer, Cause::refused, latency);
  if (full(hosts_[to->first]) || way(other(dialer)).luck.chance_ppm(link_.syn_loss_ppm))
    return retry_syn(dialer, attempt, latency);
  answer_syn(dialer, attempt, to->first, to->second);
}

void Network::answer_syn(std::uint32_t dialer, std::uint32_t attempt, HostId target,
                         const Endpoint& local) {
  const std::uint32_t acceptor = other(dialer);
  join(acceptor, target);
  end(acceptor).state = State::opening;
  rare_end(acceptor).local = local;
  Way& back = way(acceptor);
  const Time when = after(now(), pipes_[dialer >> 1].latency + back.luck.up_to(link_.jitter));
  back.last_arrival = when;
  post(when, Kind::syn_ack_arrives, dialer, attempt);
}

// A SYN that meets one which left by the same port for where this one comes
// from: the two become one connection, and both sides have dialed (RFC 9293,
// section 3.5, simultaneous open).
bool Network::meet(std::uint32_t dialer, std::uint32_t attempt, HostId target,
                   const Endpoint& local) {
  const auto at = meeting_.find({target, {local.port, rare_end(other(dialer)).remote}});
  if (at == meeting_.end() || at->second >> 1 == dialer >> 1) return false;
  const std::uint32_t theirs = at->second;
  if (end(theirs).state != State::dialing) return false;
  const SocketToken token = end(theirs).token;
  const std::uint16_t port = rare_end(theirs).dialed_port;
  abandon(theirs);
  end(other(dialer)).token = token;
  rare_end(other(dialer)).dialed_port = port;
  answer_syn(dialer, attempt, target, local);
  user_.renumbered(target, token, SocketId{other(dialer)});
  return true;
}

void Network::on_syn_ack(std::uint32_t dialer, std::uint32_t attempt) {
  const std::uint32_t acceptor = other(dialer);
  if (end(dialer).state != State::dialing) return;
  if (end(acceptor).state == State::gone) return refuse(dialer, Cause::refused, Duration::zero());
  if (!reachable(end(acceptor).host, end(dialer).host)) {
    leave(acceptor);
    return retry_syn(dialer, attempt, 2 * pipes_[dialer >> 1].latency);
  }
  end(dialer).state = State::knocking;
  forget_dialed_port(dialer);
  Way& there = way(dialer);
  there.last_arrival = after(now(), pipes_[dialer >> 1].latency + there.luck.up_to(link_.jitter));
  post(there.last_arrival, Kind::ack_arrives, acceptor);
  post(now(), Kind::tell_dialed, dialer);
}

void Network::on_ack(std::uint32_t acceptor) {
  if (end(acceptor).state != State::opening) return;
  end(acceptor).state = State::knocking;
  post(now(), rare_end(acceptor).dialed_port != 0 ? Kind::tell_dialed : Kind::tell_accepted,
       acceptor);
}

void Network::refuse(std::uint32_t dialer, Cause cause, Duration wait) {
  post(after(now(), wait), Kind::tell_failed, dialer, static_cast<std::uint32_t>(cause));
}

// --- the process is told
void Network::tell_dialed(std::uint32_t at) {
  End& told = end(at);
  if (told.state == State::knocking) told.state = State::open;
  if (told.state != State::open && told.state != State::over) return;
  const std::uint32_t life = pipes_[at >> 1].life;
  user_.dialed(told.host, told.token, rare_end(at).local);
  if (pipes_[at >> 1].life == life) deliver_soon(at);
}

void Network::tell_failed(std::uint32_t at, Cause cause) {
  const End told = end(at);
  if (told.state != State::dialing) return;
  abandon(at);
  user_.dial_failed(told.host, told.token, error_of(cause));
}

void Network::tell_accepted(std::uint32_t at) {
  End& told = end(at);
  if (told.state == State::over) return leave(at);
  if (told.state != State::knocking) return;
  told.state = State::open;
  const std::uint32_t life = pipes_[at >> 1].life;
  user_.accepted(told.host, SocketId{at}, rare_end(at).local, rare_end(at).remote);
  if (pipes_[at >> 1].life == life) deliver_soon(at);
}

void Network::forget_dialed_port(std::uint32_t at) {
  const RareEnd& of = rare_end(at);
  if (of.dialed_port == 0 || (at & 1) != 0) return;
  const auto found = meeting_.find({end(at).host, {of.dialed_port, of.remote}});
  if (found != meeting_.end() && found->second == at) meeting_.erase(found);
}

}  // namespace kadmesh
