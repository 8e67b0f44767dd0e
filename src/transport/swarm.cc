#include "transport/swarm.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "transport/swarm_state.h"

namespace kadmesh {

namespace {
std::vector<std::string> offered_muxers(const SwarmConfig& config) {
  if (!config.early_muxer) return {};
  return {std::string(kYamuxProtocol)};
}

SwarmEvent widen(Streams::Event event) {
  return std::visit([](auto& e) -> SwarmEvent { return std::move(e); }, event);
}
}  // namespace

Swarm::State::State(const KeyPair& identity, const SwarmConfig& with, Turn start)
    : config(with),
      self(identity.peer_id()),
      noise_luck(with.noise_luck ? std::optional<Rng>(std::in_place, *with.noise_luck)
                                 : std::nullopt),
      noise(std::make_shared<NoiseStatic>(
          make_noise_static(luck_of_noise(start), identity, offered_muxers(config)))),
      protocols(std::make_shared<Protocols>()),
      now(start.now.mono) {}

Swarm::Swarm(const KeyPair& identity, const SwarmConfig& config, Turn start)
    : state_(std::make_unique<State>(identity, config, start)) {}
Swarm::~Swarm() = default;

// --- what the driver reports

ConnId Swarm::on_accepted(Turn turn, const Endpoint& local, const Endpoint& remote) {
  State& s = state_->in(turn);
  const ConnId id = s.new_id();
  if (s.refuse(remote)) {
    s.actions.push_back(ClosePipe{id, true});
    return id;
  }
  s.links.try_emplace(id, Link{.stage = Link::Stage::opening,
                               .local = Multiaddr::tcp(local),
                               .remote = Multiaddr::tcp(remote),
                               .ours = false,
                               .job = std::nullopt,
                               .expected = std::nullopt,
                               .since = s.now,
                               .connection = nullptr});
  s.open(turn, id, Role::responder);
  return id;
}

void Swarm::on_dialed(Turn turn, ConnId id, const Endpoint& local) {
  State& s = state_->in(turn);
  Link* link = s.find(id);
  if (!link || link->stage != Link::Stage::dialing) return;
  --s.dialing;
  link->local = Multiaddr::tcp(local);
  s.open(turn, id, Role::initiator);
  s.feed_starved();
}

void Swarm::on_dial_failed(Turn turn, ConnId id, const Error& cause) {
  State& s = state_->in(turn);
  const Link* link = s.find(id);
  if (link && link->stage == Link::Stage::dialing) s.attempt_failed(id, cause);
}

void Swarm::on_bytes(Turn turn, ConnId id, ByteView bytes) {
  lend(turn, id, bytes);
  keep();
}

void Swarm::keep() {
  const auto id = std::exchange(state_->lent, std::nullopt);
  if (Link* link = id ? state_->find(*id) : nullptr) link->connection->keep();
}

void Swarm::lend(Turn turn, ConnId id, ByteView bytes) {
  State& s = state_->in(turn);
  Link* link = s.find(id);
  if (!link || !link->connection) return;
  s.lent = id;
  link->connection->lend(s.now, bytes);
  s.opened_form = link->connection->take_opened_form();
  s.settle(id);
}

Bytes Swarm::take_opened_form() { return std::exchange(state_->opened_form, {}); }

void Swarm::on_written(Turn turn, ConnId id, std::size_t count) {
  State& s = state_->in(turn);
  Link* link = s.find(id);
  if (!link || !link->connection) return;
  link->connection->on_written(s.now, count);
  s.settle(id);
}

void Swarm::on_closed(Turn turn, ConnId id, const Error& cause) {
  State& s = state_->in(turn);
  Link* link = s.find(id);
  if (!link) return;
  if (!link->connection) return s.attempt_failed(id, cause);
  link->pipe_ended = true;
  link->connection->on_pipe_ended(cause);
  s.settle(id);
}

// --- time

Time Swarm::next_timer() const { return state_->timers.next(); }

void Swarm::on_timer(Turn turn) {
  State& s = state_->in(turn);
  while (const auto key = s.timers.expire(turn.now.mono)) s.on_timer(*key);
}

void Swarm::State::on_timer(TimerKey key) {
  const std::uint64_t id = key >> 2;
  switch (static_cast<Timer>(key & 3)) {
    case Timer::link:
      return on_link_timer(ConnId{id});
    case Timer::idle:
      return on_idle(ConnId{id});
    case Timer::job:
      return pump(JobId{id});
    case Timer::dial:
      return dial_timed_out(DialId{id});
  }
}

void Swarm::State::on_link_timer(ConnId id) {
  Link& link = links.at(id);
  link.armed = kNever;
  if (link.stage == Link::Stage::dialing) {
    actions.push_back(ClosePipe{id, true});
    return attempt_failed(id, {Errc::timeout, "connect() has not been answered"});
  }
  link.connection->on_timer(now);
  settle(id);
}

void Swarm::State::on_idle(ConnId id) {
  Link& link = links.at(id);
  link.idle = false;
  link.connection->close({Errc::closed, "idle: no stream used it and nobody held it"});
  settle(id);
}

// --- output

std::optional<SwarmAction> Swarm::poll_action() {
  State& s = *state_;
  while (s.actions.empty() && !s.dirty.empty()) {
    const ConnId id = s.dirty.front();
    s.dirty.pop_front();
    if (Link* link = s.find(id)) s.take_output(id, *link);
  }
  if (s.dirty.empty()) s.lent_writes.clear();
  if (s.actions.empty()) return std::nullopt;
  SwarmAction action = std::move(s.actions.front());
  s.actions.pop_front();
  return action;
}

void Swarm::State::take_output(ConnId id, Link& link) {
  link.dirty = false;
  if (link.stage == Link::Stage::ended) return link.connection->keep_written();
  Bytes bytes = link.connection->take_output(now);
  update_reading(id, link);
  update_timer(id, link);
  update_idle(id, link);
  if (!bytes.empty())
    actions.push_back(WritePipe{id, std::move(bytes), link.connection->take_sent_form()});
}

void Swarm::State::update_reading(ConnId id, Link& link) {
  const bool wanted = link.connection->wants_input();
  if (std::exchange(link.reading, wanted) != wanted) actions.push_back(ReadPipe{id, wanted});
}

std::optional<SwarmEvent> Swarm::poll_event() {
  State& s = *state_;
  if (!s.events.empty()) {
    SwarmEvent event = std::move(s.events.front());
    s.events.pop_front();
    return event;
  }
  while (!s.ready.empty()) {
    if (auto event = s.next_event(s.ready.front())) return event;
  }
  return std::nullopt;
}

// The events of a connection's streams come before its own end.
std::optional<SwarmEvent> Swarm::State::next_event(ConnId id) {
  Link* link = find(id);
  if (!link) {
    ready.pop_front();
    return std::nullopt;
  }
  auto event = link->connection->poll(now);
  if (link->stage == Link::Stage::ended && !event) {
    ready.pop_front();
    return farewell(id);
  }
  if (!event) {
    ready.pop_front();
    link->ready = false;
  }
  // Polling negotiates: there may be more to send, to wait for, to keep the connection for.
  if (link->stage == Link::Stage::up) touch(id, *link);
  return event ? std::optional(widen(*std::move(event))) : std::nullopt;
}

// --- protocols

void Swarm::State::change_protocols(Protocols changed) {
  protocols = std::make_shared<const Protocols>(std::move(changed));
  for (const auto& [id, link] : links) {
    if (link.connection) link.connection->set_protocols(protocols);
  }
}

void Swarm::serve(std::string protocol) {
  KAD_CHECK(is_protocol_name(protocol));
  Protocols changed = *state_->protocols;
  if (std::ranges::find(changed.served, protocol) != changed.served.end()) return;
  changed.served.push_back(std::move(protocol));
  state_->change_protocols(std::move(changed));
}

void Swarm::stop_serving(std::string_view protocol) {
  Protocols changed = *state_->protocols;
  std::erase(changed.served, protocol);
  state_->change_protocols(std::move(changed));
}

std::vector<std::string> Swarm::served() const { return state_->protocols->served; }

void Swarm::not_keeping(std::string protocol) {
  Protocols changed = *state_->protocols;
  changed.not_keeping.insert(std::move(protocol));
  state_->change_protocols(std::move(changed));
}

// --- dials

DialId Swarm::dial(Turn turn, std::optional<PeerId> peer, std::span<const Multiaddr> addrs,
                   Time deadline) {
  State& s = state_->in(turn);
  const DialId id{++s.last_dial};
  s.start_dial(id, peer, addrs, deadline);
  return id;
}

void Swarm::cancel_dial(Turn turn, DialId id) {
  State& s = state_->in(turn);
  s.withdraw(id);
  std::erase_if(s.events, [id](const SwarmEvent& event) {
    const auto* finished = std::get_if<DialFinished>(&event);
    return finished && finished->id == id;
  });
}

// --- streams

Result<StreamKey> Swarm::open_stream(Turn turn, const PeerId& peer,
                                     std::span<const std::string> protocols, Time deadline) {
  const auto at = state_->peers.find(peer);
  if (at == state_->peers.end()) {
    return fail(Errc::unreachable, "not connected to " + peer.short_text());
  }
  return open_stream_on(turn, at->second.front(), protocols, deadline);
}

Result<StreamKey> Swarm::open_stream_on(Turn turn, ConnId conn,
                                        std::span<const std::string> protocols, Time deadline) {
  State& s = state_->in(turn);
  Streams* streams = s.connected(conn) ? s.streams(conn) : nullptr;
  if (!streams) return fail(Errc::unreachable, "the connection has ended");
  if (deadline <= s.now)
    return fail(Errc::timeout, "the stream's deadline had come before it began");
  ASSIGN_OR_RETURN(const StreamId id, streams->open(protocols, deadline));
  s.touch(conn);
  return StreamKey{conn, id};
}

std::size_t Swarm::write(Turn turn, StreamKey key, ByteView bytes) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return 0;
  const std::size_t count = streams->write(key.stream, bytes);
  s.touch(key.conn);
  return count;
}

std::size_t Swarm::write(Turn turn, StreamKey key, std::shared_ptr<const Bytes> bytes) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return 0;
  const std::size_t count = streams->write_lent(key.stream, *bytes);
  s.touch(key.conn);
  s.lent_writes.push_back(std::move(bytes));
  return count;
}

ByteView Swarm::readable(StreamKey key) const {
  const Streams* streams = state_->streams(key.conn);
  return streams ? streams->readable(key.stream) : ByteView();
}

void Swarm::consumed(Turn turn, StreamKey key, std::size_t count) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return;
  streams->consumed(s.now, key.stream, count);
  s.touch(key.conn);
}

void Swarm::finish(Turn turn, StreamKey key) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return;
  streams->finish(key.stream);
  s.touch(key.conn);
}

void Swarm::reset(Turn turn, StreamKey key, std::uint32_t code) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return;
  streams->reset(key.stream, code);
  s.touch(key.conn);
}

void Swarm::release(Turn turn, StreamKey key) {
  State& s = state_->in(turn);
  Streams* streams = s.streams(key.conn);
  if (!streams) return;
  streams->release(key.stream);
  s.touch(key.conn);
}

// --- connections

void Swarm::close(Turn turn, ConnId id, const Error& why) {
  State& s = state_->in(turn);
  Link* link = s.find(id);
  if (!link) return;
  if (!link->connection) {
    s.actions.push_back(ClosePipe{id, true});
    return s.attempt_failed(id, why);
  }
  link->connection->close(why);
  s.settle(id);
}

void Swarm::close_all(Turn turn, const Error& why) {
  State& s = state_->in(turn);
  while (!s.jobs.empty()) {
    const auto& [id, job] = *s.jobs.begin();
    s.finish_job(id, std::unexpected(why), State::Rest::drop);
  }
  std::vector<ConnId> ids;
  ids.reserve(s.links.size());
  for (const auto& [id, link] : s.links) ids.push_back(id);
  for (const ConnId id : ids) close(turn, id, why);
}

void Swarm::hold(const PeerId& peer) {
  ++state_->holds[peer];
  state_->update_idle(peer);
}

void Swarm::unhold(const PeerId& peer) {
  const auto at = state_->holds.find(peer);
  KAD_CHECK(at != state_->holds.end());
  if (--at->second > 0) return;
  state_->holds.erase(at);
  state_->update_idle(peer);
}

bool Swarm::connected(const PeerId& peer) const { return state_->peers.contains(peer); }

std::vector<ConnectionInfo> Swarm::connections() const {
  std::vector<ConnectionInfo> all;
  for (const auto& [id, link] : state_->links) {
    if (link.stage == Link::Stage::up) all.push_back(state_->info(id, link));
  }
  return all;
}

std::vector<ConnectionInfo> Swarm::connections(const PeerId& peer) const {
  std::vector<ConnectionInfo> all;
  const auto at = state_->peers.find(peer);
  if (at == state_->peers.end()) return all;
  for (const ConnId id : at->second) all.push_back(state_->info(id, state_->links.at(id)));
  return all;
}

ConnectionInfo Swarm::State::info(ConnId id, const Link& link) {
  const Streams& streams = std::as_const(*link.connection).streams();
  return {.id = id,
          .peer = *link.connection->peer(),
          .local = link.local,
          .remote = link.remote,
          .opened_by_us = link.ours,
          .since = link.since,
          .streams = streams.size(),
          .rtt = streams.rtt(),
          .early_muxer = link.connection->early_muxer()};
}

Swarm::Counters Swarm::counters() const {
  Counters count{.connections = state_->links.size(),
                 .opening = 0,
                 .dial_jobs = state_->jobs.size(),
                 .streams = 0,
                 .buffered_bytes = 0};
  for (const auto& [id, link] : state_->links) {
    if (link.stage == Link::Stage::dialing || link.stage == Link::Stage::opening) ++count.opening;
    if (!link.connection) continue;
    count.buffered_bytes += link.connection->buffered_bytes();
    if (const Streams* streams = state_->streams(id)) count.streams += streams->size();
  }
  return count;
}

std::size_t Swarm::unsent_bytes() const {
  std::size_t total = 0;
  for (const auto& [id, link] : state_->links)
    if (link.stage == Link::Stage::up)
      total += std::as_const(*link.connection).streams().unsent_bytes();
  return total;
}

const Swarm::Refusals& Swarm::refusals() const { return state_->refusals; }

}  // namespace kadmesh
