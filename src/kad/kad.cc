#include "kad/kad.h"

#include "kad/closest_query.h"
#include "kad/find_query.h"
#include "kad/get_query.h"
#include "kad/kad_state.h"
#include "kad/params.h"
#include "kad/providers_query.h"

namespace kadmesh {

Kad::Kad(PeerId self, KadConfig config, Turn start)
    : state_(std::make_unique<State>(self, std::move(config), start)) {
  state_->store(ForPool{}, Scan{Kind::pool, {}, {}, kMostPool});
  if (state_->config.quality)
    state_->store(ForQualities{}, Scan{Kind::quality, {}, {}, Qualities::kMost});
  state_->settle(start);
}

Kad::~Kad() = default;

// --- inputs: connections
void Kad::on_connected(Turn turn, const PeerId& peer, std::optional<Dialable> dialed,
                       std::optional<Subnet> seen_in) {
  State& s = *state_;
  s.peers.connected(peer, std::move(dialed), seen_in);
  s.table.on_connected(peer, turn.now.mono);
  s.machine.on_connected(peer);
  s.queries.on_candidate(turn, {peer, s.peers.addrs(peer)});
  s.settle(turn);
}

void Kad::on_disconnected(Turn turn, const PeerId& peer) {
  State& s = *state_;
  s.peers.disconnected(peer);
  s.table.on_disconnected(peer);
  s.queries.on_disconnected(peer);
  s.machine.on_disconnected(turn, peer);
  s.settle(turn);
}

void Kad::on_identified(Turn turn, const PeerId& peer, bool serves_kad,
                        std::vector<Dialable> addrs) {
  State& s = *state_;
  if (!s.peers.has(peer)) return;
  s.peers.announced(peer, std::move(addrs));
  if (serves_kad)
    s.on_serves(turn, peer);
  else
    s.on_refuses(turn, peer, "identify does not list " + s.config.protocol);
  s.queries.on_news(turn);
  s.settle(turn);
}

void Kad::on_unidentified(Turn turn, const PeerId& peer) {
  State& s = *state_;
  if (s.closed || !s.peers.has(peer) || s.peers.is_live(peer)) return;
  s.probe(turn, peer);
  s.settle(turn);
}

void Kad::on_own_addrs(Turn turn, std::vector<Multiaddr> addrs) {
  State& s = *state_;
  if (!addrs.empty() && addrs != s.own_addrs) s.refresh.on_new_address(turn);
  s.own_addrs = std::move(addrs);
  s.republish.on_news(turn);
  s.settle(turn);
}

void Kad::on_seed_dialed(Turn turn, const Multiaddr& seed, Result<PeerId> result) {
  State& s = *state_;
  s.machine.on_dialed(turn, seed, result, result && s.peers.has(*result));
  s.queries.on_news(turn);
  s.settle(turn);
}

void Kad::on_network_changed(Turn turn) {
  state_->machine.on_network_changed(turn);
  state_->peers.network_changed();
  state_->suspect_all();
  state_->settle(turn);
}

// --- inputs: requests
void Kad::on_reply(Turn turn, KadRequestId id, ByteView message) {
  state_->on_evidence(turn, state_->queries.on_reply(turn, id, message));
  state_->settle(turn);
}

void Kad::on_request_failed(Turn turn, KadRequestId id, const Error& cause) {
  state_->on_evidence(turn, state_->queries.on_failed(turn, id, cause));
  state_->settle(turn);
}

KadInboundId Kad::on_request(Turn turn, const PeerId& from, ByteView message) {
  const KadInboundId id{state_->next_inbound++};
  state_->act(id, state_->server.on_request(turn, id, from, message));
  state_->settle(turn);
  return id;
}

void Kad::on_stored(Turn turn, KadStoreId id, const StoreResult& result) {
  state_->on_stored(turn, id, result);
  state_->settle(turn);
}

void Kad::on_timer(Turn turn) {
  state_->on_timer(turn);
  state_->settle(turn);
}

Time Kad::next_timer() const { return state_->next_wake; }

std::optional<KadAction> Kad::poll() {
  auto& actions = state_->actions;
  if (actions.empty()) return std::nullopt;
  KadAction action = std::move(actions.front());
  actions.pop_front();
  return action;
}

// --- commands
KadOp Kad::get(Turn turn, Bytes key, Time deadline, WalkOptions walk) {
  auto trail = state_->trail(key, walk);
  auto query = std::make_unique<GetQuery>(state_->view, std::move(key), walk.quorum, turn.now.mono,
                                          deadline);
  return state_->begin(turn, QueryType::get, std::move(query), deadline, std::move(trail));
}

KadOp Kad::put(Turn turn, Bytes key, Bytes value, Time deadline, WalkOptions walk) {
  const KadOp op =
      state_->put(turn, std::move(key), std::move(value), Purpose::user, deadline, walk);
  return state_->asked(turn, op, QueryType::put);
}

KadOp Kad::provide(Turn turn, Bytes multihash, Time deadline, WalkOptions walk) {
  const KadOp op = state_->provide(turn, std::move(multihash), Purpose::user, deadline, walk);
  return state_->asked(turn, op, QueryType::provide);
}

KadOp Kad::find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline,
                          WalkOptions walk) {
  auto trail = state_->trail(multihash, walk);
  auto query = std::make_unique<ProvidersQuery>(state_->view, std::move(multihash), most,
                                                turn.now.mono, deadline);
  return state_->begin(turn, QueryType::find_providers, std::move(query), deadline,
                       std::move(trail));
}

KadOp Kad::find_peer(Turn turn, const PeerId& peer, Time deadline, WalkOptions walk) {
  auto query = std::make_unique<FindQuery>(state_->view, peer, turn.now.mono, deadline);
  return state_->begin(turn, QueryType::find_peer, std::move(query), deadline,
                       state_->trail(peer.bytes(), walk));
}

KadOp Kad::find_closest(Turn turn, Bytes target, Time deadline, WalkOptions walk) {
  auto trail = state_->trail(target, walk);
  auto query =
      std::make_unique<ClosestQuery>(state_->view, std::move(target), turn.now.mono, deadline);
  return state_->begin(turn, QueryType::find_closest, std::move(query), deadline, std::move(trail));
}

void Kad::cancel(Turn turn, KadOp op) {
  state_->queries.cancel(turn, op);
  state_->settle(turn);
}

void Kad::close(Turn turn) {
  state_->closed = true;
  state_->queries.end_all(turn, {Errc::closed, "this node is closing"});
  state_->settle(turn);
}

// --- questions
const KadConfig& Kad::config() const { return state_->config; }

BootstrapStatus Kad::bootstrap() const { return state_->machine.status(); }

std::vector<TableEntry> Kad::table() const { return state_->table.entries(); }

std::string Kad::why(const PeerId& peer) const { return state_->table.why(peer); }

std::string Kad::pace(const PeerId& peer) const {
  const auto ms = [](Duration time) { return std::to_string(time / 1ms) + " ms"; };
  const State& s = *state_;
  const Rtt* const rtt = s.rtts.of(peer);
  const std::string heard =
      rtt == nullptr ? "none measured"
                     : "in " + ms(rtt->mean()) + ", give or take " + ms(rtt->deviation());
  const std::string missed = rtt == nullptr || rtt->misses() == 0
                                 ? ""
                                 : "; none to the last " + std::to_string(rtt->misses());
  return heard + missed + "; the next is waited for " + ms(s.view.timeout_of(peer));
}

KadStats Kad::stats() const {
  const State& s = *state_;
  KadStats stats = s.counted;
  stats.queries_running = s.queries.running();
  stats.requests_outstanding = s.queries.outstanding();
  stats.inbound_waiting = s.server.waiting();
  stats.pending_puts = s.republish.pending(Kind::publishing);
  stats.pending_provides = s.republish.pending(Kind::providing);
  stats.republish_due = s.republish.waiting();
  stats.republish_running = s.republish.running();
  stats.requests = s.queries.requests();
  for (const RequestStats& type : stats.requests) {
    stats.requests_sent += type.sent;
    stats.requests_failed += type.ended.all_failed();
  }
  stats.inbound = s.server.ended();
  stats.requests_refused = stats.inbound.unread.all_failed();
  for (const Outcomes& type : stats.inbound.ended) {
    stats.requests_served += type.ok;
    stats.requests_refused += type.all_failed();
  }
  stats.warm = s.pace(Reach::warm);
  stats.cold = s.pace(Reach::cold);
  s.count_table(stats);
  return stats;
}

bool Kad::quiescent() const {
  const State& s = *state_;
  return s.queries.running() == 0 && s.queries.outstanding() == 0 && s.server.waiting() == 0 &&
         s.stores.empty() && s.actions.empty();
}

}  // namespace kadmesh
