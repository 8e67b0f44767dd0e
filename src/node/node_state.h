// All that a node holds, and its parts by source file: node.cc (inputs, time, and letting all that
// one input set off happen), hook.cc (who came and left, and what happened on streams),
// core_actions.cc (what the cores want done), commands.cc, questions.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "node/address_book.h"
#include "node/backfill_streams.h"
#include "node/gossip_streams.h"
#include "node/identify.h"
#include "node/kad_streams.h"
#include "node/node.h"
#include "node/operations.h"
#include "node/serving.h"
#include "node/store_watch.h"
#include "transport/ping.h"
#include "transport/request.h"

namespace kadmesh {

struct Node::State {
  State(const KeyPair& who, NodeConfig settings, Turn start);

  const KeyPair identity;
  const NodeConfig config;
  AddressBook book;
  Swarm swarm;
  Requester requester;
  Pinger pinger;
  std::optional<PingResponder> responder;
  std::optional<Identify> identify;
  Kad kad;
  Gossip gossip;
  GossipStreams gossip_streams;
  Backfill backfill;
  BackfillStreams backfill_streams;
  Serving serving;
  KadStreams kad_streams;
  Operations operations;

  bool closing = false;  // shut down: cores may ask, nothing starts
  // Of all parts but the swarm and GossipSub: whether any may have something to say, and when the
  // first of them wants to be called. Most inputs are bytes of a stream that is none of theirs.
  bool stirred = true;
  Time others_timer = kNever;
  std::uint64_t next_listen = 1, next_store = 1;
  std::uint64_t answers_heard = 0;                       // bytes of Kademlia's answers
  std::map<ListenId, std::vector<Multiaddr>> listening;  // no addresses: not yet up
  std::map<DialId, Multiaddr> seed_dials;
  // Of those whom a peer that pruned us has named: so many at once, for whoever names them could
  // name anybody.
  static constexpr std::size_t kMostGossipDials = 8;
  std::set<DialId> gossip_dials;
  // Kademlia's requests under way, by either id.
  std::map<RequestId, KadRequestId> requests;
  std::map<KadRequestId, RequestId> kad_requests;
  struct Storing {
    KadStoreId asked;
    bool saving;
  };
  std::map<StoreOpId, Storing> storing;
  StoreWatch store_watch;
  std::set<std::string, std::less<>> user_protocols;
  std::set<StreamKey> user_streams;
  Bootstrap last_bootstrap = Bootstrap::no_seeds;
  std::deque<NodeAction> actions;

  static Error shut() { return {Errc::closed, "the node is shut down"}; }

  // --- node.cc
  // Lets everything that this input set off happen, until all is quiet.
  void settle(Turn turn);
  // The same for an input that only the swarm or GossipSub has seen yet.
  void settle_streams(Turn turn);
  bool step(Turn turn);
  bool step_others(Turn turn);
  void settle_others();
  void on_others_timer(Turn turn);
  void report(Report what) { actions.emplace_back(std::move(what)); }
  void report_operations();
  void report_bootstrap(const BootstrapStatus& status);
  void notice(Notice::Level level, std::string_view area, std::optional<PeerId> peer, Error what);
  // Where we listen, or what we serve, has changed.
  void addrs_changed(Turn turn);
  void protocols_changed(Turn turn);
  // By what is now known of being reachable, we serve the DHT or no longer do.
  void serve_or_not(Turn turn);

  // --- hook.cc
  void on_swarm(Turn turn, const SwarmEvent& event);
  void on_established(Turn turn, const Established& e);
  void on_disconnected(Turn turn, const Disconnected& d);
  std::vector<Multiaddr> remotes_of(const PeerId& peer) const;
  bool on_seed_dialed(Turn turn, const DialFinished& dial);
  Result<PeerId> reached_by(const DialFinished& dial) const;
  bool on_user_stream(const SwarmEvent& event);
  std::optional<Identify::Told> poll_identify();
  void on_told(Turn turn, const Identify::Told& told);
  void on_untold(Turn turn, const Identify::Told& told);

  // --- commands.cc
  OpId adopt(Turn turn, KadOp begun);

  // --- core_actions.cc: Kademlia's
  void on(Turn turn, KadRequest& action);
  void on(Turn turn, const KadCancel& action);
  void on(Turn turn, const KadReply& action);
  void on(Turn turn, const KadRefuse& action);
  void on(Turn turn, KadStore& action);
  void on(Turn turn, const KadDial& action);
  void on(Turn turn, KadProvider& action);
  void on(Turn turn, KadStep& action);
  void on(Turn turn, const KadDone& action);
  void on(Turn turn, const KadHold& action);
  void on_completed(Turn turn, const Completed& completed);
  std::vector<Multiaddr> where(const Contact& contact) const;

  // --- core_actions.cc: GossipSub's
  void on(Turn turn, const GossipSend& action);
  void on(Turn turn, GossipValidate& action);
  void on(Turn turn, GossipDeliver& action);
  void on(Turn turn, const GossipHold& action);
  void on(Turn turn, const GossipDial& action);
  void on(Turn turn, const GossipMeet& action);
  void on(Turn turn, const GossipUnsent& action);
  void on(Turn turn, GossipPart& action);
  void on(Turn turn, GossipOffer& action);
  void on(Turn turn, const GossipFault& action);
  void on(Turn turn, const GossipSlow& action);
  void on(Turn turn, GossipKeep& action);
  void on(Turn turn, GossipTrace& action);
  void hold(const PeerId& peer, bool held);

  // --- core_actions.cc: Backfill's
  void on(Turn turn, BackfillRequest& action);
  void on(Turn turn, const BackfillCancel& action);
  void on(Turn turn, const BackfillReply& action);
  void on(Turn turn, BackfillAsked& action);
  void on(Turn turn, BackfillDone& action);
};

}  // namespace kadmesh
