#include "node/identify.h"

#include <algorithm>
#include <deque>
#include <set>

#include "base/deadlines.h"
#include "base/envelope.h"
#include "base/framing.h"
#include "node/identify_wire.h"
#include "transport/stream_event.h"

namespace kadmesh {
namespace {

// Lets kPushBurst pushes through at once, and one more each kPushEvery.
struct PushAllowance {
  std::size_t left = Identify::kPushBurst;
  Time refilled;

  bool take(Time now) {
    const auto earned = static_cast<std::size_t>((now - refilled) / Identify::kPushEvery);
    if (earned > 0) {
      left = std::min(Identify::kPushBurst, left + earned);
      refilled = now;
    }
    if (left == 0) return false;
    --left;
    return true;
  }
};

// One stream on which the other side tells us about itself.
struct Hearing {
  Hearing(const PeerId& of, bool by_push) : peer(of), pushed(by_push) {}

  PeerId peer;
  bool pushed;
  FrameReader frames{kMostIdentifyIn};
  std::size_t messages = 0;
  IdentifyMessage so_far;
};

struct Neighbour {
  std::size_t connections = 0;
  Multiaddr remote;  // of the newest connection: what we observe
  PublicKey key;
  PushAllowance pushes;
  std::optional<PeerInfo> info;
};

std::vector<Dialable> dialables(const std::vector<Multiaddr>& addrs, const PeerId& peer,
                                Source source) {
  std::vector<Dialable> out;
  for (const Multiaddr& addr : addrs) {
    const auto named = addr.peer();
    if (named && *named != peer) continue;
    if (addr.without_peer().peer()) continue;
    out.emplace_back(addr, source);
  }
  return out;
}

// A record that does not verify is as good as none; one of somebody else speaks for nobody.
std::vector<Dialable> addresses(const IdentifyMessage& message, const PeerId& peer,
                                SignatureMemo* memo) {
  if (message.signed_record) {
    if (const auto record = open_peer_record(*message.signed_record, memo)) {
      if (record->peer != peer) return {};
      return dialables(record->addrs, peer, Source::signed_record);
    }
  }
  return dialables(message.listen_addrs, peer, Source::identify);
}

Result<PeerInfo> judged(IdentifyMessage message, const PeerId& peer, SignatureMemo* memo) {
  if (message.public_key) {
    ASSIGN_OR_RETURN(const PublicKey key, PublicKey::from_proto(*message.public_key));
    if (key.peer_id() != peer) return fail(Errc::auth, "identify: the key of another peer");
  }
  PeerInfo info;
  info.addrs = addresses(message, peer, memo);
  info.agent = std::move(message.agent);
  info.protocol_version = std::move(message.protocol_version);
  info.protocols = std::move(message.protocols);
  std::ranges::sort(info.protocols);
  const auto doubles = std::ranges::unique(info.protocols);
  info.protocols.erase(doubles.begin(), doubles.end());
  info.observed = std::move(message.observed);
  return info;
}

}  // namespace

bool PeerInfo::serves(std::string_view protocol) const {
  return std::ranges::binary_search(protocols, protocol);
}

struct Identify::State {
  Swarm& swarm;
  const KeyPair& identity;
  std::string agent, protocol_version;
  std::shared_ptr<SignatureMemo> signatures;
  std::vector<Multiaddr> addrs;
  std::uint64_t record_seq = 0;
  std::optional<Bytes> record;  // of addrs, once anybody has asked
  Time push_due = kNever;

  std::map<PeerId, Neighbour> neighbours;
  std::map<StreamKey, Hearing> hearing;
  std::set<StreamKey> pushing;     // our pushes
  Deadlines<StreamKey> deadlines;  // of both
  std::deque<Told> told;

  // --- what we say
  IdentifyMessage about_us(Turn turn, const PeerId& to) {
    IdentifyMessage message;
    message.public_key = identity.public_key().proto();
    message.listen_addrs = addrs;
    message.protocols = swarm.served();
    message.protocol_version = protocol_version;
    message.agent = agent;
    if (const auto at = neighbours.find(to); at != neighbours.end())
      message.observed = at->second.remote;
    if (!addrs.empty()) message.signed_record = our_record(turn);
    return message;
  }

  // Signed once: whoever asks again costs us no more than it costs him.
  Bytes our_record(Turn turn) {
    if (record) return *record;
    const auto wall = turn.now.wall.time_since_epoch().count();
    record_seq = std::max(record_seq + 1, static_cast<std::uint64_t>(std::max<long>(wall, 0)));
    record = seal_peer_record(identity, {identity.peer_id(), record_seq, addrs},
                              RecordFlavour::standard);
    return *record;
  }

  // A stream's first window holds all of it, so a short write means a stream that is dead.
  void say(Turn turn, StreamKey key, const PeerId& to) {
    Bytes out;
    for (const Bytes& message : encode_identify(about_us(turn, to))) put_frame(out, message);
    if (swarm.write(turn, key, out) == out.size())
      swarm.finish(turn, key);
    else
      swarm.reset(turn, key, 0);
  }

  // --- streams
  void opened(Turn turn, const StreamOpened& stream) {
    if (stream.opened_by_us) return;  // ours are known by their key; their agreement is no news
    if (stream.protocol == kIdentifyProtocol) {
      say(turn, stream.key, stream.peer);
      swarm.release(turn, stream.key);
      return;
    }
    const auto at = neighbours.find(stream.peer);
    if (at == neighbours.end() || !at->second.pushes.take(turn.now.mono) ||
        inbound_exchanges(stream.key.conn) >= kMostExchanges)
      return swarm.reset(turn, stream.key, 0);
    hear(turn, stream.key, stream.peer, true);
  }

  std::size_t inbound_exchanges(ConnId conn) const {
    return static_cast<std::size_t>(std::ranges::count_if(hearing, [&](const auto& entry) {
      return entry.first.conn == conn && entry.second.pushed;
    }));
  }

  void hear(Turn turn, StreamKey key, const PeerId& peer, bool pushed) {
    hearing.emplace(key, Hearing(peer, pushed));
    deadlines.set(key, after(turn.now.mono, kTimeout));
  }

  // Messages merge until the end of the stream.
  void readable(Turn turn, StreamKey key, Hearing& from) {
    ByteView bytes = swarm.readable(key);
    const std::size_t count = bytes.size();
    Result<void> read = take(from, bytes);
    swarm.consumed(turn, key, count);
    if (!read) end(turn, key, std::unexpected(read.error()));
  }

  static Result<void> take(Hearing& from, ByteView bytes) {
    while (!bytes.empty()) {
      ASSIGN_OR_RETURN(const auto message, from.frames.next(bytes));
      if (!message) break;
      if (++from.messages > kMostIdentifyMessages)
        return fail(Errc::limit, "identify: too many messages");
      RETURN_IF_ERROR(merge_identify(from.so_far, *message));
    }
    return {};
  }

  void finished(Turn turn, StreamKey key, Hearing& from) {
    if (from.messages == 0 || !from.frames.at_boundary())
      return end(turn, key, fail(Errc::malformed, "identify: ended within a message"));
    Bytes envelope = from.so_far.signed_record.value_or(Bytes{});
    Result<PeerInfo> info = judged(std::move(from.so_far), from.peer, signatures.get());
    if (!info) return end(turn, key, std::unexpected(info.error()));
    const bool holds =
        !info->addrs.empty() && info->addrs.front().source() == Source::signed_record;
    if (const auto at = neighbours.find(from.peer); at != neighbours.end())
      at->second.info = *std::move(info);
    end(turn, key, {}, holds ? std::move(envelope) : Bytes{});
  }

  // The one way out of `hearing`: exactly one Told for each.
  void end(Turn turn, StreamKey key, Result<void> result, Bytes envelope = {}) {
    const auto at = hearing.find(key);
    told.push_back({at->second.peer, at->second.pushed, result, std::move(envelope)});
    hearing.erase(at);
    deadlines.cancel(key);
    if (result)
      swarm.finish(turn, key);
    else
      swarm.reset(turn, key, 0);
    swarm.release(turn, key);
  }

  // --- pushing
  void push_all(Turn turn) {
    push_due = kNever;
    for (const auto& [peer, neighbour] : neighbours)
      if (!neighbour.info || neighbour.info->serves(kIdentifyPushProtocol)) push(turn, peer);
  }

  void push(Turn turn, const PeerId& peer) {
    const Time deadline = after(turn.now.mono, kTimeout);
    const std::string protocol(kIdentifyPushProtocol);
    const auto key = swarm.open_stream(turn, peer, {&protocol, 1}, deadline);
    if (!key) return;
    pushing.insert(*key);
    deadlines.set(*key, deadline);
    say(turn, *key, peer);
  }

  void push_done(Turn turn, StreamKey key) {
    pushing.erase(key);
    deadlines.cancel(key);
    swarm.release(turn, key);
  }

  void timed_out(Turn turn, StreamKey key) {
    if (hearing.contains(key))
      return end(turn, key, fail(Errc::timeout, "identify: no whole answer by the deadline"));
    swarm.reset(turn, key, 0);
    push_done(turn, key);
  }

  // --- events
  bool on_hearing(Turn turn, StreamKey key, const SwarmEvent& event) {
    const auto at = hearing.find(key);
    if (at == hearing.end()) return false;
    if (std::holds_alternative<StreamReadable>(event)) readable(turn, key, at->second);
    if (std::holds_alternative<StreamFinished>(event)) finished(turn, key, at->second);
    if (ends_stream(event)) end(turn, key, std::unexpected(cause_of(event)));
    return true;
  }

  bool on_pushing(Turn turn, StreamKey key, const SwarmEvent& event) {
    if (!pushing.contains(key)) return false;
    if (ends_stream(event) || std::holds_alternative<StreamOpened>(event)) push_done(turn, key);
    return true;
  }
};

Identify::Identify(Swarm& swarm, const KeyPair& identity, std::string agent,
                   std::string protocol_version, std::shared_ptr<SignatureMemo> signatures)
    : state_(new State{swarm,
                       identity,
                       std::move(agent),
                       std::move(protocol_version),
                       std::move(signatures),
                       {},
                       0,
                       std::nullopt,
                       kNever,
                       {},
                       {},
                       {},
                       {},
                       {}}) {
  for (const std::string_view protocol : {kIdentifyProtocol, kIdentifyPushProtocol}) {
    swarm.serve(std::string(protocol));
    swarm.not_keeping(std::string(protocol));
  }
}

Identify::~Identify() = default;

void Identify::ask(Turn turn, const Established& connection) {
  auto [at, added] = state_->neighbours.try_emplace(
      connection.peer, Neighbour{0, connection.remote, connection.key, {}, std::nullopt});
  at->second.remote = connection.remote;
  const std::string protocol(kIdentifyProtocol);
  const auto key = state_->swarm.open_stream_on(turn, connection.id, {&protocol, 1},
                                                after(turn.now.mono, kTimeout));
  if (!key) return state_->told.push_back({connection.peer, false, std::unexpected(key.error())});
  state_->hear(turn, *key, connection.peer, false);
  state_->swarm.finish(turn, *key);
}

void Identify::forget(const PeerId& peer) { state_->neighbours.erase(peer); }

void Identify::set_addrs(Turn turn, std::vector<Multiaddr> addrs) {
  if (state_->addrs == addrs) return;
  state_->addrs = std::move(addrs);
  state_->record.reset();
  protocols_changed(turn);
}

void Identify::protocols_changed(Turn turn) {
  if (state_->neighbours.empty()) return;
  state_->push_due = std::min(state_->push_due, after(turn.now.mono, kPushDelay));
}

bool Identify::on_event(Turn turn, const SwarmEvent& event) {
  const auto key = stream_of(event);
  if (!key) return false;
  if (state_->on_hearing(turn, *key, event) || state_->on_pushing(turn, *key, event)) return true;
  const auto* stream = std::get_if<StreamOpened>(&event);
  const bool ours =
      stream && !stream->opened_by_us &&
      (stream->protocol == kIdentifyProtocol || stream->protocol == kIdentifyPushProtocol);
  if (ours) state_->opened(turn, *stream);
  return ours;
}

void Identify::on_timer(Turn turn) {
  if (state_->push_due <= turn.now.mono) state_->push_all(turn);
  while (const auto key = state_->deadlines.expire(turn.now.mono)) state_->timed_out(turn, *key);
}

Time Identify::next_timer() const { return std::min(state_->push_due, state_->deadlines.next()); }

std::optional<Identify::Told> Identify::poll() {
  if (state_->told.empty()) return std::nullopt;
  Told told = std::move(state_->told.front());
  state_->told.pop_front();
  return told;
}

const PeerInfo* Identify::info(const PeerId& peer) const {
  const auto at = state_->neighbours.find(peer);
  return at != state_->neighbours.end() && at->second.info ? &*at->second.info : nullptr;
}

std::size_t Identify::exchanges() const { return state_->hearing.size() + state_->pushing.size(); }

}  // namespace kadmesh
