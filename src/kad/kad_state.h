// All that Kademlia holds, and its parts by source file: kad.cc (what is asked of it), kad_state.cc
// (what one input sets off: queries' wants, the store, evidence about peers, the server's answers),
// upkeep.cc (what it does unasked).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "kad/bootstrap.h"
#include "kad/kad.h"
#include "kad/kept_connections.h"
#include "kad/peers.h"
#include "kad/queries.h"
#include "kad/refresh.h"
#include "kad/replication.h"
#include "kad/republish.h"
#include "kad/routing_table.h"
#include "kad/rtt.h"
#include "kad/server.h"
#include "kad/unsaved.h"
#include "kad/wake_watch.h"

namespace kadmesh {

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
struct ForQualities {};
struct ForNobody {};
using StoreOwner =
    std::variant<ForQuery, ForInbound, ForRepublish, ForPool, ForQualities, ForNobody>;

struct Kad::State {
  State(PeerId id, KadConfig settings, Turn start);

  PeerId self;
  KadConfig config;
  RoutingTable table;
  KeptConnections kept;
  Peers peers;
  BootstrapMachine machine;
  std::vector<Multiaddr> own_addrs;
  Rtts rtts;
  Qualities qualities;
  KadView view{self, config, table, peers, machine, own_addrs, rtts, qualities};
  Queries queries{view, rtts, qualities};
  Server server{view};
  Refresh refresh;
  Republish republish;
  Replication replication;
  Unsaved unsaved;

  std::map<KadOp, Republish::Item> ours;  // puts and provides under way
  struct Asked {
    QueryType type;
    Time since;
  };
  std::map<KadOp, Asked> users;  // operations under way
  std::map<KadStoreId, StoreOwner> stores;
  std::deque<KadAction> actions;
  std::uint64_t next_store = 1, next_inbound = 1;
  std::size_t live = 0;
  Time next_health, next_expire, next_quality_save;
  WakeWatch wake;
  std::deque<PeerId> suspects;  // links that may be dead, to be probed
  // Connected servers that left the table: asked in turns at each look at the health until one
  // answers, for who is connected and serves belongs there.
  std::set<PeerId> dropped;
  std::optional<PeerId> last_dropped_asked;
  Time next_wake = kNever;
  bool closed = false;
  KadStats counted;  // its counters

  // --- kad_state.cc
  KadPace pace(Reach reach) const;
  // After every input: lets all that it set off happen, until all is quiet.
  void settle(Turn turn);
  // Lets one thing happen; false when all is quiet.
  bool step(Turn turn);

  void store(StoreOwner owner, StoreRequest request);
  void on_stored(Turn turn, KadStoreId id, const StoreResult& result);

  // What queries want, and how they ended.
  void on_query(Turn turn, KadRequest& request);
  void on_query(Turn turn, const KadCancel& cancel);
  void on_query(Turn turn, KadProvider& provider);
  void on_query(Turn turn, QueryStore& wanted);
  void on_query(Turn turn, const Announced& announced);
  void on_query(Turn turn, KadStep& step);
  void on_query(Turn turn, QueryEnded& ended);

  std::optional<Trail> trail(ByteView target, WalkOptions walk) const;
  KadOp begin(Turn turn, QueryType type, std::unique_ptr<Query> query, Time deadline,
              std::optional<Trail> trail);
  void count(Turn turn, const QueryEnded& ended);
  void count_table(KadStats& stats) const;
  KadOp start(Turn turn, std::unique_ptr<Query> query, Purpose purpose, Time deadline,
              std::optional<Trail> trail = {});
  KadOp asked(Turn turn, KadOp op, QueryType type);
  KadOp put(Turn turn, Bytes key, Bytes value, Purpose purpose, Time deadline,
            WalkOptions walk = {});
  KadOp provide(Turn turn, Bytes key, Purpose purpose, Time deadline, WalkOptions walk = {});
  KadOp start_ours(Turn turn, std::unique_ptr<Query> query, Republish::Item item, Purpose purpose,
                   Time deadline, WalkOptions walk);

  void on_serves(Turn turn, const PeerId& peer);
  void on_refuses(Turn turn, const PeerId& peer, const std::string& why);
  void on_evidence(Turn turn, const std::optional<Evidence>& evidence);
  void on_answered(Turn turn, const PeerId& peer);

  void act(KadInboundId id, Server::Step step);
  void on_inbound_stored(Turn turn, KadInboundId id, const StoreResult& result);
  void serve_next();

  // --- upkeep.cc
  bool count_live(Turn turn);
  bool step_bootstrap(Turn turn);
  void explore(Turn turn, const PeerId& through);
  bool step_republish(Turn turn);
  bool step_replication(Turn turn);
  void hand_over(Turn turn, const PeerId& to);
  void replicate(Turn turn, std::uint64_t from);
  bool step_unsaved(Turn turn);
  bool step_refresh(Turn turn);
  bool step_suspects(Turn turn);
  bool step_qualities(Turn turn);
  void start_closest(Turn turn, Purpose purpose, Bytes key, Time deadline);
  void deliver(Turn turn, Republish::Due due);
  void sweep(Turn turn, Bytes key);
  bool may_sweep() const;
  void probe(Turn turn, const PeerId& peer);
  void on_timer(Turn turn);
  void drop_expired(Turn turn);
  void check_health(Turn turn);
  void probe_dropped(Turn turn);
  void on_woken(Turn turn);
  void suspect_all();
  void probe_quiet(Turn turn);
};

}  // namespace kadmesh
