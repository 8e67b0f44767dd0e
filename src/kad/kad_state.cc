#include "kad/kad_state.h"

#include <algorithm>
#include <set>

#include "kad/params.h"
#include "kad/provide_query.h"
#include "kad/put_query.h"
#include "kad/region.h"
#include "kad/rows.h"

namespace kadmesh {
namespace {

// A zero would divide, loop or never be reached.
KadConfig sane(KadConfig config) {
  config.k = std::max<std::size_t>(config.k, 1);
  config.alpha = std::max<std::size_t>(config.alpha, 1);
  config.beta = std::clamp<std::size_t>(config.beta, 1, config.k);
  config.paths = std::clamp<std::size_t>(config.paths, 1, kMostPaths);
  for (Duration* const interval :
       {&config.request_timeout, &config.health_interval, &config.refresh_interval,
        &config.record_ttl, &config.provider_ttl, &config.republish_interval})
    *interval = std::max<Duration>(*interval, 100ms);
  config.replicate_interval =
      config.replicate_interval <= 0s ? 0s : std::max<Duration>(config.replicate_interval, 100ms);
  config.scope = settled(config.scope, config.protocol, config.seeds);
  return config;
}

// Others cannot ask a client for what it has.
bool replicates(const KadConfig& config) {
  return config.mode != KadMode::client && has_regions(config.policies);
}

// Whether a failed request says something about the peer.
bool held_against(const Error& cause) {
  return cause.code != Errc::cancelled && cause.code != Errc::limit;
}

// Whether a request to somebody who is not connected never came to him.
bool out_of_reach(const Error& cause) {
  return cause.code == Errc::unreachable || cause.code == Errc::timeout ||
         cause.code == Errc::refused || cause.code == Errc::auth || cause.code == Errc::io;
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
      table(self, config.k, {config.diversity, config.scope, config.policies}),
      kept(KadId::of(self), config.kept_of_bucket),
      machine(self, config.seeds, start, config.refresh_interval),
      rtts(config.request_timeout),
      refresh(self, config.refresh_interval),
      republish(self, config.republish_interval),
      replication(replicates(config) ? config.replicate_interval : 0s),
      next_health(after(start.now.mono, config.health_interval)),
      next_expire(after(start.now.mono, kExpireInterval)),
      next_quality_save(after(start.now.mono, kQualityInterval)),
      wake(start.now) {}

void Kad::State::settle(Turn turn) {
  while (step(turn)) {
  }
  next_wake =
      closed ? queries.next_timer()
             : std::min({queries.next_timer(), server.next_timer(), next_health, next_expire,
                         next_quality_save, machine.next_timer(), refresh.next_timer(),
                         republish.next_timer(), replication.next_timer(), unsaved.next_timer()});
}

bool Kad::State::step(Turn turn) {
  if (const auto change = table.poll()) {
    for (const KadHold& hold : kept.on(*change)) actions.push_back(hold);
    if (!change->entered && peers.is_live(change->peer)) dropped.insert(change->peer);
    if (change->entered && table.nearer_to_us(change->peer) < config.k)
      replication.on_neighbour(turn, change->peer);
    return true;
  }
  if (auto event = queries.poll()) {
    std::visit([&](auto& e) { on_query(turn, e); }, *event);
    return true;
  }
  return !closed && (count_live(turn) || step_bootstrap(turn) || step_republish(turn) ||
                     step_replication(turn) || step_unsaved(turn) || step_refresh(turn) ||
                     step_suspects(turn) || step_qualities(turn));
}

KadPace Kad::State::pace(Reach reach) const {
  const Rtt& rtt = rtts.crowd(reach);
  return {rtt.samples(), rtt.mean(), rtt.deviation(),
          config.adaptive ? rtts.timeout(reach) : config.request_timeout};
}

// --- the store
void Kad::State::store(StoreOwner owner, StoreRequest request) {
  const KadStoreId id{next_store++};
  stores.emplace(id, owner);
  unsaved.on_asked(id, request);
  actions.push_back(KadStore{id, std::move(request)});
}

void Kad::State::on_stored(Turn turn, KadStoreId id, const StoreResult& result) {
  const auto node = stores.extract(id);
  if (node.empty()) return;
  unsaved.on_stored(turn, id, result);
  const StoreOwner& owner = node.mapped();
  if (const auto* query = std::get_if<ForQuery>(&owner))
    queries.on_stored(turn, query->op, query->tag, result);
  else if (const auto* inbound = std::get_if<ForInbound>(&owner))
    on_inbound_stored(turn, inbound->id, result);
  else if (std::holds_alternative<ForRepublish>(owner))
    republish.on_scanned(turn, result);
  else if (std::holds_alternative<ForPool>(owner) && result)
    machine.on_pool(turn, *result);
  else if (std::holds_alternative<ForQualities>(owner) && result)
    qualities.on_rows(turn, *result);
}

// --- what queries want
void Kad::State::on_query(Turn, KadRequest& request) { actions.push_back(std::move(request)); }

void Kad::State::on_query(Turn, const KadCancel& cancel) { actions.push_back(cancel); }

void Kad::State::on_query(Turn, KadProvider& provider) { actions.push_back(std::move(provider)); }

void Kad::State::on_query(Turn, KadStep& step) { actions.push_back(std::move(step)); }

void Kad::State::on_query(Turn, QueryStore& wanted) {
  store(wanted.tag == StoreTag::unawaited ? StoreOwner(ForNobody{})
                                          : StoreOwner(ForQuery{wanted.op, wanted.tag}),
        std::move(wanted.request));
}

void Kad::State::on_query(Turn turn, const Announced& announced) {
  if (!republish.on_announced(announced.key)) return;
  store(ForNobody{}, Save{provider_row(config, turn, announced.key, self)});
  store(ForNobody{}, Save{providing_row(announced.key, turn.now.wall)});
}

void Kad::State::on_query(Turn turn, QueryEnded& ended) {
  if (ended.purpose == Purpose::replicate)
    replication.on_round_ended(ended.swept.up_to, ended.swept.to_end);
  if (ended.purpose == Purpose::hand_over) replication.on_handed_over();
  if (ended.purpose == Purpose::sweep) republish.on_swept(turn, ended.swept);
  if (auto item = ours.extract(ended.op))
    republish.on_ended(turn, item.mapped(), is_pending(ended.report));
  if (ended.purpose != Purpose::user) return;
  count(turn, ended);
  actions.push_back(KadDone{ended.op, std::move(ended.report)});
}

void Kad::State::count(Turn turn, const QueryEnded& ended) {
  ++(ended.report                                 ? counted.queries_ok
     : ended.report.error().code == Errc::timeout ? counted.queries_timed_out
                                                  : counted.queries_failed);
  const Asked asked = users.extract(ended.op).mapped();
  QueryStats& stats = counted.queries[static_cast<std::size_t>(asked.type)];
  stats.ended.count(ended.report ? nullptr : &ended.report.error());
  stats.took_ms.add(static_cast<std::uint64_t>((turn.now.mono - asked.since) / 1ms));
  if (!ended.report) return;
  const Walk& walk = std::visit([](const auto& r) -> const Walk& { return r.walk; }, *ended.report);
  ++stats.hops[std::min(walk.hops, kHops - 1)];
}

void Kad::State::count_table(KadStats& stats) const {
  stats.table_servers = table.servers();
  stats.table_provisional = table.provisional();
  std::set<unsigned> all, connected;
  for (const TableEntry& entry : table.entries()) {
    if (entry.standing != Standing::server) continue;
    all.insert(entry.bucket);
    if (!entry.connected) continue;
    connected.insert(entry.bucket);
    ++stats.table_live;
  }
  stats.buckets = all.size();
  stats.buckets_live = connected.size();
}

// --- starting operations
std::optional<Trail> Kad::State::trail(ByteView target, WalkOptions walk) const {
  if (!walk.trace) return std::nullopt;
  return Trail(self, KadId::of(target));
}

KadOp Kad::State::begin(Turn turn, QueryType type, std::unique_ptr<Query> query, Time deadline,
                        std::optional<Trail> trail) {
  return asked(turn, start(turn, std::move(query), Purpose::user, deadline, std::move(trail)),
               type);
}

// By a user. What it ended with, if it has, is looked at only now.
KadOp Kad::State::asked(Turn turn, KadOp op, QueryType type) {
  users.emplace(op, Asked{type, turn.now.mono});
  settle(turn);
  return op;
}

KadOp Kad::State::start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline,
                        std::optional<Trail> trail) {
  if (purpose == Purpose::user) ++counted.queries_started;
  if (live == 0) machine.on_demand(turn);
  return queries.start(turn, std::move(query), purpose, deadline, std::move(trail));
}

KadOp Kad::State::put(Turn turn, Bytes key, Bytes value, Purpose purpose, Time deadline,
                      WalkOptions walk) {
  Republish::Item item{Kind::publishing, key};
  auto query = std::make_unique<PutQuery>(view, std::move(key), std::move(value), turn, deadline);
  return start_ours(turn, std::move(query), std::move(item), purpose, deadline, walk);
}

KadOp Kad::State::provide(Turn turn, Bytes key, Purpose purpose, Time deadline, WalkOptions walk) {
  Republish::Item item{Kind::providing, key};
  auto query = std::make_unique<ProvideQuery>(view, std::move(key), turn, deadline);
  return start_ours(turn, std::move(query), std::move(item), purpose, deadline, walk);
}

KadOp Kad::State::start_ours(Turn turn, std::unique_ptr<Query> query, Republish::Item item,
                             Purpose purpose, Time deadline, WalkOptions walk) {
  republish.on_started(item);
  const KadOp op = start(turn, std::move(query), purpose, deadline, trail(item.second, walk));
  ours.emplace(op, std::move(item));
  return op;
}

// --- peers
void Kad::State::on_serves(Turn turn, const PeerId& peer) {
  const auto addrs = peers.addrs(peer);
  peers.serves(peer, true);
  table.on_serves(peer, addrs, turn.now.mono, peers.seen_in(peer));
  machine.on_worked(turn, peer, addrs, peers.seen_in(peer));
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
  if (out_of_reach(*evidence->failure)) peers.unreachable(turn, evidence->peer, evidence->where);
}

// An answer may come with the end of its connection: then it is too late to enter.
void Kad::State::on_answered(Turn turn, const PeerId& peer) {
  dropped.erase(peer);
  if (!peers.has(peer)) return;
  table.on_answered(peer, peers.addrs(peer), turn.now.mono, peers.seen_in(peer));
  if (peers.is_live(peer)) return;
  peers.serves(peer, true);
  machine.on_worked(turn, peer, peers.addrs(peer), peers.seen_in(peer));
}

// --- the server
void Kad::State::act(KadInboundId id, Server::Step step) {
  if (auto* answer = std::get_if<Server::Answer>(&step)) {
    actions.push_back(KadReply{id, std::move(answer->message)});
  } else if (auto* refusal = std::get_if<Server::Refuse>(&step)) {
    actions.push_back(KadRefuse{id, std::move(refusal->why)});
  } else if (auto* use = std::get_if<Server::Use>(&step)) {
    store(ForInbound{id}, std::move(use->request));
  }
}

// Of those that write, whose turn it is; behind what the one before it has erased.
void Kad::State::serve_next() {
  while (auto request = server.poll_cleanup()) store(ForNobody{}, *std::move(request));
  while (auto next = server.poll_next()) store(ForInbound{next->first}, std::move(next->second));
}

void Kad::State::on_inbound_stored(Turn turn, KadInboundId id, const StoreResult& result) {
  if (auto step = server.on_stored(turn, id, result)) act(id, *std::move(step));
  serve_next();
}

}  // namespace kadmesh
