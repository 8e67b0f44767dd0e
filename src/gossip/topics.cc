// Subscriptions, ours and peers', and the meshes that follow from them.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Prune;
using gossip::Rpc;

namespace {

std::uint64_t whole_seconds(Duration wait) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(wait).count());
}

}  // namespace

void Gossip::State::subscribe(Turn turn, const Topic& topic) {
  GossipTopic& about = topics[topic];
  if (std::exchange(about.subscribed, true)) return;
  // Who carried our messages without a subscription is the first to graft.
  const auto fanout = std::exchange(about.fanout, {});
  for (const PeerId& peer : about.subscribers) share(peer, true);
  Rpc announcement;
  announcement.subscriptions.push_back({true, topic});
  for (const auto& [peer, state] : peers) send(peer, announcement);
  for (const PeerId& peer : fanout) {
    if (about.mesh.size() >= config.d || backoff.stands(topic, peer, turn.now.mono)) continue;
    about.mesh.insert(peer);
    Rpc rpc;
    rpc.graft.push_back(topic);
    send(peer, rpc);
    ++counts.grafts;
  }
  graft(turn, topic, config.d);
}

void Gossip::State::unsubscribe(Turn turn, const Topic& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  const auto mesh = at->second.mesh;
  for (const PeerId& peer : mesh) prune(turn, topic, peer, config.unsubscribe_backoff);
  at->second.subscribed = false;
  for (const PeerId& peer : at->second.subscribers) share(peer, false);
  Rpc announcement;
  announcement.subscriptions.push_back({false, topic});
  for (const auto& [peer, state] : peers) send(peer, announcement);
  forget_if_empty(topic);
}

// Grafts at once where the mesh is thin: a peer that has just subscribed misses nothing.
void Gossip::State::peer_subscribes(Turn turn, const PeerId& peer, const Topic& topic) {
  GossipPeer& who = peers.at(peer);
  if (who.topics.contains(topic) || who.topics.size() >= gossip::kMostTopicsOfPeer) return;
  who.topics.insert(topic);
  GossipTopic& about = topics[topic];
  about.subscribers.insert(peer);
  if (!about.subscribed) return;
  share(peer, true);
  if (about.mesh.size() < config.d_lo) graft(turn, topic, about.mesh.size() + 1);
}

void Gossip::State::peer_leaves(const PeerId& peer, const Topic& topic) {
  if (peers.at(peer).topics.erase(topic) == 0) return;
  GossipTopic& about = topics.at(topic);
  about.subscribers.erase(peer);
  about.mesh.erase(peer);
  about.fanout.erase(peer);
  if (about.subscribed) share(peer, false);
  forget_if_empty(topic);
}

void Gossip::State::forget_if_empty(const Topic& topic) {
  const auto at = topics.find(topic);
  if (at != topics.end() && at->second.forgettable()) topics.erase(at);
}

// --- grafting
std::vector<PeerId> Gossip::State::graftable(Turn turn, const Topic& topic,
                                             const GossipTopic& about, std::size_t most) const {
  std::vector<PeerId> candidates;
  for (const PeerId& peer : about.subscribers)
    if (!about.mesh.contains(peer) && !backoff.stands(topic, peer, turn.now.mono) &&
        peers.at(peer).stream != GossipPeer::Stream::closed)
      candidates.push_back(peer);
  turn.rng.shuffle(std::span(candidates));
  if (candidates.size() > most)
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(most), candidates.end());
  return candidates;
}

void Gossip::State::graft(Turn turn, const Topic& topic, std::size_t up_to) {
  GossipTopic& about = topics.at(topic);
  if (about.mesh.size() >= up_to) return;
  Rpc rpc;
  rpc.graft.push_back(topic);
  for (const PeerId& peer : graftable(turn, topic, about, up_to - about.mesh.size())) {
    about.mesh.insert(peer);
    send(peer, rpc);
    ++counts.grafts;
  }
}

// The PRUNE that answers a GRAFT, or that ends one. A v1.0 peer knows no backoff field.
Prune Gossip::State::refusal(const PeerId& peer, const Topic& topic, Duration wait) const {
  if (!peers.at(peer).v11) return {topic, std::nullopt};
  return {topic, whole_seconds(wait)};
}

void Gossip::State::prune(Turn turn, const Topic& topic, const PeerId& peer, Duration wait) {
  topics.at(topic).mesh.erase(peer);
  backoff.add(topic, peer, after(turn.now.mono, wait));
  Rpc rpc;
  rpc.prune.push_back(refusal(peer, topic, wait));
  send(peer, rpc);
  ++counts.prunes;
}

// A GRAFT creates nothing: a topic that we have not joined is passed over.
void Gossip::State::take_graft(Turn turn, const PeerId& peer, const Topic& topic,
                               std::vector<Prune>& no) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed || at->second.mesh.contains(peer)) return;
  GossipTopic& about = at->second;
  const bool too_early = backoff.stands(topic, peer, turn.now.mono);
  const bool full = about.mesh.size() >= config.d_hi && !peers.at(peer).outbound;
  // A GRAFT that overtakes its SUBSCRIBE implies it; a peer that is beyond its topics is refused.
  if (!too_early && !full) peer_subscribes(turn, peer, topic);
  if (too_early || full || !about.subscribers.contains(peer)) {
    backoff.add(topic, peer, after(turn.now.mono, config.prune_backoff));
    no.push_back(refusal(peer, topic, config.prune_backoff));
    return;
  }
  about.mesh.insert(peer);
}

void Gossip::State::take_prune(Turn turn, const PeerId& peer, const Prune& prune) {
  const auto at = topics.find(prune.topic);
  if (at == topics.end() || !at->second.subscribed) return;
  at->second.mesh.erase(peer);
  const Duration wait = prune.backoff
                            ? std::min(seconds_clamped(*prune.backoff), gossip::kMostBackoff)
                            : config.prune_backoff;
  backoff.add(prune.topic, peer, after(turn.now.mono, wait));
}

}  // namespace kadmesh
