// Who is there, and what goes to whom.
#include "gossip/state.h"

namespace kadmesh {

using gossip::Rpc;

void Gossip::State::connected(const PeerId& peer, bool outbound) {
  GossipPeer fresh;
  fresh.outbound = outbound;
  peers.try_emplace(peer, std::move(fresh));
}

void Gossip::State::disconnected(const PeerId& peer) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  while (!at->second.topics.empty()) peer_leaves(peer, Topic(*at->second.topics.begin()));
  for (auto& [topic, about] : topics) about.mesh.erase(peer), about.fanout.erase(peer);
  peers.erase(peer);
}

// The hello: all our subscriptions, and GRAFT where the peer is in a mesh already.
void Gossip::State::stream_open(const PeerId& peer, std::string_view protocol) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  at->second.stream = GossipPeer::Stream::open;
  at->second.v11 = protocol != "/meshsub/1.0.0";
  at->second.unsent = 0;
  Rpc hello;
  for (const auto& [topic, about] : topics) {
    if (!about.subscribed) continue;
    hello.subscriptions.push_back({true, topic});
    if (about.mesh.contains(peer)) hello.graft.push_back(topic);
  }
  send(peer, hello);
  for (auto& frame : std::exchange(at->second.early, {}))
    send(peer, std::move(frame), Priority::own);
  at->second.early_bytes = 0;
}

void Gossip::State::stream_closed(const PeerId& peer) {
  const auto at = peers.find(peer);
  if (at == peers.end()) return;
  at->second.stream = GossipPeer::Stream::closed;
  at->second.early.clear();
  at->second.early_bytes = at->second.unsent = 0;
  for (auto& [topic, about] : topics) about.mesh.erase(peer), about.fanout.erase(peer);
}

// Control of a peer whose stream is not open yet is part of the hello that it will get.
void Gossip::State::send(const PeerId& peer, const Rpc& rpc) {
  if (rpc.empty() || peers.at(peer).stream != GossipPeer::Stream::open) return;
  for (Bytes& frame : gossip::encode_rpc(rpc))
    send(peer, std::make_shared<const Bytes>(std::move(frame)), Priority::control);
}

Sent Gossip::State::send(const PeerId& peer, std::shared_ptr<const Bytes> frame,
                         Priority priority) {
  GossipPeer& to = peers.at(peer);
  if (to.stream == GossipPeer::Stream::closed) return Sent::no_stream;
  if (to.stream == GossipPeer::Stream::opening) {
    if (to.early.size() >= gossip::kEarlyFrames ||
        to.early_bytes + frame->size() > gossip::kEarlyBytes)
      return ++counts.dropped, Sent::dropped_full;
    to.early_bytes += frame->size();
    to.early.push_back(std::move(frame));
    return Sent::queued;
  }
  const std::size_t budget = priority == Priority::control ? gossip::kControlBudget
                             : priority == Priority::own   ? gossip::kOwnBudget
                                                           : gossip::kForwardBudget;
  if (to.unsent + frame->size() > budget) return ++counts.dropped, Sent::dropped_full;
  to.unsent += frame->size();
  ++counts.rpcs_out;
  actions.emplace_back(GossipSend{peer, std::move(frame)});
  return Sent::queued;
}

// One topic more, or less, that both of us subscribe to.
void Gossip::State::share(const PeerId& peer, bool more) {
  std::size_t& shared = peers.at(peer).shared_topics;
  if (more ? shared++ == 0 : --shared == 0) actions.emplace_back(GossipHold{peer, more});
}

}  // namespace kadmesh
