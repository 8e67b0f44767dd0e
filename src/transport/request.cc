#include "transport/request.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <variant>

#include "base/framing.h"
#include "base/timer_wheel.h"
#include "transport/kept_streams.h"
#include "transport/stream_code.h"

namespace kadmesh {

namespace {
std::uint32_t reset_code(Errc why) {
  return why == Errc::malformed || why == Errc::limit ? stream_code::kProtocolViolation
                                                      : stream_code::kNone;
}
}  // namespace

struct Requester::State {
  struct Pending {
    explicit Pending(Request what)
        : request(std::move(what)), framed(frame(request.message)), reader(request.most_reply) {
      request.message = Bytes();
    }

    Request request;
    Bytes framed;             // kept until the peer has agreed: a dead connection loses it
    std::size_t written = 0;  // of framed
    std::string agreed;       // the protocol; empty until the peer has said so
    bool retried = false;
    bool reused = false;  // its stream has answered before
    std::optional<DialId> dial;
    std::optional<StreamKey> stream;
    FrameReader reader;

    bool sent() const { return written == framed.size(); }
    bool keeps_stream() const { return request.reuses_stream && request.expects_reply; }
  };

  explicit State(Swarm& s) : swarm(s), kept(s) {}

  Pending* find(RequestId id) {
    const auto at = pending.find(id);
    return at == pending.end() ? nullptr : &at->second;
  }

  void start(Turn turn, RequestId id);
  bool reuse(Turn turn, RequestId id);
  void dial(Turn turn, RequestId id);
  void open(Turn turn, RequestId id);
  void write(Turn turn, RequestId id);
  void read(Turn turn, RequestId id);
  void settle(Turn turn, RequestId id);
  void complete(Turn turn, RequestId id, Result<Bytes> reply);
  void let_go(Turn turn, RequestId id, const Result<Bytes>& reply);
  void leave(Turn turn, const Pending& one);
  void lost(Turn turn, RequestId id, const Error& cause);

  // One for each kind of event; true when it was ours.
  bool on(Turn turn, const DialFinished& event);
  bool on(Turn turn, const StreamOpened& event);
  bool on(Turn turn, const OpenFailed& event);
  bool on(Turn turn, const StreamReadable& event);
  bool on(Turn turn, const StreamWritable& event);
  bool on(Turn turn, const StreamFinished& event);
  bool on(Turn turn, const StreamReset& event);
  static bool on(Turn, const Established&) { return false; }
  static bool on(Turn, const Disconnected&) { return false; }
  std::optional<RequestId> owner(StreamKey key) const;

  Swarm& swarm;
  KeptStreams kept;
  TimerWheel deadlines;
  std::uint64_t last_id = 0;
  std::map<RequestId, Pending> pending;
  std::map<DialId, RequestId> by_dial;
  std::map<StreamKey, RequestId> by_stream;
  std::deque<Completed> done;
};

// --- the life of a request

void Requester::State::start(Turn turn, RequestId id) {
  if (reuse(turn, id)) return;
  if (swarm.connected(pending.at(id).request.peer)) {
    open(turn, id);
  } else {
    dial(turn, id);
  }
}

// Once: who has waited for a dead stream tries a new one.
bool Requester::State::reuse(Turn turn, RequestId id) {
  Pending& one = pending.at(id);
  if (!one.keeps_stream() || one.retried) return false;
  auto taken = kept.take(turn, one.request.peer, one.request.protocols);
  if (!taken) return false;
  one.reused = true;
  one.agreed = std::move(taken->protocol);
  one.stream = taken->key;
  by_stream.emplace(taken->key, id);
  write(turn, id);
  return true;
}

void Requester::State::dial(Turn turn, RequestId id) {
  Pending& one = pending.at(id);
  one.dial = swarm.dial(turn, one.request.peer, one.request.addrs, one.request.deadline);
  by_dial.emplace(*one.dial, id);
}

void Requester::State::open(Turn turn, RequestId id) {
  Pending& one = pending.at(id);
  auto key = swarm.open_stream(turn, one.request.peer, one.request.protocols, one.request.deadline);
  if (!key) return complete(turn, id, std::unexpected(std::move(key).error()));
  one.stream = *key;
  one.written = 0;
  by_stream.emplace(*key, id);
  write(turn, id);
}

void Requester::State::write(Turn turn, RequestId id) {
  Pending& one = pending.at(id);
  if (one.sent()) return;
  one.written += swarm.write(turn, *one.stream, ByteView(one.framed).subspan(one.written));
  if (!one.sent()) return;
  if (!one.keeps_stream()) swarm.finish(turn, *one.stream);
  settle(turn, id);
}

// A request that wants no reply is done once it has been sent to a peer that agreed.
void Requester::State::settle(Turn turn, RequestId id) {
  const Pending& one = pending.at(id);
  if (!one.agreed.empty() && one.sent() && !one.request.expects_reply) complete(turn, id, Bytes());
}

void Requester::State::read(Turn turn, RequestId id) {
  Pending& one = pending.at(id);
  if (!one.request.expects_reply) return;
  const ByteView waiting = swarm.readable(*one.stream);
  ByteView rest = waiting;
  auto reply = one.reader.next(rest);
  swarm.consumed(turn, *one.stream, waiting.size() - rest.size());
  if (!reply) {
    complete(turn, id, std::unexpected(std::move(reply).error()));
  } else if (*reply) {
    complete(turn, id, std::move(**reply));
  }
}

void Requester::State::complete(Turn turn, RequestId id, Result<Bytes> reply) {
  let_go(turn, id, reply);
  done.push_back({id, std::move(reply)});
}

void Requester::State::let_go(Turn turn, RequestId id, const Result<Bytes>& reply) {
  const auto node = pending.extract(id);
  const Pending& one = node.mapped();
  deadlines.cancel(std::to_underlying(id));
  if (one.dial) {
    by_dial.erase(*one.dial);
    swarm.cancel_dial(turn, *one.dial);
  }
  if (!one.stream) return;
  by_stream.erase(*one.stream);
  if (reply) return leave(turn, one);
  swarm.reset(turn, *one.stream, reset_code(reply.error().code));
}

// A stream that has done its work. Who says more than it was asked is asked no more on it.
void Requester::State::leave(Turn turn, const Pending& one) {
  if (one.keeps_stream() && one.sent() && swarm.readable(*one.stream).empty())
    return kept.keep(turn, one.request.peer, one.agreed, *one.stream);
  if (one.keeps_stream()) swarm.finish(turn, *one.stream);
  swarm.release(turn, *one.stream);
}

// Before the reply was whole.
void Requester::State::lost(Turn turn, RequestId id, const Error& cause) {
  Pending& one = pending.at(id);
  if (!std::exchange(one.reused, false)) return complete(turn, id, std::unexpected(cause));
  by_stream.erase(*one.stream);
  swarm.reset(turn, *one.stream, stream_code::kNone);
  one.stream.reset();
  one.agreed.clear();
  one.retried = true;
  one.reader = FrameReader(one.request.most_reply);
  start(turn, id);
}

// --- what the swarm says

std::optional<RequestId> Requester::State::owner(StreamKey key) const {
  const auto at = by_stream.find(key);
  return at == by_stream.end() ? std::nullopt : std::optional(at->second);
}

bool Requester::State::on(Turn turn, const DialFinished& event) {
  const auto at = by_dial.find(event.id);
  if (at == by_dial.end()) return false;
  const RequestId id = at->second;
  by_dial.erase(at);
  pending.at(id).dial.reset();
  if (event.result) {
    open(turn, id);
  } else {
    complete(turn, id, std::unexpected(event.result.error()));
  }
  return true;
}

bool Requester::State::on(Turn turn, const StreamOpened& event) {
  const auto id = owner(event.key);
  if (!id) return false;
  pending.at(*id).agreed = event.protocol;
  settle(turn, *id);
  return true;
}

// Others close idle connections without a word (rust after 10 s), so a request may have been sent
// into one that was already dead. Nobody agreed to anything: it goes out once more.
bool Requester::State::on(Turn turn, const OpenFailed& event) {
  const auto id = owner(event.key);
  if (!id) return false;
  Pending& one = pending.at(*id);
  by_stream.erase(event.key);
  one.stream.reset();
  if (one.retried || one.request.addrs.empty() || swarm.connected(event.peer)) {
    complete(turn, *id, std::unexpected(event.cause));
  } else {
    one.retried = true;
    start(turn, *id);
  }
  return true;
}

bool Requester::State::on(Turn turn, const StreamReadable& event) {
  const auto id = owner(event.key);
  if (id) read(turn, *id);
  return id.has_value();
}

bool Requester::State::on(Turn turn, const StreamWritable& event) {
  const auto id = owner(event.key);
  if (id) write(turn, *id);
  return id.has_value();
}

bool Requester::State::on(Turn turn, const StreamFinished& event) {
  const auto id = owner(event.key);
  if (!id) return false;
  if (pending.at(*id).request.expects_reply)
    lost(turn, *id, {Errc::closed, "the peer ended the stream before a whole reply"});
  return true;
}

bool Requester::State::on(Turn turn, const StreamReset& event) {
  const auto id = owner(event.key);
  if (id) lost(turn, *id, event.cause);
  return id.has_value();
}

// --- the public face

Requester::Requester(Swarm& swarm) : state_(std::make_unique<State>(swarm)) {}
Requester::~Requester() = default;

RequestId Requester::ask(Turn turn, Request request) {
  State& s = *state_;
  const RequestId id{++s.last_id};
  if (s.pending.size() >= kMostRequests) {
    s.done.push_back(
        {id, fail(Errc::limit,
                  "requests of this node: " + std::to_string(kMostRequests) + " are outstanding")});
    return id;
  }
  s.deadlines.set(std::to_underlying(id), request.deadline);
  s.pending.emplace(id, std::move(request));
  s.start(turn, id);
  return id;
}

void Requester::cancel(Turn turn, RequestId id) {
  std::erase_if(state_->done, [id](const Completed& one) { return one.id == id; });
  if (state_->find(id)) state_->let_go(turn, id, fail(Errc::cancelled));
}

bool Requester::on_event(Turn turn, const SwarmEvent& event) {
  return state_->kept.on_event(turn, event) ||
         std::visit([&](const auto& e) { return state_->on(turn, e); }, event);
}

void Requester::on_timer(Turn turn) {
  state_->kept.on_timer(turn);
  while (const auto key = state_->deadlines.expire(turn.now.mono)) {
    state_->complete(turn, RequestId{*key},
                     fail(Errc::timeout, "the request's deadline came before its reply"));
  }
}

Time Requester::next_timer() const {
  return std::min(state_->deadlines.next(), state_->kept.next_timer());
}

std::optional<Completed> Requester::poll() {
  if (state_->done.empty()) return std::nullopt;
  Completed one = std::move(state_->done.front());
  state_->done.pop_front();
  return one;
}

std::size_t Requester::outstanding() const { return state_->pending.size(); }
std::size_t Requester::kept_streams() const { return state_->kept.size(); }

}  // namespace kadmesh
