// The pipes of a swarm: how they become connections, and how they end.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "transport/swarm_state.h"

namespace kadmesh {

Error limit_reached(std::string_view scope, std::size_t current, std::size_t limit) {
  return {Errc::limit, std::string(scope) + ": " + std::to_string(current) + " of " +
                           std::to_string(limit) + ", on our side"};
}

Link* Swarm::State::find(ConnId id) {
  if (found != nullptr && found_id == id) return found;
  const auto at = links.find(id);
  if (at == links.end()) return nullptr;
  found_id = id;
  return found = &at->second;
}

bool Swarm::State::connected(ConnId id) {
  const Link* link = find(id);
  return link && link->stage == Link::Stage::up;
}

Streams* Swarm::State::streams(ConnId id) {
  Link* link = find(id);
  return link && link->connection && link->connection->peer() ? &link->connection->streams()
                                                              : nullptr;
}

// Before anything is made for it.
bool Swarm::State::refuse(const Endpoint& remote) {
  const std::size_t most = config.limits.connections;
  if (links.size() >= most - most / kOwnConnections) return ++refusals.connections > 0;
  if (!accept_limit.admit(remote, now)) return ++refusals.rate > 0;
  if (opening_inbound < config.limits.opening_inbound) return false;
  return ++refusals.opening > 0 && !make_way();
}

// Whoever has been at it for longest, and longer than an honest handshake takes.
bool Swarm::State::make_way() {
  const auto stalls = [this](const auto& entry) {
    const Link& link = entry.second;
    return link.stage == Link::Stage::opening && !link.ours &&
           after(link.since, kHandshakePatience) <= now;
  };
  const auto oldest = std::ranges::find_if(links, stalls);
  if (oldest == links.end()) return false;
  const ConnId id = oldest->first;
  oldest->second.connection->close({Errc::timeout, "a handshake that stalls makes way for others"});
  settle(id);
  return true;
}

void Swarm::State::open(Turn turn, ConnId id, Role role) {
  Link& link = links.at(id);
  link.stage = Link::Stage::opening;
  if (!link.ours) ++opening_inbound;
  ConnectionSetup setup{.id = id,
                        .role = role,
                        .expected = link.expected,
                        .security = config.security,
                        .noise = noise,
                        .protocols = protocols,
                        .early_muxer = config.early_muxer,
                        .open_deadline = after(link.since, config.open_timeout),
                        .stream_timeout = config.stream_timeout,
                        .keylog = config.keylog,
                        .plain_forms = config.plain_forms};
  link.connection = std::make_unique<Connection>(std::move(setup), luck_of_noise(turn), now);
  settle(id);
}

void Swarm::State::settle(ConnId id) {
  Link& link = *find(id);
  if (link.stage == Link::Stage::ended) return;
  if (auto line = link.connection->take_keylog()) actions.push_back(KeyLogLine{*std::move(line)});
  const auto phase = link.connection->phase();
  if (phase == Connection::Phase::closing || phase == Connection::Phase::gone) {
    return ended(id);
  }
  if (phase == Connection::Phase::up && link.stage == Link::Stage::opening) {
    return established(id);
  }
  touch(id);
}

// --- up

std::optional<Error> Swarm::State::unwanted(const Connection& connection) const {
  if (*connection.peer() == self) return Error{Errc::invalid, "the peer has our own key"};
  const auto at = peers.find(*connection.peer());
  const std::size_t others = at == peers.end() ? 0 : at->second.size();
  if (others < config.limits.connections_per_peer) return std::nullopt;
  return limit_reached("connections of one peer", others, config.limits.connections_per_peer);
}

void Swarm::State::established(ConnId id) {
  Link& link = links.at(id);
  const PeerId peer = *link.connection->peer();
  if (const auto reason = unwanted(*link.connection)) {
    if (!link.ours && reason->code == Errc::limit) ++refusals.per_peer;
    link.connection->close(*reason);
    return settle(id);
  }
  if (!link.ours) --opening_inbound;
  link.stage = Link::Stage::up;
  link.since = now;
  auto& of_peer = peers[peer];
  of_peer.insert(place(of_peer, link), id);
  events.push_back(Established{.id = id,
                               .peer = peer,
                               .key = link.connection->peer_key(),
                               .local = link.local,
                               .remote = link.remote,
                               .opened_by_us = link.ours,
                               .role = link.ours ? Role::initiator : Role::responder,
                               .limited = false,
                               .first = of_peer.size() == 1,
                               .early_muxer = link.connection->early_muxer()});
  touch(id);
  update_idle(peer);
  if (link.job) finish_job(*link.job, id, Rest::drop);
  // The other side may be using, as its winner, one that we would drop.
  if (const auto at = job_of.find(peer); at != job_of.end()) {
    finish_job(at->second, id, Rest::let_finish);
  }
}

// Both ends prefer the same ones: those whose initiator has the smaller id, the older before the
// younger. Otherwise each could close, as its spare, the one that the other keeps.
bool Swarm::State::preferred(const Link& link) const {
  const bool we_are_smaller = self < *link.connection->peer();
  return link.ours == we_are_smaller;
}

std::vector<ConnId>::iterator Swarm::State::place(std::vector<ConnId>& of_peer, const Link& link) {
  if (!preferred(link)) return of_peer.end();
  return std::ranges::find_if(of_peer, [this](ConnId id) { return !preferred(links.at(id)); });
}

// --- the end

void Swarm::State::ended(ConnId id) {
  Link& link = links.at(id);
  say_goodbye(id, link);
  if (link.stage != Link::Stage::up) return ended_unknown(id);
  link.stage = Link::Stage::ended;
  auto at = peers.find(*link.connection->peer());
  std::erase(at->second, id);
  link.last = at->second.empty();
  if (link.last) peers.erase(at);
  timers.cancel(key(Timer::link, std::to_underlying(id)));
  timers.cancel(key(Timer::idle, std::to_underlying(id)));
  mark_ready(id, link);
  update_idle(*link.connection->peer());
}

void Swarm::State::ended_unknown(ConnId id) {
  const Link& link = links.at(id);
  const Error cause = link.connection->cause();
  const PeerId* peer = link.connection->peer();
  const auto job = link.job;
  const auto existing = peer ? peers.find(*peer) : peers.end();
  if (job && cause.code == Errc::limit && existing != peers.end()) {
    // One connection too many to a peer whom the dial was for: it is reached.
    const ConnId serving = existing->second.front();
    erase(id);
    return finish_job(*job, serving, Rest::drop);
  }
  if (job) return attempt_failed(id, cause);
  erase(id);
  feed_starved();
}

void Swarm::State::say_goodbye(ConnId id, Link& link) {
  if (link.pipe_ended) return;
  const bool stuck = link.connection->cause().code == Errc::timeout;
  if (Bytes bytes = link.connection->take_output(now); !bytes.empty()) {
    actions.push_back(WritePipe{id, std::move(bytes), link.connection->take_sent_form()});
  }
  actions.push_back(ClosePipe{id, stuck});
}

void Swarm::State::drop(ConnId id) {
  actions.push_back(ClosePipe{id, true});
  erase(id);
}

void Swarm::State::erase(ConnId id) {
  const auto at = links.find(id);
  const Link& link = at->second;
  if (link.stage == Link::Stage::dialing) --dialing;
  if (link.stage == Link::Stage::opening && !link.ours) --opening_inbound;
  timers.cancel(key(Timer::link, std::to_underlying(id)));
  timers.cancel(key(Timer::idle, std::to_underlying(id)));
  if (found == &link) found = nullptr;
  links.erase(at);
}

Disconnected Swarm::State::farewell(ConnId id) {
  const Link& link = links.at(id);
  Disconnected event{id, *link.connection->peer(), link.last, link.connection->cause()};
  erase(id);
  feed_starved();
  return event;
}

// --- lists

void Swarm::State::touch(ConnId id, Link& link) { mark_dirty(id, link); }

void Swarm::State::touch(ConnId id) {
  Link* link = find(id);
  if (!link || link->stage == Link::Stage::ended) return;
  if (link->stage == Link::Stage::up) mark_ready(id, *link);
  touch(id, *link);
}

void Swarm::State::mark_dirty(ConnId id, Link& link) {
  if (!std::exchange(link.dirty, true)) dirty.push_back(id);
}

void Swarm::State::mark_ready(ConnId id, Link& link) {
  if (!std::exchange(link.ready, true)) ready.push_back(id);
}

void Swarm::State::update_timer(ConnId id, Link& link) {
  const Time next = link.connection->next_timer();
  if (std::exchange(link.armed, next) != next) {
    timers.set(key(Timer::link, std::to_underlying(id)), next);
  }
}

// A duplicate is not kept by hold(): the first serves the peer.
bool Swarm::State::in_use(ConnId id, const Link& link) const {
  if (link.connection->streams().in_use()) return true;
  const PeerId& peer = *link.connection->peer();
  return holds.contains(peer) && peers.at(peer).front() == id;
}

void Swarm::State::update_idle(ConnId id, Link& link) {
  if (link.stage != Link::Stage::up) return;
  const bool idle = !in_use(id, link);
  if (std::exchange(link.idle, idle) == idle) return;
  timers.set(key(Timer::idle, std::to_underlying(id)),
             idle ? after(now, config.idle_timeout) : kNever);
}

void Swarm::State::update_idle(const PeerId& peer) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  for (const ConnId id : at->second) update_idle(id, links.at(id));
}

}  // namespace kadmesh
