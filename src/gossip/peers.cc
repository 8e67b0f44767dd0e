// Who is there, and what goes to whom.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Rpc;

namespace {

std::size_t budget(Priority priority) {
  switch (priority) {
    case Priority::control:
      return gossip::kControlBudget;
    case Priority::own:
      return gossip::kOwnBudget;
    case Priority::forward:
      return gossip::kForwardBudget;
  }
  return 0;
}

// Until the stream opens: the hello will name subscriptions and grafts as they are by then.
void keep_for_hello(Rpc& control) {
  control.subscriptions.clear();
  control.idontwant.clear();
  control.graft.clear();
  if (control.prune.size() > gossip::kMostControls) control.prune.resize(gossip::kMostControls);
  if (control.iwant.size() > gossip::kMostIds) control.iwant.resize(gossip::kMostIds);
}

// It knows no control.
void keep_for_floodsub(Rpc& control) {
  Rpc kept;
  kept.subscriptions = std::move(control.subscriptions);
  control = std::move(kept);
}

}  // namespace

void Gossip::State::connected(const PeerId& peer, std::span<const Multiaddr> remotes,
                              bool outbound) {
  GossipPeer fresh;
  fresh.outbound = outbound;
  fresh.direct = direct.contains(peer);
  fresh.life = ++lives;
  if (scores) scores->connected(peer, fresh.direct ? std::span<const Multiaddr>() : remotes);
  const bool explicit_peer = fresh.direct;
  if (peers.try_emplace(peer, std::move(fresh)).second && explicit_peer) share(peer, true);
}

void Gossip::State::disconnected(Turn turn, const PeerId& peer) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  if (at->second.stream == GossipPeer::Stream::open) trace<traced::StreamClosed>(peer);
  while (!at->second.topics.empty()) peer_leaves(peer, Topic(at->second.topics.begin()->first));
  if (at->second.direct) share(peer, false);
  promised -= at->second.promised;
  groups.forget(peer);
  peers.erase(at);
  if (scores) scores->disconnected(peer, turn.now.mono);
}

void Gossip::State::stream_open(Turn turn, const PeerId& peer, std::string_view protocol) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  GossipPeer& to = at->second;
  to.stream = GossipPeer::Stream::open;
  to.version = gossip::version_of(protocol);
  trace<traced::StreamOpened>(peer, std::string(protocol));
  to.unsent = 0;
  to.slow = false;
  if (to.version == gossip::Version::floodsub) leave_meshes(peer, to);
  feed(peer, to);
  say_hello(turn, peer, to);
  for (const auto& [topic, use] : to.topics) empty_outbox(peer, topic);
  for (auto& frame : std::exchange(to.early, {})) send(peer, std::move(frame), Priority::own);
  to.early_bytes = 0;
}

// What we can do, all our subscriptions, and GRAFT where the peer is in a mesh already or the mesh
// is thin.
void Gossip::State::say_hello(Turn turn, const PeerId& peer, GossipPeer& to) {
  if (to.version >= gossip::Version::v13 && config.partial_messages)
    tell(peer).extensions = gossip::Extensions{.partial_messages = true};
  for (auto& [topic, about] : topics) {
    if (!about.subscribed) continue;
    tell(peer).subscriptions.push_back({true, topic, about.partial});
    const bool thin = about.mesh.size() < config.d_lo && about.subscribers.contains(peer);
    if (about.mesh.contains(peer))
      tell(peer).graft.push_back(topic);
    else if (thin && may_graft(turn, topic, about, peer))
      graft(turn, topic, about, peer);
  }
  std::erase_if(to.control.prune, [&](const gossip::Prune& prune) {
    return std::ranges::count(to.control.graft, prune.topic) > 0;
  });
  flush();
}

void Gossip::State::stream_closed(const PeerId& peer) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  GossipPeer& to = at->second;
  if (to.stream == GossipPeer::Stream::open) trace<traced::StreamClosed>(peer);
  to.stream = GossipPeer::Stream::closed;
  to.control = {};
  to.early.clear();
  to.early_bytes = to.unsent = 0;
  leave_meshes(peer, to);
  feed(peer, to);
}

void Gossip::State::leave_meshes(const PeerId& peer, const GossipPeer& who) {
  for (const auto& [topic, use] : who.topics) {
    GossipTopic& about = topics.find(topic)->second;
    leave_mesh(peer, topic, about);
    about.fanout.erase(peer);
  }
}

bool Gossip::State::fed_beside(const GossipPeer& who) {
  if (who.direct) return who.stream != GossipPeer::Stream::closed;
  return who.stream == GossipPeer::Stream::open && who.version == gossip::Version::floodsub;
}

void Gossip::State::feed(const PeerId& peer, const GossipPeer& who) {
  for (const auto& [topic, use] : who.topics) {
    auto& besides = topics.find(topic)->second.besides;
    fed_beside(who) ? void(besides.insert(peer)) : void(besides.erase(peer));
  }
}

void Gossip::State::sent(const PeerId& peer, std::size_t bytes) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  at->second.unsent -= std::min(bytes, at->second.unsent);
  if (at->second.unsent == 0) at->second.slow = false;
}

Rpc& Gossip::State::tell(const PeerId& peer) {
  untold.insert(peer);
  return peers.at(peer).control;
}

void Gossip::State::flush() {
  for (const PeerId& peer : std::exchange(untold, {})) {
    const auto at = peers.find(peer);
    if (at == peers.end()) continue;
    GossipPeer& to = at->second;
    if (to.stream == GossipPeer::Stream::opening) keep_for_hello(to.control);
    if (to.stream == GossipPeer::Stream::closed) to.control = {};
    if (to.stream != GossipPeer::Stream::open) continue;
    if (to.version == gossip::Version::floodsub) keep_for_floodsub(to.control);
    count_parts(counts.parts_out, to.control);
    for (Bytes& frame : gossip::encode_rpc(std::exchange(to.control, {})))
      send(peer, std::make_shared<const Bytes>(std::move(frame)), Priority::control);
  }
}

Sent Gossip::State::send(const PeerId& peer, std::shared_ptr<const Bytes> frame,
                         Priority priority) {
  GossipPeer& to = peers.at(peer);
  if (to.stream == GossipPeer::Stream::closed) return Sent::no_stream;
  if (to.stream == GossipPeer::Stream::opening) return keep_early(peer, to, std::move(frame));
  if (to.unsent + frame->size() > budget(priority)) return drop(peer, to, *frame);
  to.unsent += frame->size();
  ++counts.rpcs_out;
  if (gossip::only_message(gossip::rpc_in(*frame)))
    ++counts.parts_out[static_cast<std::size_t>(RpcPart::publish)];
  trace_sent(peer, *frame);
  actions.emplace_back(GossipSend{peer, std::move(frame)});
  return Sent::queued;
}

Sent Gossip::State::keep_early(const PeerId& peer, GossipPeer& to,
                               std::shared_ptr<const Bytes> frame) {
  if (to.early.size() >= gossip::kEarlyFrames ||
      to.early_bytes + frame->size() > gossip::kEarlyBytes) {
    ++to.dropped;
    ++counts.dropped;
    trace_dropped(peer, *frame);
    return Sent::dropped_full;
  }
  to.early_bytes += frame->size();
  to.early.push_back(std::move(frame));
  return Sent::queued;
}

Sent Gossip::State::drop(const PeerId& peer, GossipPeer& to, ByteView frame) {
  ++to.dropped;
  ++counts.dropped;
  trace_dropped(peer, frame);
  count_penalty(Penalty::slow_peer);
  if (scores) scores->too_slow(peer);
  if (std::exchange(to.slow, true)) return Sent::dropped_full;
  ++counts.slowed;
  actions.emplace_back(GossipSlow{peer});
  return Sent::dropped_full;
}

// One reason more, or less, to keep its connection: a topic that both of us subscribe to, or that
// it is an explicit peer.
void Gossip::State::share(const PeerId& peer, bool more) {
  std::size_t& shared = peers.at(peer).shared_topics;
  if (more ? shared++ == 0 : --shared == 0) actions.emplace_back(GossipHold{peer, more});
}

}  // namespace kadmesh
