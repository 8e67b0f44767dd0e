#include "node/kad_streams.h"

#include <algorithm>
#include <map>

#include "base/deadlines.h"
#include "base/framing.h"
#include "kad/params.h"
#include "transport/stream_event.h"

namespace kadmesh {
namespace {

struct Serving {
  explicit Serving(const PeerId& of) : peer(of) {}

  PeerId peer;
  FrameReader frames{kMostRequest};
  std::optional<KadInboundId> busy;  // its answer is awaited
  Bytes out;                         // of an answer, not yet taken by the stream
  bool ended = false;                // the peer will ask no more
};

}  // namespace

struct KadStreams::State {
  Swarm& swarm;
  Kad& kad;
  std::map<StreamKey, Serving> serving;
  std::map<KadInboundId, StreamKey> waiting;
  std::map<PeerId, std::size_t> of_peer;
  Deadlines<StreamKey> idle;
  std::uint64_t heard = 0;
  bool serves = false;

  void accept(Turn turn, const StreamOpened& stream) {
    if (of_peer[stream.peer] >= kMostOfPeer) {
      swarm.reset(turn, stream.key, 0);
      return swarm.release(turn, stream.key);
    }
    ++of_peer[stream.peer];
    serving.emplace(stream.key, Serving(stream.peer));
    keep(turn, stream.key);
  }

  void keep(Turn turn, StreamKey key) { idle.set(key, after(turn.now.mono, kIdle)); }

  void drop(Turn turn, StreamKey key) {
    const auto at = serving.find(key);
    if (at->second.busy) waiting.erase(*at->second.busy);
    const auto count = of_peer.find(at->second.peer);
    if (--count->second == 0) of_peer.erase(count);
    serving.erase(at);
    idle.cancel(key);
    swarm.release(turn, key);
  }

  void abort(Turn turn, StreamKey key) {
    swarm.reset(turn, key, 0);
    drop(turn, key);
  }

  // Reads up to the next whole request, if none is being answered.
  void read(Turn turn, StreamKey key, Serving& from) {
    if (from.busy || !from.out.empty()) return;
    ByteView bytes = swarm.readable(key);
    const std::size_t before = bytes.size();
    if (before == 0) return;
    const auto request = from.frames.next(bytes);
    swarm.consumed(turn, key, before - bytes.size());
    if (!request) return abort(turn, key);
    if (!*request) return;
    keep(turn, key);
    heard += (*request)->size();
    from.busy = kad.on_request(turn, from.peer, **request);
    waiting.emplace(*from.busy, key);
  }

  void write(Turn turn, StreamKey key, Serving& to) {
    const std::size_t count = swarm.write(turn, key, to.out);
    to.out.erase(to.out.begin(), to.out.begin() + static_cast<std::ptrdiff_t>(count));
    if (to.out.empty()) next(turn, key, to);
  }

  void next(Turn turn, StreamKey key, Serving& from) {
    if (!from.ended || !swarm.readable(key).empty()) return read(turn, key, from);
    swarm.finish(turn, key);
    drop(turn, key);
  }

  void on_own(Turn turn, StreamKey key, const SwarmEvent& event, Serving& from) {
    if (ends_stream(event)) return drop(turn, key);
    if (std::holds_alternative<StreamReadable>(event)) return read(turn, key, from);
    if (std::holds_alternative<StreamWritable>(event) && !from.out.empty())
      return write(turn, key, from);
    if (std::holds_alternative<StreamFinished>(event)) {
      from.ended = true;
      if (!from.busy && from.out.empty()) next(turn, key, from);
    }
  }

  // The stream that awaits this answer, which is thereby no longer awaited.
  std::optional<StreamKey> answered(KadInboundId id) {
    const auto at = waiting.find(id);
    if (at == waiting.end()) return std::nullopt;
    const StreamKey key = at->second;
    waiting.erase(at);
    serving.at(key).busy.reset();
    return key;
  }
};

KadStreams::KadStreams(Swarm& swarm, Kad& kad, bool serving)
    : state_(new State{swarm, kad, {}, {}, {}, {}}) {
  state_->serves = serving;
  if (serving) swarm.serve(kad.config().protocol);
}

KadStreams::~KadStreams() = default;

bool KadStreams::serve(Turn turn, bool serving) {
  State& s = *state_;
  if (std::exchange(s.serves, serving) == serving) return false;
  if (serving) return s.swarm.serve(s.kad.config().protocol), true;
  s.swarm.stop_serving(s.kad.config().protocol);
  while (!s.serving.empty()) s.abort(turn, StreamKey(s.serving.begin()->first));
  return true;
}

void KadStreams::reply(Turn turn, const KadReply& reply) {
  const auto key = state_->answered(reply.id);
  if (!key) return;
  Serving& to = state_->serving.at(*key);
  state_->keep(turn, *key);
  if (!reply.message) return state_->next(turn, *key, to);
  to.out = frame(*reply.message);
  state_->write(turn, *key, to);
}

void KadStreams::refuse(Turn turn, const KadRefuse& refusal) {
  if (const auto key = state_->answered(refusal.id)) state_->abort(turn, *key);
}

bool KadStreams::on_event(Turn turn, const SwarmEvent& event) {
  const auto key = stream_of(event);
  if (!key) return false;
  if (const auto at = state_->serving.find(*key); at != state_->serving.end()) {
    state_->on_own(turn, *key, event, at->second);
    return true;
  }
  const auto* stream = std::get_if<StreamOpened>(&event);
  const bool for_us =
      stream && !stream->opened_by_us && stream->protocol == state_->kad.config().protocol;
  if (for_us) state_->accept(turn, *stream);
  return for_us;
}

void KadStreams::on_timer(Turn turn) {
  while (const auto key = state_->idle.expire(turn.now.mono)) state_->abort(turn, *key);
}

Time KadStreams::next_timer() const { return state_->idle.next(); }

std::uint64_t KadStreams::heard() const { return state_->heard; }
std::size_t KadStreams::streams() const { return state_->serving.size(); }

}  // namespace kadmesh
