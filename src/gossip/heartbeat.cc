// Once a second: meshes are tended, fanouts expire, gossip goes out, caches age
// (gossipsub-v1.0.md "Heartbeat"; v1.1 "Outbound mesh quotas").
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

void Gossip::State::heartbeat(Turn turn) {
  next_heartbeat = after(turn.now.mono, config.heartbeat);
  ++beat;
  forget_old(turn.now.mono);
  for (auto at = topics.begin(); at != topics.end();) {
    auto& [topic, about] = *at;
    about.subscribed ? tend_mesh(turn, topic, about) : tend_fanout(turn, about);
    at = about.forgettable() ? topics.erase(at) : std::next(at);
  }
  for (auto& [topic, ids] : cache.told())
    if (const auto at = topics.find(topic); at != topics.end())
      emit_gossip(turn, topic, at->second, ids);
  cache.shift();
}

void Gossip::State::forget_old(Time now) {
  seen.expire(now);
  backoff.expire(now);
  std::erase_if(asking, [&](const auto& entry) {
    const bool over = after(entry.second.when, gossip::kAskAgain) <= now;
    if (over) not_awaited(entry.second);
    return over;
  });
}

// At Dhi, not only above it: GRAFTs are refused from there on, so a mesh would stay full for ever.
void Gossip::State::tend_mesh(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() < config.d_lo) graft_up_to_d(turn, topic, about);
  if (about.mesh.size() >= config.d_hi) shrink(turn, topic, about);
  if (about.mesh.size() >= config.d_lo) ensure_outbound(turn, topic, about);
}

// Down to D at random, but never so that fewer than Dout of our own dials are left: those are the
// peers that an attacker who dials us cannot choose.
void Gossip::State::shrink(Turn turn, const Topic& topic, GossipTopic& about) {
  std::vector<PeerId> members(about.mesh.begin(), about.mesh.end());
  turn.rng.shuffle(std::span(members));
  std::size_t outbound = outbound_in(about);
  for (const PeerId& peer : members) {
    if (about.mesh.size() <= config.d) return;
    const bool dialed = peers.at(peer).outbound;
    if (dialed && outbound <= config.d_out) continue;
    if (dialed) --outbound;
    prune(turn, topic, peer, config.prune_backoff, gossip::PruneCause::mesh_above_dhi);
  }
}

std::size_t Gossip::State::outbound_in(const GossipTopic& about) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(about.mesh, [&](const PeerId& p) { return peers.at(p).outbound; }));
}

void Gossip::State::ensure_outbound(Turn turn, const Topic& topic, GossipTopic& about) {
  std::size_t outbound = outbound_in(about);
  if (outbound >= config.d_out) return;
  for (const PeerId& peer : graftable(turn, topic, about)) {
    if (!peers.at(peer).outbound) continue;
    graft(topic, about, peer);
    if (++outbound >= config.d_out) return;
  }
}

void Gossip::State::tend_fanout(Turn turn, GossipTopic& about) {
  if (about.fanout_until <= turn.now.mono) about.fanout.clear();
  if (about.fanout.empty()) return;
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers)
    if (!about.fanout.contains(peer) && peers.at(peer).stream != GossipPeer::Stream::closed)
      others.push_back(peer);
  choose(turn, others, config.d - std::min(config.d, about.fanout.size()));
  about.fanout.insert(others.begin(), others.end());
}

// IHAVE to some who are not in the mesh: that is how a message finds a way around a broken one.
void Gossip::State::emit_gossip(Turn turn, const Topic& topic, const GossipTopic& about,
                                std::vector<MessageId>& ids) {
  const std::set<PeerId>& fed = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers)
    if (!fed.contains(peer) && peers.at(peer).stream == GossipPeer::Stream::open)
      others.push_back(peer);
  const std::size_t share = others.size() * config.gossip_factor_percent / 100;
  choose(turn, others, std::max(config.d_lazy, share));
  const std::size_t most = std::min(ids.size(), gossip::kMostIds);
  turn.rng.shuffle(std::span(ids));
  for (const PeerId& peer : others) {
    if (most < ids.size()) turn.rng.shuffle(std::span(ids));  // each is told others
    tell(peer).ihave.push_back(
        {topic, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(most)}});
    ++counts.ihave_sent;
  }
}

// Who judges has had its time: the message is ignored.
void Gossip::State::expire_validations(Time now) {
  while (!validating.empty() && validating.begin()->second.deadline <= now)
    validating.erase(validating.begin());
}

}  // namespace kadmesh
