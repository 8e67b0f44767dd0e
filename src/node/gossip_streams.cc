#include "node/gossip_streams.h"

#include <algorithm>
#include <deque>
#include <map>
#include <variant>

#include "base/deadlines.h"
#include "base/flat_map.h"
#include "base/framing.h"
#include "transport/stream_event.h"

namespace kadmesh {
namespace {

struct Opening {
  StreamKey key;
};
// What the stream has had no room for.
struct Backlog {
  std::deque<std::shared_ptr<const Bytes>> frames;  // at least one
  std::size_t written = 0;                          // of the first frame
};
struct Open {
  StreamKey key;
  Time since;
  std::unique_ptr<Backlog> backlog{};
};
struct Waiting {};
struct Refused {};

struct Outbound {
  std::variant<Opening, Open, Waiting, Refused> state;
  unsigned reopens = 0;
};

struct Inbound {
  PeerId peer;
  FrameReader frames{Gossip::most_rpc()};
};

Duration reopen_wait(unsigned attempt) {
  Duration wait = GossipStreams::kReopenFirst;
  for (unsigned i = 0; i < attempt && wait < GossipStreams::kReopenMost; ++i) wait *= 2;
  return std::min(wait, GossipStreams::kReopenMost);
}

}  // namespace

struct GossipStreams::State {
  Swarm& swarm;
  Gossip& gossip;
  FlatMap<PeerId, Outbound> outbound;
  FlatMap<StreamKey, PeerId> ours;  // opening and open ones
  FlatMap<StreamKey, Inbound> inbound;
  FlatMap<PeerId, StreamKey> theirs;
  Deadlines<PeerId> reopenings;  // of those that are Waiting
  Deadlines<StreamKey> cut_off;  // of inbound ones, within an RPC
  std::uint64_t heard = 0;

  const std::vector<std::string>& protocols() const { return gossip.config().protocols; }

  // --- ours
  void open(Turn turn, const PeerId& peer) {
    Outbound& out = outbound.try_emplace(peer, Outbound{Refused{}, 0}).first->second;
    if (protocols().empty())
      return broken(turn, peer, out, {Errc::unsupported, "we speak no GossipSub"});
    const auto key = swarm.open_stream(turn, peer, protocols(), after(turn.now.mono, kOpenTimeout));
    if (!key) return broken(turn, peer, out, key.error());
    out.state = Opening{*key};
    ours.try_emplace(*key, peer);
  }

  void agreed(Turn turn, const StreamOpened& stream) {
    Outbound& out = outbound.at(stream.peer);
    out.state = Open{stream.key, turn.now.mono};
    gossip.on_stream_open(turn, stream.peer, stream.protocol);
  }

  void broken(Turn turn, const PeerId& peer, Outbound& out, const Error& why) {
    // A peer that agrees and resets at once gets our hello as seldom as one that never agrees.
    const auto* open = std::get_if<Open>(&out.state);
    if (open && after(open->since, kReopenMost) <= turn.now.mono) out.reopens = 0;
    const bool give_up = why.code == Errc::unsupported || out.reopens >= kMostReopens;
    if (give_up) {
      out.state = Refused{};
    } else {
      out.state = Waiting{};
      reopenings.set(peer, after(turn.now.mono, reopen_wait(out.reopens++)));
    }
    gossip.on_stream_closed(turn, peer, why);
  }

  void send(Turn turn, const PeerId& peer, Open& open, std::shared_ptr<const Bytes> frame) {
    if (open.backlog) return open.backlog->frames.push_back(std::move(frame));
    const std::size_t count = swarm.write(turn, open.key, frame);
    if (count < frame->size())
      open.backlog = std::make_unique<Backlog>(Backlog{{std::move(frame)}, count});
    if (count > 0) gossip.on_sent(turn, peer, count);
  }

  void flush(Turn turn, const PeerId& peer, Open& open) {
    std::size_t sent = 0;
    while (Backlog* waiting = open.backlog.get()) {
      const ByteView rest = ByteView(*waiting->frames.front()).subspan(waiting->written);
      const std::size_t count = swarm.write(turn, open.key, rest);
      sent += count;
      waiting->written += count;
      if (count < rest.size()) break;
      waiting->frames.pop_front();
      waiting->written = 0;
      if (waiting->frames.empty()) open.backlog.reset();
    }
    if (sent > 0) gossip.on_sent(turn, peer, sent);
  }

  void on_ours(Turn turn, const SwarmEvent& event, StreamKey key, const PeerId& peer) {
    Outbound& out = outbound.at(peer);
    if (const auto* stream = std::get_if<StreamOpened>(&event)) return agreed(turn, *stream);
    if (ends_stream(event)) {
      const PeerId owner = peer;
      ours.erase(key);
      return broken(turn, owner, out, cause_of(event));
    }
    if (std::holds_alternative<StreamWritable>(event)) {
      if (auto* open = std::get_if<Open>(&out.state)) flush(turn, peer, *open);
    }
    // Nothing is said to us on our own stream; whatever comes is dropped.
    if (std::holds_alternative<StreamReadable>(event))
      swarm.consumed(turn, key, swarm.readable(key).size());
  }

  // --- theirs
  void accept(Turn turn, const StreamOpened& stream) {
    if (const auto older = theirs.find(stream.peer); older != theirs.end())
      drop(turn, older->second);
    theirs.try_emplace(stream.peer, stream.key);
    inbound.try_emplace(stream.key, Inbound{stream.peer});
    gossip.on_stream_accepted(turn, stream.peer);
  }

  void drop(Turn turn, StreamKey key) {
    const auto at = inbound.find(key);
    theirs.erase(at->second.peer);
    inbound.erase(at);
    cut_off.cancel(key);
    swarm.release(turn, key);
  }

  void read(Turn turn, StreamKey key, Inbound& in) {
    ByteView bytes = swarm.readable(key);
    const std::size_t count = bytes.size();
    bool begins = in.frames.at_boundary();
    while (!bytes.empty()) {
      const auto rpc = in.frames.next_view(bytes);
      if (!rpc) return abort(turn, key);
      if (!*rpc) break;
      begins = true;
      heard += (*rpc)->size();
      gossip.on_rpc(turn, in.peer, **rpc);
    }
    swarm.consumed(turn, key, count);
    if (in.frames.at_boundary())
      cut_off.cancel(key);
    else if (begins)
      cut_off.set(key, after(turn.now.mono, kRpcTimeout));
  }

  void abort(Turn turn, StreamKey key) {
    swarm.reset(turn, key, 0);
    drop(turn, key);
  }

  void on_theirs(Turn turn, const SwarmEvent& event, StreamKey key, Inbound& in) {
    if (std::holds_alternative<StreamReadable>(event)) read(turn, key, in);
    if (std::holds_alternative<StreamFinished>(event) || ends_stream(event)) drop(turn, key);
  }
};

GossipStreams::GossipStreams(Swarm& swarm, Gossip& gossip)
    : state_(new State{swarm, gossip, {}, {}, {}, {}, {}, {}}) {
  for (const std::string& protocol : gossip.config().protocols) {
    swarm.serve(protocol);
    swarm.not_keeping(protocol);
  }
}

GossipStreams::~GossipStreams() = default;

void GossipStreams::on_connected(Turn turn, const PeerId& peer) { state_->open(turn, peer); }

// Its streams died with the connection, and said so before.
void GossipStreams::on_disconnected(const PeerId& peer) {
  state_->outbound.erase(peer);
  state_->reopenings.cancel(peer);
}

void GossipStreams::retry(Turn turn, const PeerId& peer) {
  const auto at = state_->outbound.find(peer);
  if (at == state_->outbound.end() || !std::holds_alternative<Refused>(at->second.state)) return;
  at->second.reopens = 0;
  state_->open(turn, peer);
}

void GossipStreams::send(Turn turn, const GossipSend& message) {
  const auto at = state_->outbound.find(message.peer);
  if (at == state_->outbound.end()) return;
  auto* open = std::get_if<Open>(&at->second.state);
  if (!open) return;
  state_->send(turn, message.peer, *open, message.frame);
}

void GossipStreams::fault(Turn turn, const GossipFault& fault) {
  const auto at = state_->theirs.find(fault.peer);
  if (at == state_->theirs.end()) return;
  state_->abort(turn, StreamKey(at->second));
}

bool GossipStreams::on_event(Turn turn, const SwarmEvent& event) {
  const auto key = stream_of(event);
  if (!key) return false;
  if (const auto at = state_->inbound.find(*key); at != state_->inbound.end()) {
    state_->on_theirs(turn, event, *key, at->second);
    return true;
  }
  if (const auto at = state_->ours.find(*key); at != state_->ours.end()) {
    state_->on_ours(turn, event, *key, at->second);
    return true;
  }
  const auto* stream = std::get_if<StreamOpened>(&event);
  const bool for_us = stream && !stream->opened_by_us &&
                      std::ranges::count(state_->protocols(), stream->protocol) > 0;
  if (for_us) state_->accept(turn, *stream);
  return for_us;
}

void GossipStreams::on_timer(Turn turn) {
  while (const auto peer = state_->reopenings.expire(turn.now.mono)) state_->open(turn, *peer);
  while (const auto key = state_->cut_off.expire(turn.now.mono)) state_->abort(turn, *key);
}

Time GossipStreams::next_timer() const {
  return std::min(state_->reopenings.next(), state_->cut_off.next());
}

std::size_t GossipStreams::unsent_bytes() const {
  std::size_t total = 0;
  for (const auto& [peer, out] : state_->outbound)
    if (const auto* open = std::get_if<Open>(&out.state); open && open->backlog) {
      for (const auto& frame : open->backlog->frames) total += frame->size();
      total -= open->backlog->written;
    }
  return total;
}

std::uint64_t GossipStreams::heard() const { return state_->heard; }
std::size_t GossipStreams::streams() const { return state_->ours.size() + state_->inbound.size(); }

}  // namespace kadmesh
