#include "node/backfill_streams.h"

#include <algorithm>
#include <map>

#include "base/deadlines.h"
#include "base/framing.h"
#include "transport/request.h"
#include "transport/stream_event.h"

namespace kadmesh {
namespace {

struct Serving {
  explicit Serving(const PeerId& of) : peer(of) {}

  PeerId peer;
  FrameReader frames{gossip::kMostQuestion};
  std::optional<BackfillId> question;  // it has come whole
  Bytes out;                           // of the answer, not yet taken by the stream
};

}  // namespace

struct BackfillStreams::State {
  State(Swarm& connections, Backfill& core)
      : swarm(connections), backfill(core), requester(connections) {}

  Swarm& swarm;
  Backfill& backfill;
  Requester requester;
  std::map<RequestId, BackfillRequestId> asked;
  std::map<BackfillRequestId, RequestId> requests;
  std::map<StreamKey, Serving> serving;
  std::map<BackfillId, StreamKey> waiting;
  std::map<PeerId, std::size_t> of_peer;
  Deadlines<StreamKey> deadlines;

  void accept(Turn turn, const StreamOpened& stream) {
    const auto its = of_peer.find(stream.peer);
    if (serving.size() >= kMost || (its != of_peer.end() && its->second >= kMostOfPeer)) {
      swarm.reset(turn, stream.key, 0);
      return swarm.release(turn, stream.key);
    }
    ++of_peer[stream.peer];
    serving.emplace(stream.key, Serving(stream.peer));
    deadlines.set(stream.key, after(turn.now.mono, kServeTimeout));
  }

  void drop(Turn turn, StreamKey key) {
    const auto at = serving.find(key);
    if (at->second.question) {
      waiting.erase(*at->second.question);
      backfill.on_gone(*at->second.question);
    }
    const auto count = of_peer.find(at->second.peer);
    if (--count->second == 0) of_peer.erase(count);
    serving.erase(at);
    deadlines.cancel(key);
    swarm.release(turn, key);
  }

  void abort(Turn turn, StreamKey key) {
    swarm.reset(turn, key, 0);
    drop(turn, key);
  }

  // What comes behind the question is read and dropped.
  void read(Turn turn, StreamKey key, Serving& from) {
    ByteView bytes = swarm.readable(key);
    const std::size_t count = bytes.size();
    if (from.question) return swarm.consumed(turn, key, count);
    const auto question = from.frames.next(bytes);
    swarm.consumed(turn, key, count);
    if (!question) return abort(turn, key);
    if (!*question) return;
    from.question = backfill.on_question(turn, from.peer, **question);
    waiting.emplace(*from.question, key);
  }

  void write(Turn turn, StreamKey key, Serving& to) {
    const std::size_t count = swarm.write(turn, key, to.out);
    to.out.erase(to.out.begin(), to.out.begin() + static_cast<std::ptrdiff_t>(count));
    if (!to.out.empty()) return;
    swarm.finish(turn, key);
    drop(turn, key);
  }

  void on_own(Turn turn, StreamKey key, const SwarmEvent& event, Serving& from) {
    if (ends_stream(event)) return drop(turn, key);
    if (std::holds_alternative<StreamReadable>(event)) return read(turn, key, from);
    if (std::holds_alternative<StreamWritable>(event) && !from.out.empty())
      return write(turn, key, from);
    if (std::holds_alternative<StreamFinished>(event) && !from.question) abort(turn, key);
  }
};

BackfillStreams::BackfillStreams(Swarm& swarm, Backfill& backfill)
    : state_(std::make_unique<State>(swarm, backfill)) {
  if (backfill.config().keep != Keep::nothing) swarm.serve(backfill.config().protocol);
}

BackfillStreams::~BackfillStreams() = default;

void BackfillStreams::ask(Turn turn, BackfillRequest request) {
  const RequestId id =
      state_->requester.ask(turn, Request{.peer = request.peer,
                                          .addrs = {},
                                          .protocols = {state_->backfill.config().protocol},
                                          .message = std::move(request.message),
                                          .most_reply = gossip::kMostAnswer,
                                          .deadline = request.deadline});
  state_->asked.emplace(id, request.id);
  state_->requests.emplace(request.id, id);
}

void BackfillStreams::cancel(Turn turn, const BackfillCancel& cancelled) {
  const auto at = state_->requests.find(cancelled.id);
  if (at == state_->requests.end()) return;
  state_->requester.cancel(turn, at->second);
  state_->asked.erase(at->second);
  state_->requests.erase(at);
}

bool BackfillStreams::step(Turn turn) {
  bool moved = false;
  while (auto completed = state_->requester.poll()) {
    moved = true;
    const auto at = state_->asked.find(completed->id);
    if (at == state_->asked.end()) continue;
    const BackfillRequestId id = at->second;
    state_->asked.erase(at);
    state_->requests.erase(id);
    if (completed->reply)
      state_->backfill.on_answer(turn, id, *completed->reply);
    else
      state_->backfill.on_request_failed(id, completed->reply.error());
  }
  return moved;
}

void BackfillStreams::reply(Turn turn, const BackfillReply& reply) {
  const auto at = state_->waiting.find(reply.id);
  if (at == state_->waiting.end()) return;
  const StreamKey key = at->second;
  state_->waiting.erase(at);
  Serving& to = state_->serving.at(key);
  to.out = frame(reply.message);
  state_->write(turn, key, to);
}

bool BackfillStreams::on_event(Turn turn, const SwarmEvent& event) {
  if (state_->requester.on_event(turn, event)) return true;
  const auto key = stream_of(event);
  if (!key) return false;
  if (const auto at = state_->serving.find(*key); at != state_->serving.end()) {
    state_->on_own(turn, *key, event, at->second);
    return true;
  }
  const BackfillConfig& config = state_->backfill.config();
  const auto* stream = std::get_if<StreamOpened>(&event);
  const bool for_us = stream && !stream->opened_by_us && config.keep != Keep::nothing &&
                      stream->protocol == config.protocol;
  if (for_us) state_->accept(turn, *stream);
  return for_us;
}

void BackfillStreams::on_timer(Turn turn) {
  state_->requester.on_timer(turn);
  while (const auto key = state_->deadlines.expire(turn.now.mono)) state_->abort(turn, *key);
}

Time BackfillStreams::next_timer() const {
  return std::min(state_->requester.next_timer(), state_->deadlines.next());
}

std::size_t BackfillStreams::streams() const { return state_->serving.size(); }
std::size_t BackfillStreams::outstanding() const { return state_->requester.outstanding(); }

}  // namespace kadmesh
