#include "gossip/score.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace kadmesh::gossip {
namespace {

using Status = DeliveryRecords::Status;

constexpr double kMostApplication = 1e12;

double squared(double x) { return x * x; }

void count(double& counter, double cap) { counter = std::min(counter + 1, cap); }

// How much is missing of what a mesh peer must bring.
double deficit(bool active, double brought, double threshold) {
  return active && brought < threshold ? threshold - brought : 0;
}

ScorePart part(double value, double weight) { return {value, value * weight}; }

}  // namespace

PeerScores::PeerScores(ScoreParams params, Duration seen_ttl, Time start)
    : params_(std::move(params)),
      deliveries_(seen_ttl, kMostDeliveries),
      next_refresh_(after(start, params_.decay_interval)) {
  KAD_CHECK(check(params_).has_value());
}

// --- who is there

void PeerScores::connected(const PeerId& peer, std::span<const Multiaddr> remotes) {
  const auto [at, fresh] = peers_.try_emplace(peer);
  Peer& state = at->second;
  if (!state.connected) retained_.erase({state.expires, peer});
  state.connected = true;
  const auto application = application_.find(peer);
  state.application = application == application_.end() ? 0 : application->second;
  state.changed = true;
  moved(peer, remotes);
}

void PeerScores::moved(const PeerId& peer, std::span<const Multiaddr> remotes) {
  Peer* state = find(peer);
  if (!state) return;
  leave_groups(*state);
  std::set<IpPrefix> blocks;
  for (const Multiaddr& remote : remotes)
    for (const IpPrefix& block : colocation_groups(remote))
      if (blocks.size() < kMostGroups) blocks.insert(block);
  for (const IpPrefix& block : blocks) {
    const auto holds_it = [&](const IpPrefix& allowed) { return allowed.contains(block); };
    if (std::ranges::any_of(params_.colocation_allowed, holds_it)) continue;
    const auto group = groups_.try_emplace(block).first;
    ++group->second;
    state->groups.push_back(group);
  }
}

void PeerScores::leave_groups(Peer& state) {
  for (const Groups::iterator group : state.groups)
    if (--group->second == 0) groups_.erase(group);
  state.groups.clear();
}

void PeerScores::disconnected(const PeerId& peer, Time now) {
  Peer* state = find(peer);
  if (!state || !state->connected) return;
  if (score(peer) > 0) return forget(peer);
  retain(peer, *state, now);
}

// As it is remembered, nothing good is left of it (go: OnClosedOutboundStream).
void PeerScores::retain(const PeerId& peer, Peer& state, Time now) {
  bool faults = state.behaviour > 0 || state.slow > 0;
  for (auto& [topic, counters] : state.topics) {
    const TopicScoreParams* params = params_of(topic);
    counters.first = 0;
    counters.changed = true;
    if (params) leave_mesh(counters, *params);
    faults = faults || counters.failure > 0 || counters.invalid > 0;
  }
  state.changed = true;
  if (!faults && score(peer) >= 0) return forget(peer);
  state.connected = false;
  state.expires = after(now, params_.retain);
  retained_.emplace(state.expires, peer);
  if (retained_.size() > kMostRetained) forget(retained_.begin()->second);
}

void PeerScores::forget(const PeerId& peer) {
  const auto at = peers_.find(peer);
  leave_groups(at->second);
  if (!at->second.connected) retained_.erase({at->second.expires, PeerId(peer)});
  peers_.erase(at);
}

PeerScores::Peer* PeerScores::find(const PeerId& peer) {
  const auto at = peers_.find(peer);
  return at == peers_.end() ? nullptr : &at->second;
}

// --- meshes

const TopicScoreParams* PeerScores::params_of(const Topic& topic) const {
  const auto at = params_.topics.find(topic);
  if (at != params_.topics.end()) return &at->second;
  return params_.default_topic ? &*params_.default_topic : nullptr;
}

PeerScores::InTopic* PeerScores::counters(Peer& peer, const Topic& topic) const {
  if (!params_of(topic)) return nullptr;
  const auto at = peer.topics.find(topic);
  if (at == peer.topics.end() && peer.topics.size() >= kMostScoredTopics) return nullptr;
  InTopic& in = at == peer.topics.end() ? peer.topics[topic] : at->second;
  peer.changed = in.changed = true;
  return &in;
}

void PeerScores::grafted(const PeerId& peer, const Topic& topic, Time now) {
  Peer* state = find(peer);
  InTopic* in = state && state->connected ? counters(*state, topic) : nullptr;
  if (!in || in->in_mesh) return;
  in->in_mesh = true;
  in->grafted = now;
  in->time_in_mesh = {};
  in->active = false;
}

void PeerScores::pruned(const PeerId& peer, const Topic& topic) {
  Peer* state = find(peer);
  InTopic* in = state ? counters(*state, topic) : nullptr;
  if (in) leave_mesh(*in, *params_of(topic));
}

void PeerScores::leave_mesh(InTopic& counters, const TopicScoreParams& params) {
  counters.failure +=
      squared(deficit(counters.active, counters.mesh, params.mesh_deliveries_threshold));
  counters.in_mesh = counters.active = false;
}

// --- messages

void PeerScores::validating(const SipHash& message, Time now) { deliveries_.begin(message, now); }

void PeerScores::delivered(const SipHash& message, const Topic& topic, const PeerId& from,
                           Time now) {
  DeliveryRecords::Record* known = deliveries_.find(message);
  DeliveryRecords::Record& record = known ? *known : deliveries_.begin(message, now);
  if (record.status != Status::unknown) return;
  record.status = Status::valid;
  record.validated = now;
  for (const PeerId& sender : record.senders)
    if (sender != from) near_first(sender, topic);
  deliveries_.add_sender(record, from);
  first_delivery(from, topic);
}

bool PeerScores::measures_deliveries(const Topic& topic) const {
  const TopicScoreParams* params = params_of(topic);
  return params && (params->mesh_deliveries_weight != 0 || params->mesh_failure_weight != 0);
}

void PeerScores::first_delivery(const PeerId& from, const Topic& topic) {
  Peer* first = find(from);
  InTopic* in = first ? counters(*first, topic) : nullptr;
  if (!in) return;
  count(in->first, params_of(topic)->first_deliveries_cap);
  near_first(from, topic);
}

void PeerScores::near_first(const PeerId& peer, const Topic& topic) {
  Peer* state = find(peer);
  InTopic* in = state ? counters(*state, topic) : nullptr;
  if (in && in->in_mesh) count(in->mesh, params_of(topic)->mesh_deliveries_cap);
}

void PeerScores::rejected(const SipHash& message, const Topic& topic, const PeerId& from) {
  DeliveryRecords::Record* record = deliveries_.find(message);
  if (record && record->status != Status::unknown) return;
  invalid(from, topic);
  if (!record) return;
  for (const PeerId& sender : record->senders) invalid(sender, topic);
  record->status = Status::invalid;
  deliveries_.forget_senders(*record);
}

void PeerScores::ignored(const SipHash& message) {
  DeliveryRecords::Record* record = deliveries_.find(message);
  if (!record || record->status != Status::unknown) return;
  record->status = Status::ignored;
  deliveries_.forget_senders(*record);
}

void PeerScores::duplicate(const SipHash& message, const Topic& topic, const PeerId& from,
                           Time now) {
  DeliveryRecords::Record* record = deliveries_.find(message);
  if (!record || record->status == Status::ignored) return;
  if (record->status == Status::invalid) return invalid(from, topic);
  if (!deliveries_.add_sender(*record, from)) return;
  const TopicScoreParams* params = params_of(topic);  // set_topic() may yet give it some
  if (!params) return;
  const bool in_time = now <= after(record->validated, params->mesh_deliveries_window);
  if (record->status == Status::valid && in_time) near_first(from, topic);
}

void PeerScores::invalid(const PeerId& peer, const Topic& topic) {
  Peer* state = find(peer);
  if (InTopic* in = state ? counters(*state, topic) : nullptr) in->invalid += 1;
}

// --- the rest

void PeerScores::penalise(const PeerId& peer, std::size_t count) {
  Peer* state = find(peer);
  if (!state) return;
  state->behaviour += static_cast<double>(count);
  state->changed = true;
}

void PeerScores::too_slow(const PeerId& peer) {
  Peer* state = find(peer);
  if (!state) return;
  state->slow += 1;
  state->changed = true;
}

Result<void> PeerScores::set_application(const PeerId& peer, double score) {
  if (!(std::abs(score) <= kMostApplication))
    return fail(Errc::invalid, "gossip: an application's score is within 1e12 of 0");
  if (score == 0) {
    application_.erase(peer);
  } else if (application_.size() >= kMostApplicationScores && !application_.contains(peer)) {
    return fail(Errc::limit, "gossip: too many peers have a score of the application's");
  } else {
    application_[peer] = score;
  }
  if (Peer* state = find(peer)) {
    state->application = score;
    state->changed = true;
  }
  return {};
}

Result<void> PeerScores::set_topic(const Topic& topic, const TopicScoreParams& params) {
  ScoreParams all = params_;
  all.topics[topic] = params;
  RETURN_IF_ERROR(check(all));
  params_ = std::move(all);
  for (auto&& [peer, state] : peers_) {
    const auto at = state.topics.find(topic);
    if (at == state.topics.end()) continue;
    at->second.first = std::min(at->second.first, params.first_deliveries_cap);
    at->second.mesh = std::min(at->second.mesh, params.mesh_deliveries_cap);
    state.changed = at->second.changed = true;
  }
  return {};
}

// --- time

void PeerScores::refresh(Time now) {
  if (now < next_refresh_) return;
  const std::int64_t due = 1 + (now - next_refresh_) / params_.decay_interval;
  next_refresh_ = after(next_refresh_, due * params_.decay_interval);
  while (!retained_.empty() && retained_.begin()->first <= now) forget(retained_.begin()->second);
  deliveries_.expire(now);
  for (auto&& [peer, state] : peers_) {
    if (!state.connected) continue;
    for (std::int64_t i = std::min(due, kMostCatchUp); i > 0; --i) decay(state, now);
  }
}

void PeerScores::fall(double& counter, double factor) const {
  counter *= factor;
  if (counter < params_.decay_to_zero) counter = 0;
}

void PeerScores::decay(Peer& peer, Time now) const {
  fall(peer.behaviour, params_.behaviour_decay);
  fall(peer.slow, params_.slow_decay);
  for (auto& [topic, counters] : peer.topics)
    if (const TopicScoreParams* params = params_of(topic)) decay(counters, *params, now);
  std::erase_if(peer.topics, [](const auto& entry) {
    const InTopic& in = entry.second;
    return !in.in_mesh && in.first == 0 && in.mesh == 0 && in.failure == 0 && in.invalid == 0;
  });
  peer.changed = true;
}

void PeerScores::decay(InTopic& counters, const TopicScoreParams& params, Time now) const {
  fall(counters.first, params.first_deliveries_decay);
  fall(counters.mesh, params.mesh_deliveries_decay);
  fall(counters.failure, params.mesh_failure_decay);
  fall(counters.invalid, params.invalid_decay);
  counters.changed = true;
  if (!counters.in_mesh) return;
  counters.time_in_mesh = now - counters.grafted;
  if (counters.time_in_mesh > params.mesh_deliveries_activation) counters.active = true;
}

// --- questions

// Without the topic's name.
TopicScoreView PeerScores::view_of(const InTopic& counters, const TopicScoreParams& t) {
  TopicScoreView view;
  view.in_mesh = counters.in_mesh;
  if (counters.in_mesh) {
    view.time_in_mesh = counters.time_in_mesh;
    const auto quanta = static_cast<double>(counters.time_in_mesh / t.time_in_mesh_quantum);
    view.p1 = part(std::min(quanta, t.time_in_mesh_cap), t.time_in_mesh_weight);
  }
  view.p2 = part(counters.first, t.first_deliveries_weight);
  view.p3 = part(squared(deficit(counters.active, counters.mesh, t.mesh_deliveries_threshold)),
                 t.mesh_deliveries_weight);
  view.p3b = part(counters.failure, t.mesh_failure_weight);
  view.p4 = part(squared(counters.invalid), t.invalid_weight);
  double sum = 0;
  for (ScorePart* p : {&view.p1, &view.p2, &view.p3, &view.p3b, &view.p4}) {
    sum += p->score;
    p->score *= t.weight;
  }
  view.score = sum * t.weight;
  return view;
}

double PeerScores::score_of(const Topic& topic, const InTopic& counters) const {
  if (!std::exchange(counters.changed, false)) return counters.known;
  const TopicScoreParams* params = params_of(topic);
  counters.known = params ? view_of(counters, *params).score : 0;
  return counters.known;
}

double PeerScores::topics_score(const Peer& peer) const {
  double sum = 0;
  for (const auto& [topic, counters] : peer.topics) sum += score_of(topic, counters);
  return params_.topic_score_cap > 0 ? std::min(sum, params_.topic_score_cap) : sum;
}

ScorePart PeerScores::colocation(const Peer& peer) const {
  double surplus = 0;
  for (const Groups::iterator group : peer.groups)
    if (group->second > params_.colocation_threshold)
      surplus += squared(static_cast<double>(group->second - params_.colocation_threshold));
  return part(surplus, params_.colocation_weight);
}

ScorePart PeerScores::behaviour(const Peer& peer) const {
  const double excess = std::max(peer.behaviour - params_.behaviour_threshold, 0.0);
  return part(squared(excess), params_.behaviour_weight);
}

ScorePart PeerScores::slowness(const Peer& peer) const {
  return part(std::max(peer.slow - params_.slow_threshold, 0.0), params_.slow_weight);
}

double PeerScores::without_colocation(const Peer& peer) const {
  if (!std::exchange(peer.changed, false)) return peer.known;
  peer.known = topics_score(peer) + peer.application * params_.application_weight +
               behaviour(peer).score + slowness(peer).score;
  return peer.known;
}

double PeerScores::score(const PeerId& peer) const {
  const auto at = peers_.find(peer);
  return at == peers_.end() ? 0 : without_colocation(at->second) + colocation(at->second).score;
}

ScoreView PeerScores::view(const PeerId& peer) const {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return {};
  const Peer& state = at->second;
  ScoreView view;
  view.connected = state.connected;
  view.score = score(peer);
  view.topics.reserve(state.topics.size());
  for (const auto& [topic, counters] : state.topics)
    if (const TopicScoreParams* params = params_of(topic))
      view.topics.emplace_back(view_of(counters, *params)).topic = topic;
  view.topics_score = topics_score(state);
  view.application = part(state.application, params_.application_weight);
  view.colocation = colocation(state);
  view.behaviour = behaviour(state);
  view.slow = slowness(state);
  return view;
}

}  // namespace kadmesh::gossip
