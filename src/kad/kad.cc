#include "kad/kad.h"

#include <algorithm>
#include <deque>
#include <map>
#include <variant>

#include "kad/bootstrap.h"
#include "kad/closest_query.h"
#include "kad/errand_query.h"
#include "kad/find_query.h"
#include "kad/get_query.h"
#include "kad/provide_query.h"
#include "kad/providers_query.h"
#include "kad/put_query.h"
#include "kad/queries.h"
#include "kad/refresh.h"
#include "kad/republish.h"
#include "kad/rows.h"
#include "kad/server.h"

namespace kadmesh {
namespace {

// Who waits for an answer of the store.
struct ForQuery {
  KadOp op;
  StoreTag tag;
};
struct ForInbound {
  KadInboundId id;
};
struct ForRepublish {};
struct ForPool {};
struct ForNobody {};
using StoreOwner = std::variant<ForQuery, ForInbound, ForRepublish, ForPool, ForNobody>;

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

}  // namespace

struct Kad::State {
  State(PeerId id, KadConfig settings, Turn start)
      : self(id),
        config(sane(std::move(settings))),
        table(self, config.k),
        machine(self, config.seeds, start),
        refresh(self, config.refresh_interval),
        republish(self, config.republish_interval),
        next_health(after(start.now.mono, config.health_interval)),
        next_expire(after(start.now.mono, kExpireInterval)) {}

  PeerId self;
  KadConfig config;
  RoutingTable table;
  Peers peers;
  BootstrapMachine machine;
  std::vector<Multiaddr> own_addrs;
  KadView view{self, config, table, peers, machine, own_addrs};
  Queries queries{view};
  Server server{view};
  Refresh refresh;
  Republish republish;

  std::map<KadOp, Republish::Item> ours;  // puts and provides under way
  std::map<KadStoreId, StoreOwner> stores;
  std::deque<KadAction> actions;
  std::uint64_t next_store = 1, next_inbound = 1;
  std::size_t live = 0;
  Time next_health, next_expire;
  Time next_wake = kNever;
  bool closed = false;
  KadStats counted;  // its counters

  // --- after every input
  void settle(Turn turn) {
    while (step(turn)) {
    }
    next_wake =
        closed ? queries.next_timer()
               : std::min({queries.next_timer(), server.next_timer(), next_health, next_expire,
                           machine.next_timer(), refresh.next_timer(), republish.next_timer()});
  }

  // Lets one thing happen; false when all is quiet.
  bool step(Turn turn) {
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

  bool count_live(Turn turn) {
    const std::size_t before = std::exchange(live, peers.live());
    if (before == live) return false;
    machine.on_live(turn, live);
    if (live == 0) {
      refresh.on_isolated();
      republish.on_unreachable();
    } else if (before == 0) {
      refresh.on_joined(turn);
      republish.on_reachable(turn);
    }
    return true;
  }

  bool step_bootstrap(Turn turn) {
    auto next = machine.poll(turn);
    if (!next) return false;
    if (auto* dial = std::get_if<KadDial>(&*next))
      actions.push_back(std::move(*dial));
    else
      store(ForNobody{}, std::get<StoreRequest>(*std::move(next)));
    return true;
  }

  bool step_republish(Turn turn) {
    auto next = republish.poll(turn);
    if (!next) return false;
    if (auto* scan = std::get_if<Scan>(&*next))
      store(ForRepublish{}, std::move(*scan));
    else
      deliver(turn, std::get<Republish::Due>(*std::move(next)));
    return true;
  }

  bool step_refresh(Turn turn) {
    const Time deadline = after(turn.now.mono, kBackgroundDeadline);
    if (refresh.self_lookup_due(turn.now.mono)) {
      refresh.self_lookup_started(turn);
      start_closest(turn, Purpose::self_lookup, to_bytes(self.bytes()), deadline);
      return true;
    }
    refresh.begin_round(turn, table.depth());
    if (queries.running(Purpose::refresh) > 0) return false;
    const auto key = refresh.next_key(turn);
    if (key) start_closest(turn, Purpose::refresh, *key, deadline);
    return key.has_value();
  }

  void start_closest(Turn turn, Purpose purpose, Bytes key, Time deadline) {
    queries.start(turn,
                  std::make_unique<ClosestQuery>(view, std::move(key), turn.now.mono, deadline),
                  purpose, deadline);
  }

  // --- the store
  void store(StoreOwner owner, StoreRequest request) {
    const KadStoreId id{next_store++};
    stores.emplace(id, owner);
    actions.push_back(KadStore{id, std::move(request)});
  }

  void on_stored(Turn turn, KadStoreId id, const StoreResult& result) {
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
  void on_query(Turn, KadRequest& request) { actions.push_back(std::move(request)); }
  void on_query(Turn, KadCancel& cancel) { actions.push_back(cancel); }
  void on_query(Turn, KadProvider& provider) { actions.push_back(std::move(provider)); }
  void on_query(Turn, QueryStore& wanted) {
    store(wanted.tag == StoreTag::unawaited ? StoreOwner(ForNobody{})
                                            : StoreOwner(ForQuery{wanted.op, wanted.tag}),
          std::move(wanted.request));
  }

  void on_query(Turn turn, QueryEnded& ended) {
    if (auto item = ours.extract(ended.op)) settle_ours(turn, item.mapped(), ended);
    if (ended.purpose != Purpose::user) return;
    ++(ended.report                                 ? counted.queries_ok
       : ended.report.error().code == Errc::timeout ? counted.queries_timed_out
                                                    : counted.queries_failed);
    actions.push_back(KadDone{ended.op, std::move(ended.report)});
  }

  void settle_ours(Turn turn, const Republish::Item& item, const QueryEnded& ended) {
    republish.on_ended(turn, item, is_pending(ended.report));
    // What has become invalid, or was overtaken by a better value, is no longer ours to publish.
    if (ended.purpose != Purpose::republish || ended.report) return;
    const Errc code = ended.report.error().code;
    if (code != Errc::io && code != Errc::limit && code != Errc::closed)
      store(ForNobody{}, Erase{item.first, item.second, {}});
  }

  static bool is_pending(const Result<KadReport>& report) {
    if (!report) return false;
    if (const auto* put = std::get_if<PutReport>(&*report)) return put->pending;
    if (const auto* provide = std::get_if<ProvideReport>(&*report)) return provide->pending;
    return false;
  }

  // --- starting operations
  KadOp start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline) {
    if (purpose == Purpose::user) ++counted.queries_started;
    if (live == 0) machine.on_demand(turn);
    return queries.start(turn, std::move(query), purpose, deadline);
  }

  KadOp put(Turn turn, Bytes key, Bytes value, Purpose purpose, Time deadline) {
    Republish::Item item{Kind::publishing, key};
    auto query = std::make_unique<PutQuery>(view, std::move(key), std::move(value), turn, deadline);
    return start_ours(turn, std::move(query), std::move(item), purpose, deadline);
  }

  KadOp provide(Turn turn, Bytes key, Purpose purpose, Time deadline) {
    Republish::Item item{Kind::providing, key};
    auto query = std::make_unique<ProvideQuery>(view, std::move(key), turn, deadline);
    return start_ours(turn, std::move(query), std::move(item), purpose, deadline);
  }

  KadOp start_ours(Turn turn, std::unique_ptr<Query> query, Republish::Item item, Purpose purpose,
                   Time deadline) {
    republish.on_started(item);
    const KadOp op = start(turn, std::move(query), purpose, deadline);
    ours.emplace(op, std::move(item));
    return op;
  }

  void deliver(Turn turn, Republish::Due due) {
    const Time deadline = after(turn.now.mono, kBackgroundDeadline);
    if (due.item.first == Kind::publishing)
      put(turn, std::move(due.item.second), std::move(due.value), Purpose::republish, deadline);
    else
      provide(turn, std::move(due.item.second), Purpose::republish, deadline);
  }

  // --- peers
  void on_serves(Turn turn, const PeerId& peer) {
    const auto addrs = peers.addrs(peer);
    peers.serves(peer, true);
    table.on_serves(peer, addrs, turn.now.mono);
    machine.on_worked(turn, peer, addrs);
  }

  void on_refuses(Turn turn, const PeerId& peer, const std::string& why) {
    peers.serves(peer, false);
    table.on_refuses(peer, why);
    machine.on_unfit(turn, peer, why);
  }

  void on_evidence(Turn turn, const std::optional<Evidence>& evidence) {
    if (!evidence) return;
    if (!evidence->failure) return on_answered(turn, evidence->peer);
    if (evidence->failure->code == Errc::unsupported)
      on_refuses(turn, evidence->peer, "it does not speak " + config.protocol);
    else if (held_against(*evidence->failure))
      table.on_failed(evidence->peer, *evidence->failure);
  }

  // An answer may come with the end of its connection: then it is too late to enter.
  void on_answered(Turn turn, const PeerId& peer) {
    if (!peers.has(peer)) return;
    table.on_answered(peer, peers.addrs(peer), turn.now.mono);
    if (peers.is_live(peer)) return;
    peers.serves(peer, true);
    machine.on_worked(turn, peer, peers.addrs(peer));
  }

  void probe(Turn turn, const PeerId& peer) {
    const Time deadline = after(turn.now.mono, config.request_timeout);
    start(turn, ErrandQuery::probe({peer, {}}, deadline), Purpose::probe, deadline);
  }

  // --- the server
  void act(KadInboundId id, Server::Step step) {
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

  void on_inbound_stored(Turn turn, KadInboundId id, const StoreResult& result) {
    if (auto step = server.on_stored(turn, id, result)) act(id, *std::move(step));
    if (auto request = server.poll_cleanup()) store(ForNobody{}, *std::move(request));
  }

  // --- time
  void on_timer(Turn turn) {
    queries.on_timer(turn);
    while (const auto id = server.expire(turn.now.mono))
      act(*id, Server::Refuse{{Errc::timeout, "the store did not answer"}});
    if (closed) return;
    if (turn.now.mono >= next_health) check_health(turn);
    if (turn.now.mono < next_expire) return;
    next_expire = after(turn.now.mono, kExpireInterval);
    store(ForNobody{}, Expire{});
  }

  // A connection may be open and nobody there: who was silent for longest is asked.
  void check_health(Turn turn) {
    next_health = after(turn.now.mono, config.health_interval);
    if (queries.running(Purpose::probe) > 0) return;
    std::optional<TableEntry> quietest;
    const auto heard = [](const TableEntry& e) { return std::max(e.last_answer, e.since); };
    for (const TableEntry& entry : table.entries())
      if (entry.connected && (!quietest || heard(entry) < heard(*quietest))) quietest = entry;
    if (quietest && turn.now.mono >= after(heard(*quietest), kProbeAfter))
      probe(turn, quietest->contact.peer);
  }
};

Kad::Kad(PeerId self, KadConfig config, Turn start)
    : state_(std::make_unique<State>(self, std::move(config), start)) {
  state_->store(ForPool{}, Scan{Kind::pool, {}, {}, kMostPool});
  state_->settle(start);
}

Kad::~Kad() = default;

// --- inputs: connections
void Kad::on_connected(Turn turn, const PeerId& peer, std::optional<Dialable> dialed) {
  State& s = *state_;
  s.peers.connected(peer, std::move(dialed));
  s.table.on_connected(peer, turn.now.mono);
  s.machine.on_connected(peer);
  s.queries.on_candidate(turn, {peer, s.peers.addrs(peer)});
  s.settle(turn);
}

void Kad::on_disconnected(Turn turn, const PeerId& peer) {
  State& s = *state_;
  s.peers.disconnected(peer);
  s.table.on_disconnected(peer);
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
  state_->own_addrs = std::move(addrs);
  state_->republish.on_news(turn);
  state_->settle(turn);
}

void Kad::on_seed_dialed(Turn turn, const Multiaddr& seed, Result<PeerId> result) {
  State& s = *state_;
  s.machine.on_dialed(turn, seed, result, result && s.peers.has(*result));
  s.queries.on_news(turn);
  s.settle(turn);
}

void Kad::on_network_changed(Turn turn) {
  state_->machine.on_network_changed(turn);
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
KadOp Kad::get(Turn turn, Bytes key, Time deadline) {
  auto query = std::make_unique<GetQuery>(state_->view, std::move(key), turn.now.mono, deadline);
  const KadOp op = state_->start(turn, std::move(query), Purpose::user, deadline);
  state_->settle(turn);
  return op;
}

KadOp Kad::put(Turn turn, Bytes key, Bytes value, Time deadline) {
  const KadOp op = state_->put(turn, std::move(key), std::move(value), Purpose::user, deadline);
  state_->settle(turn);
  return op;
}

KadOp Kad::provide(Turn turn, Bytes multihash, Time deadline) {
  const KadOp op = state_->provide(turn, std::move(multihash), Purpose::user, deadline);
  state_->settle(turn);
  return op;
}

KadOp Kad::find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline) {
  auto query = std::make_unique<ProvidersQuery>(state_->view, std::move(multihash), most,
                                                turn.now.mono, deadline);
  const KadOp op = state_->start(turn, std::move(query), Purpose::user, deadline);
  state_->settle(turn);
  return op;
}

KadOp Kad::find_peer(Turn turn, const PeerId& peer, Time deadline) {
  auto query = std::make_unique<FindQuery>(state_->view, peer, turn.now.mono, deadline);
  const KadOp op = state_->start(turn, std::move(query), Purpose::user, deadline);
  state_->settle(turn);
  return op;
}

KadOp Kad::find_closest(Turn turn, Bytes target, Time deadline) {
  auto query =
      std::make_unique<ClosestQuery>(state_->view, std::move(target), turn.now.mono, deadline);
  const KadOp op = state_->start(turn, std::move(query), Purpose::user, deadline);
  state_->settle(turn);
  return op;
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

BootstrapStatus Kad::bootstrap(Time) const { return state_->machine.status(); }

std::vector<TableEntry> Kad::table() const { return state_->table.entries(); }

std::string Kad::why(const PeerId& peer) const { return state_->table.why(peer); }

KadStats Kad::stats() const {
  const State& s = *state_;
  KadStats stats = s.counted;
  stats.queries_running = s.queries.running();
  stats.requests_outstanding = s.queries.outstanding();
  stats.inbound_waiting = s.server.waiting();
  stats.table_servers = s.table.servers();
  stats.table_provisional = s.table.provisional();
  stats.pending_puts = s.republish.pending(Kind::publishing);
  stats.requests_sent = s.queries.sent();
  stats.requests_failed = s.queries.failed();
  return stats;
}

bool Kad::quiescent() const {
  const State& s = *state_;
  return s.queries.running() == 0 && s.queries.outstanding() == 0 && s.server.waiting() == 0 &&
         s.stores.empty() && s.actions.empty();
}

}  // namespace kadmesh
