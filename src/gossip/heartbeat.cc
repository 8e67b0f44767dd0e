// Once a second: meshes are tended, fanouts expire, gossip goes out, caches age
// (gossipsub-v1.0.md "Heartbeat"; v1.1 "Outbound mesh quotas").
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Rpc;

void Gossip::State::heartbeat(Turn turn) {
  next_heartbeat = after(turn.now.mono, config.heartbeat);
  for (auto& [peer, state] : peers) state.ihaves = state.asked = 0;
  seen.expire(turn.now.mono);
  backoff.expire(turn.now.mono);
  std::erase_if(asking, [&](const auto& entry) {
    return after(entry.second, gossip::kAskAgain) <= turn.now.mono;
  });
  std::vector<Topic> names;
  for (const auto& [topic, about] : topics) names.push_back(topic);
  for (const Topic& topic : names) {
    GossipTopic& about = topics.at(topic);
    if (about.subscribed)
      tend_mesh(turn, topic, about);
    else
      tend_fanout(turn, about);
    emit_gossip(turn, topic, about);
    forget_if_empty(topic);
  }
  cache.shift();
}

void Gossip::State::tend_mesh(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() < config.d_lo) graft(turn, topic, config.d);
  if (about.mesh.size() > config.d_hi) shrink(turn, topic, about);
  ensure_outbound(turn, topic, about);
}

// Down to D at random, but never so that fewer than Dout of our own dials are left: those are the
// peers that an attacker who dials us cannot choose.
void Gossip::State::shrink(Turn turn, const Topic& topic, GossipTopic& about) {
  std::vector<PeerId> members(about.mesh.begin(), about.mesh.end());
  turn.rng.shuffle(std::span(members));
  std::size_t outbound = static_cast<std::size_t>(
      std::ranges::count_if(members, [&](const PeerId& p) { return peers.at(p).outbound; }));
  for (const PeerId& peer : members) {
    if (about.mesh.size() <= config.d) return;
    if (peers.at(peer).outbound && outbound-- <= config.d_out) {
      ++outbound;
      continue;
    }
    prune(turn, topic, peer, config.prune_backoff);
  }
}

void Gossip::State::ensure_outbound(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() < config.d_lo) return;
  auto have = static_cast<std::size_t>(
      std::ranges::count_if(about.mesh, [&](const PeerId& p) { return peers.at(p).outbound; }));
  if (have >= config.d_out) return;
  Rpc rpc;
  rpc.graft.push_back(topic);
  for (const PeerId& peer : graftable(turn, topic, about, about.subscribers.size())) {
    if (have >= config.d_out) return;
    if (!peers.at(peer).outbound) continue;
    about.mesh.insert(peer);
    send(peer, rpc);
    ++counts.grafts;
    ++have;
  }
}

void Gossip::State::tend_fanout(Turn turn, GossipTopic& about) {
  if (about.fanout_until <= turn.now.mono) return about.fanout.clear();
  for (const PeerId& peer : about.subscribers)
    if (about.fanout.size() < config.d) about.fanout.insert(peer);
}

// IHAVE to some who are not in the mesh: that is how a message finds a way around a broken one.
void Gossip::State::emit_gossip(Turn turn, const Topic& topic, const GossipTopic& about) {
  if (!about.subscribed && about.fanout.empty()) return;
  auto ids = cache.ids(topic);
  if (ids.empty()) return;
  const std::set<PeerId>& fed = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers)
    if (!fed.contains(peer) && peers.at(peer).stream == GossipPeer::Stream::open)
      others.push_back(peer);
  turn.rng.shuffle(std::span(others));
  const std::size_t most =
      std::max(config.d_lazy, others.size() * config.gossip_factor_percent / 100);
  if (others.size() > most)
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(most), others.end());
  for (const PeerId& peer : others) {
    turn.rng.shuffle(std::span(ids));
    Rpc rpc;
    rpc.ihave.push_back({topic, ids});
    if (ids.size() > gossip::kMostIds) rpc.ihave.front().ids.resize(gossip::kMostIds);
    send(peer, rpc);
    ++counts.ihave_sent;
  }
}

// Who judges has had its time: the message is ignored.
void Gossip::State::expire_validations(Time now) {
  std::erase_if(validating, [&](const auto& entry) { return entry.second.deadline <= now; });
}

}  // namespace kadmesh
