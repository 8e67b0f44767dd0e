// Subscriptions, ours and peers', and the meshes that follow from them.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Prune;
using gossip::PruneCause;

namespace {

std::uint64_t whole_seconds(Duration wait) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

// go reads a backoff of 0 as none, and so must we, or we would graft again at once.
Duration backoff_of(const Prune& prune, Duration otherwise) {
  if (prune.backoff.value_or(0) == 0) return otherwise;
  return std::min(seconds_clamped(*prune.backoff), gossip::kMostBackoff);
}

}  // namespace

Result<void> check_topic(const Topic& topic) {
  if (!topic.empty() && topic.size() <= gossip::kMostTopicName) return {};
  return fail(Errc::invalid,
              "a topic has 1 to " + std::to_string(gossip::kMostTopicName) + " bytes");
}

void Gossip::State::subscribe(Turn turn, const Topic& topic) {
  GossipTopic& about = topics[topic];
  if (std::exchange(about.subscribed, true)) return;
  announce(topic, true);
  for (const PeerId& peer : about.subscribers) share(peer, true);
  // Who carried our messages without a subscription is the first to graft.
  for (const PeerId& peer : std::exchange(about.fanout, {}))
    if (about.mesh.size() < config.d && may_graft(turn, topic, about, peer))
      graft(topic, about, peer);
  graft_up_to_d(turn, topic, about);
}

void Gossip::State::unsubscribe(Turn turn, const Topic& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  const auto mesh = at->second.mesh;
  for (const PeerId& peer : mesh)
    prune(turn, topic, peer, config.unsubscribe_backoff, PruneCause::we_left);
  at->second.subscribed = false;
  for (const PeerId& peer : at->second.subscribers) share(peer, false);
  announce(topic, false);
  forget_if_empty(topic);
}

void Gossip::State::announce(const Topic& topic, bool subscribed) {
  for (const auto& [peer, state] : peers) tell(peer).subscriptions.push_back({subscribed, topic});
}

// Grafts at once where the mesh is thin: a peer that has just subscribed misses nothing.
void Gossip::State::peer_subscribes(Turn turn, const PeerId& peer, const Topic& topic) {
  if (!note_subscriber(peer, topic)) return;
  GossipTopic& about = topics.find(topic)->second;
  if (about.subscribed && about.mesh.size() < config.d_lo && may_graft(turn, topic, about, peer))
    graft(topic, about, peer);
}

// True when that is news. A topic that we have joined is always noted, so that what a peer says of
// others cannot hide it.
bool Gossip::State::note_subscriber(const PeerId& peer, const Topic& topic) {
  GossipPeer& who = peers.at(peer);
  const auto known = topics.find(topic);
  const bool ours = known != topics.end() && known->second.subscribed;
  if (!ours && who.topics.size() >= gossip::kMostTopicsOfPeer) return false;
  if (!who.topics.insert(topic).second) return false;
  topics[topic].subscribers.insert(peer);
  if (ours) share(peer, true);
  return true;
}

void Gossip::State::peer_leaves(const PeerId& peer, const Topic& topic) {
  if (peers.at(peer).topics.erase(topic) == 0) return;
  GossipTopic& about = topics.find(topic)->second;
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
bool Gossip::State::may_graft(Turn turn, const Topic& topic, const GossipTopic& about,
                              const PeerId& peer) const {
  return !about.mesh.contains(peer) && peers.at(peer).stream != GossipPeer::Stream::closed &&
         !backoff.bars(topic, peer, turn.now.mono);
}

// In random order.
std::vector<PeerId> Gossip::State::graftable(Turn turn, const Topic& topic,
                                             const GossipTopic& about) const {
  std::vector<PeerId> candidates;
  for (const PeerId& peer : about.subscribers)
    if (may_graft(turn, topic, about, peer)) candidates.push_back(peer);
  turn.rng.shuffle(std::span(candidates));
  return candidates;
}

void Gossip::State::graft(const Topic& topic, GossipTopic& about, const PeerId& peer) {
  about.mesh.insert(peer);
  tell(peer).graft.push_back(topic);
  ++counts.grafts;
}

void Gossip::State::graft_up_to_d(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() >= config.d) return;
  for (const PeerId& peer : graftable(turn, topic, about)) {
    if (about.mesh.size() >= config.d) return;
    graft(topic, about, peer);
  }
}

// Ends a GRAFT, or answers one. A v1.0 peer knows no backoff field.
void Gossip::State::prune(Turn turn, const Topic& topic, const PeerId& peer, Duration wait,
                          PruneCause cause) {
  topics.find(topic)->second.mesh.erase(peer);
  backoff.add(topic, peer, after(turn.now.mono, wait), cause);
  auto& told = tell(peer).prune;
  if (std::ranges::count(told, topic, &Prune::topic) > 0) return;
  const bool v11 = peers.at(peer).v11;
  told.push_back({topic, v11 ? std::optional(whole_seconds(wait)) : std::nullopt});
  ++counts.prunes;
}

// A GRAFT creates nothing: a topic that we have not joined is passed over. One that overtakes its
// SUBSCRIBE implies it. Above Dhi only peers that we dialed are taken, for an attacker who dials
// us cannot choose those; a Dhi of 0 means that there is no mesh.
void Gossip::State::take_graft(Turn turn, const PeerId& peer, const Topic& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed || at->second.mesh.contains(peer)) return;
  GossipTopic& about = at->second;
  const GossipPeer& who = peers.at(peer);
  if (who.stream == GossipPeer::Stream::closed) return;  // nothing could be sent to it, not even no
  if (backoff.stands(topic, peer, turn.now.mono))
    return prune(turn, topic, peer, config.prune_backoff, PruneCause::graft_too_early);
  if (about.mesh.size() >= config.d_hi && (!who.outbound || config.d_hi == 0))
    return prune(turn, topic, peer, config.prune_backoff, PruneCause::mesh_full);
  note_subscriber(peer, topic);
  about.mesh.insert(peer);
}

void Gossip::State::take_prune(Turn turn, const PeerId& peer, const Prune& prune) {
  const auto at = topics.find(prune.topic);
  const bool joined = at != topics.end() && at->second.subscribed;
  // It may have crossed our own, of leaving the topic, and holds should we come back.
  if (!joined && !backoff.stands(prune.topic, peer, turn.now.mono)) return;
  if (joined) at->second.mesh.erase(peer);
  backoff.add(prune.topic, peer, after(turn.now.mono, backoff_of(prune, config.prune_backoff)),
              PruneCause::they_pruned);
}

}  // namespace kadmesh
