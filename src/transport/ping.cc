#include "transport/ping.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "base/timer_wheel.h"
#include "transport/stream_code.h"

namespace kadmesh {

// --- answering

struct PingResponder::State {
  struct Echo {
    PeerId peer;
    TimerKey timer;
  };

  explicit State(Swarm& s) : swarm(s) {}

  void accept(Turn turn, const StreamOpened& event);
  void make_room(Turn turn, const PeerId& peer);
  void echo(Turn turn, StreamKey key);
  void touch(Turn turn, StreamKey key);
  void forget(StreamKey key);

  bool on(Turn turn, const StreamOpened& event);
  bool on(Turn turn, const StreamReadable& event);
  bool on(Turn turn, const StreamWritable& event);
  bool on(Turn turn, const StreamFinished& event);
  bool on(Turn turn, const StreamReset& event);
  template <class Other>
  static bool on(Turn, const Other&) {
    return false;
  }

  Swarm& swarm;
  TimerWheel idle;
  TimerKey last_timer = 0;
  std::map<StreamKey, Echo> echoes;
  std::map<PeerId, std::vector<StreamKey>> of_peer;  // oldest first
  std::map<TimerKey, StreamKey> by_timer;
};

void PingResponder::State::accept(Turn turn, const StreamOpened& event) {
  make_room(turn, event.peer);
  const TimerKey timer = ++last_timer;
  echoes.emplace(event.key, Echo{event.peer, timer});
  of_peer[event.peer].push_back(event.key);
  by_timer.emplace(timer, event.key);
  touch(turn, event.key);
}

void PingResponder::State::make_room(Turn turn, const PeerId& peer) {
  const auto at = of_peer.find(peer);
  if (at == of_peer.end() || at->second.size() < kMostInbound) return;
  const StreamKey oldest = at->second.front();
  forget(oldest);
  swarm.reset(turn, oldest, stream_code::kSupplanted);
}

void PingResponder::State::echo(Turn turn, StreamKey key) {
  const std::size_t count = swarm.write(turn, key, swarm.readable(key));
  if (count == 0) return;
  swarm.consumed(turn, key, count);
  touch(turn, key);
}

void PingResponder::State::touch(Turn turn, StreamKey key) {
  idle.set(echoes.at(key).timer, after(turn.now.mono, kInboundIdle));
}

void PingResponder::State::forget(StreamKey key) {
  const auto node = echoes.extract(key);
  const Echo& echo = node.mapped();
  idle.cancel(echo.timer);
  by_timer.erase(echo.timer);
  const auto at = of_peer.find(echo.peer);
  std::erase(at->second, key);
  if (at->second.empty()) of_peer.erase(at);
}

bool PingResponder::State::on(Turn turn, const StreamOpened& event) {
  if (event.opened_by_us || event.protocol != kPingProtocol) return false;
  accept(turn, event);
  return true;
}

bool PingResponder::State::on(Turn turn, const StreamReadable& event) {
  if (!echoes.contains(event.key)) return false;
  echo(turn, event.key);
  return true;
}

bool PingResponder::State::on(Turn turn, const StreamWritable& event) {
  if (!echoes.contains(event.key)) return false;
  echo(turn, event.key);
  return true;
}

bool PingResponder::State::on(Turn turn, const StreamFinished& event) {
  if (!echoes.contains(event.key)) return false;
  forget(event.key);
  swarm.finish(turn, event.key);
  swarm.release(turn, event.key);
  return true;
}

bool PingResponder::State::on(Turn, const StreamReset& event) {
  if (!echoes.contains(event.key)) return false;
  forget(event.key);
  return true;
}

PingResponder::PingResponder(Swarm& swarm) : state_(std::make_unique<State>(swarm)) {
  swarm.serve(std::string(kPingProtocol));
  swarm.not_keeping(std::string(kPingProtocol));
}
PingResponder::~PingResponder() = default;

bool PingResponder::on_event(Turn turn, const SwarmEvent& event) {
  return std::visit([&](const auto& e) { return state_->on(turn, e); }, event);
}

void PingResponder::on_timer(Turn turn) {
  while (const auto timer = state_->idle.expire(turn.now.mono)) {
    const StreamKey key = state_->by_timer.at(*timer);
    state_->forget(key);
    state_->swarm.reset(turn, key, stream_code::kGarbageCollected);
  }
}

Time PingResponder::next_timer() const { return state_->idle.next(); }

std::size_t PingResponder::streams() const { return state_->echoes.size(); }

// --- asking

struct Pinger::State {
  using Block = std::array<std::uint8_t, kPingSize>;
  struct Pending {
    PeerId peer;
    StreamKey stream;
    Time sent;
    Block block;
    std::size_t matched = 0;  // bytes of the block that have come back
  };

  explicit State(Swarm& s) : swarm(s) {}

  std::optional<PingId> outstanding(const PeerId& peer) const;
  Result<void> start(Turn turn, PingId id, const PeerId& peer, Time deadline);
  void read(Turn turn, PingId id);
  void complete(Turn turn, PingId id, Result<Duration> rtt);
  std::optional<PingId> owner(StreamKey key) const;

  bool on(Turn turn, const StreamOpened& event) const;
  bool on(Turn turn, const OpenFailed& event);
  bool on(Turn turn, const StreamReadable& event);
  bool on(Turn turn, const StreamWritable& event) const;
  bool on(Turn turn, const StreamFinished& event);
  bool on(Turn turn, const StreamReset& event);
  template <class Other>
  static bool on(Turn, const Other&) {
    return false;
  }

  Swarm& swarm;
  TimerWheel deadlines;
  std::uint64_t last_id = 0;
  std::map<PingId, Pending> pending;
  std::map<PeerId, PingId> by_peer;
  std::map<StreamKey, PingId> by_stream;
  std::deque<Pinged> done;
};

std::optional<PingId> Pinger::State::outstanding(const PeerId& peer) const {
  const auto at = by_peer.find(peer);
  return at == by_peer.end() ? std::nullopt : std::optional(at->second);
}

// The block travels with the proposal, so the answer takes one round trip.
Result<void> Pinger::State::start(Turn turn, PingId id, const PeerId& peer, Time deadline) {
  const std::array protocols{std::string(kPingProtocol)};
  ASSIGN_OR_RETURN(const StreamKey key, swarm.open_stream(turn, peer, protocols, deadline));
  Pending ping{peer, key, turn.now.mono, {}};
  turn.rng.fill(ping.block);
  swarm.write(turn, key, ping.block);
  pending.emplace(id, ping);
  by_peer.emplace(peer, id);
  by_stream.emplace(key, id);
  deadlines.set(std::to_underlying(id), deadline);
  return {};
}

void Pinger::State::read(Turn turn, PingId id) {
  Pending& ping = pending.at(id);
  const ByteView echo = swarm.readable(ping.stream);
  const std::size_t count = std::min(echo.size(), kPingSize - ping.matched);
  if (!equal(echo.first(count), ByteView(ping.block).subspan(ping.matched, count))) {
    return complete(turn, id, fail(Errc::protocol, "the echo differs from what was sent"));
  }
  ping.matched += count;
  swarm.consumed(turn, ping.stream, count);
  if (ping.matched == kPingSize) complete(turn, id, turn.now.mono - ping.sent);
}

void Pinger::State::complete(Turn turn, PingId id, Result<Duration> rtt) {
  const auto node = pending.extract(id);
  const Pending& ping = node.mapped();
  deadlines.cancel(std::to_underlying(id));
  by_peer.erase(ping.peer);
  by_stream.erase(ping.stream);
  if (rtt) {
    swarm.finish(turn, ping.stream);
    swarm.release(turn, ping.stream);
  } else {
    swarm.reset(turn, ping.stream, stream_code::kNone);
  }
  done.push_back({id, ping.peer, std::move(rtt)});
}

std::optional<PingId> Pinger::State::owner(StreamKey key) const {
  const auto at = by_stream.find(key);
  return at == by_stream.end() ? std::nullopt : std::optional(at->second);
}

bool Pinger::State::on(Turn, const StreamOpened& event) const {
  return by_stream.contains(event.key);
}

bool Pinger::State::on(Turn, const StreamWritable& event) const {
  return by_stream.contains(event.key);
}

bool Pinger::State::on(Turn turn, const OpenFailed& event) {
  const auto id = owner(event.key);
  if (id) complete(turn, *id, std::unexpected(event.cause));
  return id.has_value();
}

bool Pinger::State::on(Turn turn, const StreamReadable& event) {
  const auto id = owner(event.key);
  if (id) read(turn, *id);
  return id.has_value();
}

bool Pinger::State::on(Turn turn, const StreamFinished& event) {
  const auto id = owner(event.key);
  if (id) complete(turn, *id, fail(Errc::closed, "the peer ended the stream before the echo"));
  return id.has_value();
}

bool Pinger::State::on(Turn turn, const StreamReset& event) {
  const auto id = owner(event.key);
  if (id) complete(turn, *id, std::unexpected(event.cause));
  return id.has_value();
}

Pinger::Pinger(Swarm& swarm) : state_(std::make_unique<State>(swarm)) {
  swarm.not_keeping(std::string(kPingProtocol));
}
Pinger::~Pinger() = default;

PingId Pinger::ping(Turn turn, const PeerId& peer, Time deadline) {
  State& s = *state_;
  if (const auto running = s.outstanding(peer)) return *running;
  const PingId id{++s.last_id};
  if (auto started = s.start(turn, id, peer, deadline); !started) {
    s.done.push_back({id, peer, std::unexpected(std::move(started).error())});
  }
  return id;
}

bool Pinger::on_event(Turn turn, const SwarmEvent& event) {
  return std::visit([&](const auto& e) { return state_->on(turn, e); }, event);
}

void Pinger::on_timer(Turn turn) {
  while (const auto key = state_->deadlines.expire(turn.now.mono)) {
    state_->complete(turn, PingId{*key}, fail(Errc::timeout, "no echo by the deadline"));
  }
}

Time Pinger::next_timer() const { return state_->deadlines.next(); }

std::optional<Pinged> Pinger::poll() {
  if (state_->done.empty()) return std::nullopt;
  Pinged one = std::move(state_->done.front());
  state_->done.pop_front();
  return one;
}

std::size_t Pinger::outstanding() const { return state_->pending.size(); }

}  // namespace kadmesh
