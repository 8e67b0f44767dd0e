#include "kad/kad_state.h"

#include <algorithm>

#include "kad/provide_query.h"
#include "kad/put_query.h"

namespace kadmesh {
namespace {

// A zero would divide, loop or never be reached.
KadConfig sane(KadConfig config) {
  config.k = std::max<std::size_t>(config.k, 1);
  config.alpha = std::max<std::size_t>(config.alpha, 1);
  config.beta = std::clamp<std::size_t>(config.beta, 1, config.k);
  for (Duration* const interval :
       {&config.request_timeout, &config.health_interval, &config.refresh_interval,
        &config.record_ttl, &config.provider_ttl, &config.republish_interval})
    *interval = std::max<Duration>(*interval, 100ms);
  return config;
}

// Whether a failed request says something about the peer.
bool held_against(const Error& cause) {
  return cause.code != Errc::cancelled && cause.code != Errc::limit;
}

bool is_pending(const Result<KadReport>& report) {
  if (!report) return false;
  if (const auto* put = std::get_if<PutReport>(&*report)) return put->pending;
  if (const auto* provide = std::get_if<ProvideReport>(&*report)) return provide->pending;
  return false;
}

}  // namespace

Kad::State::State(PeerId id, KadConfig settings, Turn start)
    : self(id),
      config(sane(std::move(settings))),
      table(self, config.k),
      machine(self, config.seeds, start),
      refresh(self, config.refresh_interval),
      republish(self, config.republish_interval),
      next_health(after(start.now.mono, config.health_interval)),
      next_expire(after(start.now.mono, kExpireInterval)) {}

void Kad::State::settle(Turn turn) {
  while (step(turn)) {
  }
  next_wake = closed
                  ? queries.next_timer()
                  : std::min({queries.next_timer(), server.next_timer(), next_health, next_expire,
                              machine.next_timer(), refresh.next_timer(), republish.next_timer()});
}

bool Kad::State::step(Turn turn) {
  if (const auto change = table.poll()) {
    actions.push_back(KadHold{change->peer, change->entered});
    return true;
  }
  if (auto event = queries.poll()) {
    std::visit([&](auto& e) { on_query(turn, e); }, *event);
    return true;
  }
  return !closed &&
         (count_live(turn) || step_bootstrap(turn) || step_republish(turn) || step_refresh(turn));
}

// --- the store
void Kad::State::store(StoreOwner owner, StoreRequest request) {
  const KadStoreId id{next_store++};
  stores.emplace(id, owner);
  actions.push_back(KadStore{id, std::move(request)});
}

void Kad::State::on_stored(Turn turn, KadStoreId id, const StoreResult& result) {
  const auto node = stores.extract(id);
  if (node.empty()) return;
  const StoreOwner& owner = node.mapped();
  if (const auto* query = std::get_if<ForQuery>(&owner))
    queries.on_stored(turn, query->op, query->tag, result);
  else if (const auto* inbound = std::get_if<ForInbound>(&owner))
    on_inbound_stored(turn, inbound->id, result);
  else if (std::holds_alternative<ForRepublish>(owner))
    republish.on_scanned(turn, result);
  else if (std::holds_alternative<ForPool>(owner) && result)
    machine.on_pool(turn, *result);
}

// --- what queries want
void Kad::State::on_query(Turn, KadRequest& request) { actions.push_back(std::move(request)); }

void Kad::State::on_query(Turn, const KadCancel& cancel) { actions.push_back(cancel); }

void Kad::State::on_query(Turn, KadProvider& provider) { actions.push_back(std::move(provider)); }

void Kad::State::on_query(Turn, QueryStore& wanted) {
  store(wanted.tag == StoreTag::unawaited ? StoreOwner(ForNobody{})
                                          : StoreOwner(ForQuery{wanted.op, wanted.tag}),
        std::move(wanted.request));
}

void Kad::State::on_query(Turn turn, QueryEnded& ended) {
  if (auto item = ours.extract(ended.op)) settle_ours(turn, item.mapped(), ended);
  if (ended.purpose != Purpose::user) return;
  ++(ended.report                                 ? counted.queries_ok
     : ended.report.error().code == Errc::timeout ? counted.queries_timed_out
                                                  : counted.queries_failed);
  actions.push_back(KadDone{ended.op, std::move(ended.report)});
}

void Kad::State::settle_ours(Turn turn, const Republish::Item& item, const QueryEnded& ended) {
  republish.on_ended(turn, item, is_pending(ended.report));
  // What has become invalid, or was overtaken by a better value, is no longer ours to publish.
  if (ended.purpose != Purpose::republish || ended.report) return;
  const Errc code = ended.report.error().code;
  if (code != Errc::io && code != Errc::limit && code != Errc::closed)
    store(ForNobody{}, Erase{item.first, item.second, {}});
}

// --- starting operations
KadOp Kad::State::start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline) {
  if (purpose == Purpose::user) ++counted.queries_started;
  if (live == 0) machine.on_demand(turn);
  return queries.start(turn, std::move(query), purpose, deadline);
}

KadOp Kad::State::put(Turn turn, Bytes key, Bytes value, Purpose purpose, Time deadline) {
  Republish::Item item{Kind::publishing, key};
  auto query = std::make_unique<PutQuery>(view, std::move(key), std::move(value), turn, deadline);
  return start_ours(turn, std::move(query), std::move(item), purpose, deadline);
}

KadOp Kad::State::provide(Turn turn, Bytes key, Purpose purpose, Time deadline) {
  Republish::Item item{Kind::providing, key};
  auto query = std::make_unique<ProvideQuery>(view, std::move(key), turn, deadline);
  return start_ours(turn, std::move(query), std::move(item), purpose, deadline);
}

KadOp Kad::State::start_ours(Turn turn, std::unique_ptr<Query> query, Republish::Item item,
                             Purpose purpose, Time deadline) {
  republish.on_started(item);
  const KadOp op = start(turn, std::move(query), purpose, deadline);
  ours.emplace(op, std::move(item));
  return op;
}

// --- peers
void Kad::State::on_serves(Turn turn, const PeerId& peer) {
  const auto addrs = peers.addrs(peer);
  peers.serves(peer, true);
  table.on_serves(peer, addrs, turn.now.mono);
  machine.on_worked(turn, peer, addrs);
}

void Kad::State::on_refuses(Turn turn, const PeerId& peer, const std::string& why) {
  peers.serves(peer, false);
  table.on_refuses(peer, why);
  machine.on_unfit(turn, peer, why);
}

void Kad::State::on_evidence(Turn turn, const std::optional<Evidence>& evidence) {
  if (!evidence) return;
  if (!evidence->failure) return on_answered(turn, evidence->peer);
  if (evidence->failure->code == Errc::unsupported)
    on_refuses(turn, evidence->peer, "it does not speak " + config.protocol);
  else if (held_against(*evidence->failure))
    table.on_failed(evidence->peer, *evidence->failure);
}

// An answer may come with the end of its connection: then it is too late to enter.
void Kad::State::on_answered(Turn turn, const PeerId& peer) {
  if (!peers.has(peer)) return;
  table.on_answered(peer, peers.addrs(peer), turn.now.mono);
  if (peers.is_live(peer)) return;
  peers.serves(peer, true);
  machine.on_worked(turn, peer, peers.addrs(peer));
}

// --- the server
void Kad::State::act(KadInboundId id, Server::Step step) {
  if (auto* answer = std::get_if<Server::Answer>(&step)) {
    ++counted.requests_served;
    actions.push_back(KadReply{id, std::move(answer->message)});
  } else if (auto* refusal = std::get_if<Server::Refuse>(&step)) {
    ++counted.requests_refused;
    actions.push_back(KadRefuse{id, std::move(refusal->why)});
  } else {
    store(ForInbound{id}, std::get<Server::Use>(std::move(step)).request);
  }
}

void Kad::State::on_inbound_stored(Turn turn, KadInboundId id, const StoreResult& result) {
  if (auto step = server.on_stored(turn, id, result)) act(id, *std::move(step));
  if (auto request = server.poll_cleanup()) store(ForNobody{}, *std::move(request));
}

}  // namespace kadmesh
