#include "gossip/gossip.h"

#include <algorithm>

#include "base/check.h"
#include "gossip/state.h"

namespace kadmesh {

namespace {

// Where our sequence numbers start: later than in any earlier life, as go does.
std::uint64_t first_number(WallTime now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
}

SipKey draw_key(Rng& luck) {
  SipKey key;
  luck.fill(key);
  return key;
}

std::set<PeerId> peers_of(const std::vector<Multiaddr>& addrs) {
  std::set<PeerId> peers;
  for (const Multiaddr& addr : addrs)
    if (const auto peer = addr.peer()) peers.insert(*peer);
  return peers;
}

const char* stream_text(GossipPeer::Stream stream) {
  switch (stream) {
    case GossipPeer::Stream::opening:
      return "stream opening";
    case GossipPeer::Stream::open:
      return "stream open";
    case GossipPeer::Stream::closed:
      return "it takes no gossip stream of ours";
  }
  return "";
}

}  // namespace

Gossip::State::State(const KeyPair& who, GossipConfig settings, Turn start)
    : identity(who),
      config(std::move(settings)),
      direct(peers_of(config.direct)),
      digest_key(draw_key(start.rng)),
      seen(config.seen_ttl, gossip::kMostSeen),
      cache(config.history_windows, config.gossip_windows, digest_key),
      backoff(gossip::kMostBackoffs, config.heartbeat),
      first_seqno(first_number(start.now.wall)),
      next_heartbeat(after(start.now.mono, config.heartbeat_initial_delay)),
      outbox(config.outbox, config.outbox_ttl),
      latest_seqno(gossip::kMostAuthors) {
  KAD_CHECK(check(config).has_value());
  if (config.scoring) scores.emplace(config.scoring->params, config.seen_ttl, start.now.mono);
}

Gossip::Gossip(const KeyPair& identity, GossipConfig config, Turn start)
    : state_(std::make_unique<State>(identity, std::move(config), start)) {}

Gossip::~Gossip() = default;

std::size_t Gossip::most_rpc() { return gossip::kMostRpc; }

// --- inputs
void Gossip::on_connected(Turn, const PeerId& peer, std::span<const Multiaddr> remotes,
                          bool outbound) {
  state_->connected(peer, remotes, outbound);
}

void Gossip::on_moved(Turn, const PeerId& peer, std::span<const Multiaddr> remotes) {
  if (state_->scores && !state_->direct.contains(peer)) state_->scores->moved(peer, remotes);
}

void Gossip::on_disconnected(Turn turn, const PeerId& peer) { state_->disconnected(turn, peer); }

void Gossip::on_stream_open(Turn turn, const PeerId& peer, std::string_view protocol) {
  state_->stream_open(turn, peer, protocol);
}

void Gossip::on_stream_closed(Turn, const PeerId& peer, const Error&) {
  state_->stream_closed(peer);
}

void Gossip::on_stream_accepted(Turn, const PeerId& peer) {
  const auto at = state_->peers.find(peer);
  if (at != state_->peers.end()) at->second.extensions.reset();
}

void Gossip::on_record(Turn, const PeerId& peer, Bytes envelope) {
  const auto at = state_->peers.find(peer);
  if (at != state_->peers.end() && envelope.size() <= gossip::kMostRecord)
    at->second.record = std::move(envelope);
}

void Gossip::on_sent(Turn, const PeerId& peer, std::size_t bytes) { state_->sent(peer, bytes); }

void Gossip::on_rpc(Turn turn, const PeerId& peer, ByteView bytes) {
  const auto from = state_->peers.find(peer);
  if (from == state_->peers.end()) return;
  ++state_->counts.rpcs_in;
  const bool graylisted = state_->below(&ScoreThresholds::graylist, peer);
  graylisted ? void(++state_->counts.graylisted) : state_->trace_received(peer, bytes);
  if (const auto message = gossip::only_message(bytes)) {
    ++state_->counts.parts_in[static_cast<std::size_t>(RpcPart::publish)];
    if (graylisted) return;
    if (!from->second.extensions) from->second.extensions.emplace();
    return state_->receive(turn, peer, *message);
  }
  const auto rpc = gossip::decode_rpc(bytes);
  if (!rpc) return void(state_->actions.emplace_back(GossipFault{peer, rpc.error()}));
  state_->count_parts(state_->counts.parts_in, *rpc);
  graylisted ? state_->take_subscriptions(turn, peer, *rpc) : state_->take(turn, peer, *rpc);
  state_->flush();
}

void Gossip::State::take(Turn turn, const PeerId& peer, const gossip::Rpc& rpc) {
  take_hello(peer, rpc.extensions);
  // Who leaves a topic says so in the RPC with which it prunes us.
  const std::vector<bool> met = in_mesh_with(peer, rpc.prune);
  take_subscriptions(turn, peer, rpc);
  for (const ByteView message : rpc.publish) {
    if (below(&ScoreThresholds::graylist, peer)) break;  // by what it said just now
    receive(turn, peer, message);
  }
  take_partial(peer, rpc);
  take_control(turn, peer, rpc);
  for (std::size_t i = 0; i < rpc.prune.size(); ++i) take_prune(turn, peer, rpc.prune[i], met[i]);
}

std::vector<bool> Gossip::State::in_mesh_with(const PeerId& peer,
                                              const std::vector<gossip::Prune>& prunes) const {
  std::vector<bool> out;
  out.reserve(prunes.size());
  for (const gossip::Prune& prune : prunes) {
    const auto at = topics.find(prune.topic);
    out.push_back(at != topics.end() && at->second.mesh.contains(peer));
  }
  return out;
}

void Gossip::State::take_subscriptions(Turn turn, const PeerId& peer, const gossip::Rpc& rpc) {
  for (const gossip::SubOpts& change : rpc.subscriptions)
    change.subscribe ? peer_subscribes(turn, peer, change) : peer_leaves(peer, change.topic);
}

// v1.3: what it says first on a stream says what it can do; to say so again is a fault.
void Gossip::State::take_hello(const PeerId& peer, const std::optional<gossip::Extensions>& said) {
  std::optional<gossip::Extensions>& known = peers.at(peer).extensions;
  if (known && said) penalise(peer, Penalty::extensions, gossip::kExtensionsAgain);
  if (!known) known = said.value_or(gossip::Extensions{});
}

void Gossip::State::take_control(Turn turn, const PeerId& peer, const gossip::Rpc& rpc) {
  take_idontwant(peers.at(peer), rpc.idontwant);
  if (!rpc.ihave.empty() && ++lazy_of(peers.at(peer)).ihaves <= gossip::kMostIHaves) {
    const std::size_t before = peers.at(peer).control.iwant.size();
    for (const gossip::IHave& have : rpc.ihave) take_ihave(turn, peer, have);
    promise(turn, peer, std::span(peers.at(peer).control.iwant).subspan(before));
  }
  take_iwant(peer, rpc.iwant);
  for (const Topic& topic : rpc.graft) take_graft(turn, peer, topic);
}

void Gossip::on_verdict(Turn turn, ValidationId id, Verdict verdict) {
  state_->verdict(turn, id, verdict);
}

void Gossip::on_timer(Turn turn) {
  state_->expire_validations(turn.now.mono);
  if (state_->next_heartbeat <= turn.now.mono) state_->heartbeat(turn);
  state_->flush();
}

Time Gossip::next_timer() const {
  Time next = state_->next_heartbeat;
  // In the order of arrival, which is that of deadlines.
  if (!state_->validating.empty())
    next = std::min(next,
                    after(state_->validating.begin()->second.arrived, gossip::kValidationTimeout));
  return next;
}

std::optional<GossipAction> Gossip::poll() {
  if (state_->actions.empty()) return std::nullopt;
  GossipAction action = std::move(state_->actions.front());
  state_->actions.pop_front();
  return action;
}

// --- commands
Result<void> Gossip::subscribe(Turn turn, const Topic& topic, PartialUse parts) {
  RETURN_IF_ERROR(check_topic(topic));
  if (parts != PartialUse{} && !state_->config.partial_messages)
    return fail(Errc::invalid, "this node is not configured for partial messages");
  if (parts.requests && !parts.supports)
    return fail(Errc::invalid, "who requests parts must also support them");
  state_->subscribe(turn, topic, parts);
  state_->flush();
  return {};
}

void Gossip::unsubscribe(Turn turn, const Topic& topic) {
  state_->unsubscribe(turn, topic);
  state_->flush();
}

Result<Receipt> Gossip::publish(Turn turn, const Topic& topic, Bytes data) {
  return state_->publish(turn, topic, std::move(data));
}

Result<Sent> Gossip::send_partial(Turn, const PeerId& peer, PartialMessage parts) {
  return state_->send_partial(peer, std::move(parts));
}

std::vector<PartialPeer> Gossip::partial_peers(const Topic& topic) const {
  return state_->partial_peers(topic);
}

Result<void> Gossip::set_application_score(Turn, const PeerId& peer, double score) {
  if (!state_->scores) return fail(Errc::invalid, "this node does not score peers");
  return state_->scores->set_application(peer, score);
}

Result<void> Gossip::set_topic_scores(Turn, const Topic& topic, const TopicScoreParams& params) {
  if (!state_->scores) return fail(Errc::invalid, "this node does not score peers");
  return state_->scores->set_topic(topic, params);
}

Result<Backfilled> Gossip::on_backfilled(Turn turn, const PeerId& peer, const Topic& topic,
                                         ByteView message) {
  return state_->take_backfilled(turn, peer, topic, message);
}

// --- questions
double Gossip::score(const PeerId& peer) const { return state_->score(peer); }

ScoreView Gossip::score_view(const PeerId& peer) const {
  const bool scored = state_->scores && !state_->direct.contains(peer);
  return scored ? state_->scores->view(peer) : ScoreView{};
}

std::vector<double> Gossip::scores() const {
  std::vector<double> all;
  if (!state_->scores) return all;
  for (const auto& [peer, state] : state_->peers)
    if (!state.direct) all.push_back(state_->score(peer));
  return all;
}

MessageId Gossip::id_of(const MessageView& message) const { return state_->id_of(message); }

const GossipConfig& Gossip::config() const { return state_->config; }
bool Gossip::has_peer(const PeerId& peer) const { return state_->peers.contains(peer); }

bool Gossip::subscribed(const Topic& topic) const {
  const auto at = state_->topics.find(topic);
  return at != state_->topics.end() && at->second.subscribed;
}

bool Gossip::subscribes(const PeerId& peer, const Topic& topic) const {
  const auto at = state_->topics.find(topic);
  return at != state_->topics.end() && at->second.subscribers.contains(peer);
}

std::vector<PeerId> Gossip::peers() const {
  std::vector<PeerId> out;
  for (const auto& [peer, state] : state_->peers) out.push_back(peer);
  return out;
}

std::vector<TopicView> Gossip::topics() const {
  std::vector<TopicView> views;
  for (const auto& [topic, about] : state_->topics)
    views.push_back({topic,
                     about.subscribed,
                     {about.mesh.begin(), about.mesh.end()},
                     {about.fanout.begin(), about.fanout.end()},
                     {about.subscribers.begin(), about.subscribers.end()},
                     about.stats});
  return views;
}

std::string Gossip::why(const PeerId& peer, Time now) const {
  const auto at = state_->peers.find(peer);
  if (at == state_->peers.end()) return "not connected";
  std::string out = stream_text(at->second.stream);
  if (at->second.dropped > 0) out += ", " + std::to_string(at->second.dropped) + " frames dropped";
  for (const auto& [topic, about] : state_->topics)
    if (about.subscribed) out += "; " + topic + ": " + state_->why_in_mesh(peer, topic, about, now);
  return out + state_->why_score(peer, now);
}

std::string Gossip::State::why_in_mesh(const PeerId& peer, const Topic& topic,
                                       const GossipTopic& about, Time now) const {
  if (about.mesh.contains(peer)) return "in the mesh";
  if (!about.subscribers.contains(peer)) return "not in the mesh: it does not subscribe";
  if (score(peer) < 0) return "not in the mesh: its score is below zero";
  const auto* wait = backoff.find(topic, peer);
  if (wait && wait->until > now)
    return std::string("not in the mesh: ") + text(wait->cause) + ", backoff for another " +
           std::to_string(std::chrono::ceil<std::chrono::seconds>(wait->until - now).count()) +
           " s";
  return "not in the mesh: it has " + std::to_string(about.mesh.size()) + " peers";
}

GossipStats Gossip::stats() const {
  GossipStats stats = state_->counts;
  stats.peers = state_->peers.size();
  stats.topics = state_->topics.size();
  stats.seen = state_->seen.size();
  stats.cached = state_->cache.size();
  stats.validating = state_->validating.size();
  stats.backoffs = state_->backoff.size();
  stats.asking = state_->asking.size();
  stats.outbox = state_->outbox.size();
  for (const double score : scores()) {
    stats.below_zero += score < 0;
    stats.lowest_score = std::min(stats.lowest_score, score);
  }
  return stats;
}

}  // namespace kadmesh
