// Subscriptions, ours and peers', and the meshes that follow from them.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Prune;
using gossip::PruneCause;
using gossip::SubOpts;

namespace {

std::uint64_t whole_seconds(Duration wait) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count());
}

// go reads a backoff of 0 as none, and so must we, or we would graft again at once.
Duration backoff_of(const Prune& prune, Duration otherwise) {
  if (prune.backoff.value_or(0) == 0) return otherwise;
  return std::min(seconds_clamped(*prune.backoff), gossip::kMostBackoff);
}

// Whoever misbehaves is not helped to find others.
bool may_exchange(PruneCause cause) {
  return cause == PruneCause::we_left || cause == PruneCause::mesh_above_dhi ||
         cause == PruneCause::mesh_full;
}

}  // namespace

Result<void> check_topic(const Topic& topic) {
  if (!topic.empty() && topic.size() <= gossip::kMostTopicName) return {};
  return fail(Errc::invalid,
              "a topic has 1 to " + std::to_string(gossip::kMostTopicName) + " bytes");
}

void Gossip::State::subscribe(Turn turn, const Topic& topic, PartialUse parts) {
  GossipTopic& about = topics[topic];
  if (std::exchange(about.subscribed, true)) return;
  about.partial = parts;
  about.stats = {};
  trace<traced::Joined>(topic);
  announce(topic, true);
  for (const PeerId& peer : about.subscribers) share(peer, true);
  // Who carried our messages without a subscription is the first to graft.
  for (const PeerId& peer : std::exchange(about.fanout, {}))
    if (about.mesh.size() < config.d && may_graft(turn, topic, about, peer))
      graft(turn, topic, about, peer);
  graft_up_to_d(turn, topic, about);
}

void Gossip::State::unsubscribe(Turn turn, const Topic& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  const auto mesh = at->second.mesh;
  for (const PeerId& peer : mesh)
    prune(turn, topic, peer, config.unsubscribe_backoff, PruneCause::we_left);
  at->second.subscribed = false;
  at->second.partial = {};
  for (const PeerId& peer : at->second.subscribers) share(peer, false);
  trace<traced::Left>(topic);
  announce(topic, false);
  forget_if_empty(topic);
}

void Gossip::State::announce(const Topic& topic, bool subscribed) {
  const PartialUse use = subscribed ? topics.find(topic)->second.partial : PartialUse{};
  for (const auto& [peer, state] : peers)
    tell(peer).subscriptions.push_back({subscribed, topic, use});
}

// Grafts at once where the mesh is thin: a peer that has just subscribed misses nothing.
void Gossip::State::peer_subscribes(Turn turn, const PeerId& peer, const SubOpts& change) {
  const Topic& topic = change.topic;
  if (!note_subscriber(peer, topic, change.partial)) return;
  empty_outbox(peer, topic);
  GossipTopic& about = topics.find(topic)->second;
  if (about.subscribed && about.mesh.size() < config.d_lo && may_graft(turn, topic, about, peer))
    graft(turn, topic, about, peer);
}

// True when that is news. A topic that we have joined is always noted, so that what a peer says of
// others cannot hide it.
bool Gossip::State::note_subscriber(const PeerId& peer, const Topic& topic, PartialUse use) {
  GossipPeer& who = peers.at(peer);
  const auto known = topics.find(topic);
  const bool ours = known != topics.end() && known->second.subscribed;
  if (const auto at = who.topics.find(topic); at != who.topics.end())
    return at->second = use, false;
  if (!may_note(who, topic, ours)) return false;
  who.topics.emplace(topic, use);
  GossipTopic& about = topics[topic];
  about.subscribers.insert(peer);
  if (fed_beside(who)) about.besides.insert(peer);
  if (ours) share(peer, true);
  return true;
}

bool Gossip::State::may_note(const GossipPeer& who, const Topic& topic, bool ours) const {
  if (ours) return true;
  return who.topics.size() < gossip::kMostTopicsOfPeer &&
         (!config.topic_filter || config.topic_filter(topic));
}

void Gossip::State::peer_leaves(const PeerId& peer, const Topic& topic) {
  if (peers.at(peer).topics.erase(topic) == 0) return;
  GossipTopic& about = topics.find(topic)->second;
  about.subscribers.erase(peer);
  about.besides.erase(peer);
  leave_mesh(peer, topic, about);
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
  if (about.mesh.contains(peer)) return false;
  const GossipPeer& who = peers.at(peer);
  return !who.direct && who.version != gossip::Version::floodsub &&
         who.stream != GossipPeer::Stream::closed && !backoff.bars(topic, peer, turn.now.mono) &&
         score(peer) >= 0;
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

void Gossip::State::graft(Turn turn, const Topic& topic, GossipTopic& about, const PeerId& peer) {
  enter_mesh(turn, peer, topic, about);
  tell(peer).graft.push_back(topic);
  ++counts.grafts;
  ++about.stats.grafts;
}

void Gossip::State::graft_up_to_d(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() >= config.d) return;
  for (const PeerId& peer : graftable(turn, topic, about)) {
    if (about.mesh.size() >= config.d) return;
    graft(turn, topic, about, peer);
  }
}

// Ends a GRAFT, or answers one. A v1.0 peer knows no backoff field.
void Gossip::State::prune(Turn turn, const Topic& topic, const PeerId& peer, Duration wait,
                          PruneCause cause) {
  note_prune(turn, peer, topic, cause);
  GossipTopic& about = topics.find(topic)->second;
  leave_mesh(peer, topic, about);
  backoff.add(topic, peer, after(turn.now.mono, wait), cause);
  auto& told = tell(peer).prune;
  if (std::ranges::count(told, topic, &Prune::topic) > 0) return;
  const bool v11 = peers.at(peer).version >= gossip::Version::v11;
  told.push_back({topic, v11 ? std::optional(whole_seconds(wait)) : std::nullopt});
  if (v11 && may_exchange(cause)) told.back().peers = others_for(turn, peer, topic);
  ++counts.prunes;
  ++about.stats.prunes;
}

// Others who subscribe, for the one who is pruned to turn to.
std::vector<gossip::Exchanged> Gossip::State::others_for(Turn turn, const PeerId& pruned,
                                                         const Topic& topic) {
  std::vector<gossip::Exchanged> named;
  if (config.exchange_peers == 0) return named;
  const auto& subscribers = topics.find(topic)->second.subscribers;
  std::vector<PeerId> others;
  for (const PeerId& peer : subscribers)
    if (peer != pruned && peers.at(peer).version != gossip::Version::floodsub && score(peer) >= 0)
      others.push_back(peer);
  choose(turn, others, config.exchange_peers);
  named.reserve(others.size());
  std::size_t left = gossip::kMostControlOut / 2;  // one PRUNE cannot be split
  for (const PeerId& peer : others) {
    const Bytes& record = peers.at(peer).record;
    const std::size_t size = peer.bytes().size() + record.size();
    if (size > left) continue;
    left -= size;
    named.push_back({peer, record});
  }
  return named;
}

// A GRAFT creates nothing: a topic that we have not joined is passed over. One that overtakes its
// SUBSCRIBE implies it. Above Dhi only peers that we dialed are taken, for an attacker who dials
// us cannot choose those; a Dhi of 0 means that there is no mesh.
void Gossip::State::take_graft(Turn turn, const PeerId& peer, const Topic& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed || at->second.mesh.contains(peer)) return;
  GossipTopic& about = at->second;
  // Nothing could be sent to it, not even no.
  if (peers.at(peer).stream == GossipPeer::Stream::closed) return;
  if (const auto cause = refusal(turn, peer, topic, about))
    return prune(turn, topic, peer, config.prune_backoff, *cause);
  if (!peers.at(peer).topics.contains(topic)) note_subscriber(peer, topic, {});
  enter_mesh(turn, peer, topic, about);
}

std::optional<PruneCause> Gossip::State::refusal(Turn turn, const PeerId& peer, const Topic& topic,
                                                 const GossipTopic& about) {
  const GossipPeer& who = peers.at(peer);
  if (who.direct) return PruneCause::explicit_peer;
  if (backoff.stands(topic, peer, turn.now.mono)) {
    graft_in_backoff(turn, peer, topic);
    return PruneCause::graft_too_early;
  }
  if (score(peer) < 0) return PruneCause::low_score;
  const bool full = about.mesh.size() >= config.d_hi && (!who.outbound || config.d_hi == 0);
  return full ? std::optional(PruneCause::mesh_full) : std::nullopt;
}

// v1.1 "Backoff": held against the peer, and once more if it did not wait at all.
void Gossip::State::graft_in_backoff(Turn turn, const PeerId& peer, const Topic& topic) {
  const Time flood = after(turn.now.mono, config.prune_backoff - gossip::kGraftFlood);
  const bool at_once = backoff.find(topic, peer)->until > flood;
  penalise(peer, Penalty::graft_backoff, at_once ? 2 : 1);
}

void Gossip::State::take_prune(Turn turn, const PeerId& peer, const Prune& prune, bool met) {
  const auto at = topics.find(prune.topic);
  const bool joined = at != topics.end() && at->second.subscribed;
  if (joined) leave_mesh(peer, prune.topic, at->second);
  // Of who is in no mesh it is not remembered, or anybody could fill what we remember. It may have
  // crossed our own, though, of leaving the topic as well, and holds should we come back.
  if (!met && !backoff.stands(prune.topic, peer, turn.now.mono)) return;
  if (met) note_prune(turn, peer, prune.topic, PruneCause::they_pruned);
  backoff.add(prune.topic, peer, after(turn.now.mono, backoff_of(prune, config.prune_backoff)),
              PruneCause::they_pruned);
  if (met && !below(&ScoreThresholds::accept_px, peer)) meet(turn, peer, prune);
}

// Some of those whom the peer names, of those whom we do not know.
void Gossip::State::meet(Turn turn, const PeerId& named_by, const Prune& prune) {
  std::vector<gossip::Exchanged> named;
  for (const gossip::Exchanged& other : prune.peers) {
    const bool known = other.peer == identity.peer_id() || peers.contains(other.peer);
    if (!known && other.record.size() <= gossip::kMostRecord) named.push_back(other);
  }
  turn.rng.shuffle(std::span(named));
  for (gossip::Exchanged& other : std::span(named).first(std::min(named.size(), gossip::kMostMet)))
    actions.emplace_back(GossipMeet{other.peer, named_by, std::move(other.record)});
}

}  // namespace kadmesh
