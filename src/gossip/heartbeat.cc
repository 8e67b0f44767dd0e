// Once a second: meshes are tended, fanouts expire, gossip goes out, caches age
// (gossipsub-v1.0.md "Heartbeat"; v1.1 "Outbound mesh quotas").
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

void Gossip::State::heartbeat(Turn turn) {
  next_heartbeat = after(turn.now.mono, config.heartbeat);
  ++beat;
  forget_old(turn.now.mono);
  look_after_direct(turn.now.mono);
  for (auto at = topics.begin(); at != topics.end();) {
    auto& [topic, about] = *at;
    about.subscribed ? tend_mesh(turn, topic, about) : tend_fanout(turn, about);
    at = about.forgettable() ? topics.erase(at) : std::next(at);
  }
  auto told = cache.told();
  if (config.partial_messages)
    for (const auto& [topic, about] : topics)
      if (about.partial.supports) told.try_emplace(topic);
  for (auto& [topic, ids] : told)
    if (const auto at = topics.find(topic); at != topics.end())
      emit_gossip(turn, topic, at->second, ids);
  cache.shift();
  groups.heartbeat();
}

void Gossip::State::forget_old(Time now) {
  if (scores) scores->refresh(now);
  expire_outbox(now);
  seen.expire(now);
  backoff.expire(now);
  for (const PeerId& peer : promises.broken(now)) penalise(peer, Penalty::broken_promise);
  std::erase_if(asking, [&](const auto& entry) {
    const bool over = after(entry.second.when, gossip::kAskAgain) <= now;
    if (over) not_awaited(entry.second);
    return over;
  });
  for (const auto& [peer, state] : peers)
    if (state.dont_wants && state.dont_wants->shift()) state.dont_wants.reset();
}

// Explicit peers who are not there are dialed again and again.
void Gossip::State::look_after_direct(Time now) {
  if (now < next_direct) return;
  next_direct = after(now, config.direct_recheck);
  for (const PeerId& peer : direct)
    if (!peers.contains(peer)) actions.emplace_back(GossipDial{peer});
}

// At Dhi, not only above it: GRAFTs are refused from there on, so a mesh would stay full for ever.
void Gossip::State::tend_mesh(Turn turn, const Topic& topic, GossipTopic& about) {
  drop_negative(turn, topic, about);
  if (about.mesh.size() < config.d_lo) graft_up_to_d(turn, topic, about);
  if (about.mesh.size() >= config.d_hi) shrink(turn, topic, about);
  if (about.mesh.size() >= config.d_lo) ensure_outbound(turn, topic, about);
  if (beat % config.opportunistic_beats == 0) graft_better(turn, topic, about);
}

void Gossip::State::drop_negative(Turn turn, const Topic& topic, GossipTopic& about) {
  const auto mesh = about.mesh;
  for (const PeerId& peer : mesh)
    if (score(peer) < 0)
      prune(turn, topic, peer, config.prune_backoff, gossip::PruneCause::low_score);
}

// Down to D: the Dscore best stay, the others at random, but never so that fewer than Dout of our
// own dials are left: those are the peers that an attacker who dials us cannot choose.
void Gossip::State::shrink(Turn turn, const Topic& topic, GossipTopic& about) {
  std::vector<PeerId> members(about.mesh.begin(), about.mesh.end());
  turn.rng.shuffle(std::span(members));
  keep_best(members);
  std::size_t outbound = outbound_in(about);
  for (const PeerId& peer : members) {
    if (about.mesh.size() <= config.d) return;
    const bool dialed = peers.at(peer).outbound;
    if (dialed && outbound <= config.d_out) continue;
    if (dialed) --outbound;
    prune(turn, topic, peer, config.prune_backoff, gossip::PruneCause::mesh_above_dhi);
  }
}

// The Dscore best are moved behind all others.
void Gossip::State::keep_best(std::vector<PeerId>& members) const {
  const auto kept = static_cast<std::ptrdiff_t>(std::min(config.d_score, members.size()));
  std::ranges::nth_element(members, members.end() - kept, {},
                           [&](const PeerId& peer) { return score(peer); });
}

// v1.1 "Opportunistic Grafting": a mesh of poor peers takes in some that are better than most of
// it.
void Gossip::State::graft_better(Turn turn, const Topic& topic, GossipTopic& about) {
  if (about.mesh.size() < 2) return;
  if (!scores) return;
  const double median = median_score(about.mesh);
  if (median >= config.scoring->thresholds.opportunistic_graft) return;
  std::size_t left = config.opportunistic_peers;
  for (const PeerId& peer : graftable(turn, topic, about)) {
    if (left == 0) return;
    if (score(peer) <= median) continue;
    graft(turn, topic, about, peer);
    --left;
  }
}

double Gossip::State::median_score(const std::set<PeerId>& mesh) const {
  std::vector<double> all;
  all.reserve(mesh.size());
  for (const PeerId& peer : mesh) all.push_back(score(peer));
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  return *middle;
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
    graft(turn, topic, about, peer);
    if (++outbound >= config.d_out) return;
  }
}

void Gossip::State::tend_fanout(Turn turn, GossipTopic& about) {
  if (about.fanout_until <= turn.now.mono) about.fanout.clear();
  std::erase_if(about.fanout, [&](const PeerId& peer) { return !worth_feeding(peer); });
  if (about.fanout.empty()) return;
  std::vector<PeerId> others = fanout_candidates(about, about.fanout);
  choose(turn, others, config.d - std::min(config.d, about.fanout.size()));
  about.fanout.insert(others.begin(), others.end());
}

bool Gossip::State::hears_gossip(const GossipPeer& who) {
  return who.stream == GossipPeer::Stream::open && !who.direct &&
         who.version != gossip::Version::floodsub;
}

// Some who are not in the mesh, in random order.
std::vector<PeerId> Gossip::State::gossip_targets(Turn turn, const GossipTopic& about) const {
  const std::set<PeerId>& fed = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers)
    if (!fed.contains(peer) && hears_gossip(peers.at(peer)) &&
        !below(&ScoreThresholds::gossip, peer))
      others.push_back(peer);
  const std::size_t share = others.size() * config.gossip_factor_percent / 100;
  choose(turn, others, std::max(config.d_lazy, share));
  return others;
}

// IHAVE to some who are not in the mesh: that is how a message finds a way around a broken one.
void Gossip::State::emit_gossip(Turn turn, const Topic& topic, GossipTopic& about,
                                std::vector<MessageId>& ids) {
  std::vector<PeerId> parts, whole;
  for (const PeerId& peer : gossip_targets(turn, about))
    (takes_parts(peers.at(peer), topic, about) ? parts : whole).push_back(peer);
  offer_groups(topic, parts);
  if (ids.empty()) return;
  const std::size_t most = std::min(ids.size(), gossip::kMostIds);
  turn.rng.shuffle(std::span(ids));
  for (const PeerId& peer : whole) {
    if (most < ids.size()) turn.rng.shuffle(std::span(ids));  // each is told others
    tell(peer).ihave.push_back(
        {topic, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(most)}});
    ++counts.ihave_sent;
    ++about.stats.ihave;
  }
}

// Who judges has had its time: the message is ignored.
void Gossip::State::expire_validations(Time now) {
  while (!validating.empty() &&
         after(validating.begin()->second.arrived, gossip::kValidationTimeout) <= now)
    ignored(validating.extract(validating.begin()).mapped());
}

void Gossip::State::expire_outbox(Time now) {
  for (gossip::Outbox::Kept& kept : outbox.expire(now))
    actions.emplace_back(GossipUnsent{std::move(kept.topic), std::move(kept.id)});
}

}  // namespace kadmesh
