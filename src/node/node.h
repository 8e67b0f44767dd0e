// One node, whole: swarm, identify, ping, Kademlia and GossipSub, joined at the connection hook.
// A state machine of values that a driver feeds and empties: Asio, the simulator, one of your own.
//
//   driver                          node
//   bytes, dials, timers, disk  ->  on_*(turn, ...)
//                               <-  poll() until empty, next_timer()
//
// The hook. The input that completes a handshake also puts the peer into the routing table
// (provisional) and into the pub/sub peer set, before the next input is read; the one that ends the
// last connection takes it out of both. No event travels in between.
//
// After every input: connected peers == gossip's peers, Kademlia's requests == those under way, and
// nothing that an inbound socket showed can be handed out (its type forbids it). check_invariants()
// says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/turn.h"
#include "gossip/backfill.h"
#include "gossip/gossip.h"
#include "kad/kad.h"
#include "node/identify.h"
#include "node/report.h"
#include "node/store_watch.h"
#include "store/store.h"
#include "transport/swarm.h"

namespace kadmesh {

inline constexpr Duration kDefaultDeadline = 10s;
// What a stream may begin with: a request, and less than any stream takes at once.
inline constexpr std::size_t kMostFirstBytes = std::size_t{32} * 1024;

struct NodeConfig {
  SwarmConfig swarm;
  KadConfig kad;
  GossipConfig gossip;  // `keeps` is backfill's to say
  BackfillConfig backfill;
  bool identify = true;
  bool ping = true;
  // What this node and others of a simulation have verified; null: each verifies everything.
  std::shared_ptr<SignatureMemo> signatures;
  std::string agent = "kadmesh/0.1.0";
  std::string protocol_version = "ipfs/0.1.0";
};

// Errc::invalid for a configuration that cannot hold: GossipConfig, the names of protocols. A node
// may be made of any other.
Result<void> check(const NodeConfig& config);

enum class StoreOpId : std::uint64_t {};

// --- actions: what the driver must do
struct ListenPipe {  // answered by on_listening or on_listen_failed
  ListenId id;
  Endpoint at;  // port 0: any; unspecified host: every interface
};
struct StopListening {
  ListenId id;
};
struct StoreOp {  // answered by on_stored, in order
  StoreOpId id;
  StoreRequest request;
};
using NodeAction = std::variant<DialPipe, WritePipe, ReadPipe, ClosePipe, KeyLogLine, ListenPipe,
                                StopListening, StoreOp, Report>;

// Bytes of whole messages that came, without their framing.
struct Heard {
  std::uint64_t kad_requests = 0, kad_answers = 0, gossip = 0;
};
struct NodeStats {
  KadStats kad;
  StoreStats store;
  GossipStats gossip;
  BackfillStats backfill;
  Swarm::Counters swarm;
  BootstrapStatus bootstrap;
  std::size_t connected_peers = 0, book_peers = 0;
  Heard heard;
  bool serving = false;
};

class Node {
 public:
  Node(const KeyPair& identity, NodeConfig config, Turn start);
  ~Node();

  // --- inputs from the driver. Whatever names a connection or a listener that is gone is ignored.
  void on_listening(Turn turn, ListenId id, std::vector<Multiaddr> addrs);
  void on_listen_failed(Turn turn, ListenId id, const Error& cause);
  // Interfaces changed under a wildcard listener: we may be in another network, so the waits of
  // bootstrap start over.
  void on_addrs_changed(Turn turn, ListenId id, std::vector<Multiaddr> addrs);
  ConnId on_accepted(Turn turn, const Endpoint& local, const Endpoint& remote);
  void on_dialed(Turn turn, ConnId id, const Endpoint& local);
  void on_dial_failed(Turn turn, ConnId id, const Error& cause);
  void on_bytes(Turn turn, ConnId id, ByteView bytes);
  // With SwarmConfig::plain_forms: what the latest on_bytes() took, in its plain form.
  Bytes take_opened_form();
  void on_written(Turn turn, ConnId id, std::size_t count);
  void on_closed(Turn turn, ConnId id, const Error& cause);
  void on_stored(Turn turn, StoreOpId id, const StoreResult& result);
  void on_timer(Turn turn);
  // Somebody who knows says that others can dial us, or cannot (node/serving.h); of meaning in
  // KadMode::automatic.
  void on_reachability(Turn turn, bool reachable);
  // What the driver noticed itself (accept paused at the descriptor limit, …).
  void on_driver_notice(Turn turn, Error what);

  Time next_timer() const;
  std::optional<NodeAction> poll();

  // --- commands. Those that return an OpId end in one OpDone: at their deadline at the latest, and
  // with Errc::limit when too many run. What else those of the DHT end with: kad/kad.h.
  ListenId listen(Turn turn, const Endpoint& at);
  void stop_listening(Turn turn, ListenId id);
  // With or without /p2p; success only when the peer has authenticated.
  OpId connect(Turn turn, const Multiaddr& addr, Time deadline);
  // By what the address book and, failing that, the DHT know of the peer.
  OpId connect(Turn turn, const PeerId& peer, Time deadline);
  void disconnect(Turn turn, const PeerId& peer);
  OpId ping(Turn turn, const PeerId& peer, Time deadline);
  OpId put(Turn turn, Bytes key, Bytes value, Time deadline, WalkOptions walk = {});
  OpId get(Turn turn, Bytes key, Time deadline, WalkOptions walk = {});
  OpId provide(Turn turn, Bytes multihash, Time deadline, WalkOptions walk = {});
  OpId find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline,
                      WalkOptions walk = {});
  OpId find_peer(Turn turn, const PeerId& peer, Time deadline, WalkOptions walk = {});
  // The k closest to any bytes (kad/key.h).
  OpId find_closest(Turn turn, Bytes target, Time deadline, WalkOptions walk = {});
  // Succeeds once at least `live` kad-capable peers are connected.
  OpId await_ready(Turn turn, std::size_t live, Time deadline);
  void cancel(Turn turn, OpId op);

  // As in gossip/gossip.h.
  Result<void> subscribe(Turn turn, const Topic& topic, PartialUse parts = {});
  void unsubscribe(Turn turn, const Topic& topic);
  Result<Receipt> publish(Turn turn, const Topic& topic, Bytes data);
  void verdict(Turn turn, ValidationId id, Verdict verdict);
  Result<void> set_application_score(Turn turn, const PeerId& peer, double score);
  Result<Sent> send_partial(Turn turn, const PeerId& peer, PartialMessage parts);

  // What the peer has of the topic, which we subscribe to: delivered with a mark, once each.
  // Connects if need be. Errc::unsupported: the peer keeps nothing. Which refusals and faults there
  // are: gossip/backfill.h.
  OpId backfill(Turn turn, const PeerId& peer, Topic topic, Time deadline,
                BackfillRange range = {});
  // With Keep::by_application: the answer to BackfillWanted, as Backfill::tell().
  Result<void> tell_backfill(Turn turn, BackfillId id, Result<BackfillPage> page);

  // --- streams of users' own protocols; the calls are the swarm's (transport/swarm.h).
  // Connected peers are told by an identify push. `protocol` is_protocol_name() (multistream.h);
  // any other aborts.
  void serve(Turn turn, std::string protocol);
  void stop_serving(Turn turn, std::string_view protocol);
  // Ends when the protocol is agreed. `first` travels with the proposal when that is a single one,
  // so its answer takes no round trip more than the agreement; more than kMostFirstBytes is
  // Errc::limit, and nothing is sent.
  OpId open_stream(Turn turn, const PeerId& peer, std::vector<std::string> protocols, Time deadline,
                   Bytes first = {});
  std::size_t write(Turn turn, StreamKey key, ByteView bytes);
  ByteView readable(StreamKey key) const;
  void consumed(Turn turn, StreamKey key, std::size_t count);
  void finish(Turn turn, StreamKey key);
  void reset(Turn turn, StreamKey key, std::uint32_t code);
  void release(Turn turn, StreamKey key);

  // Ends every operation (Errc::closed), every stream and every connection, and starts nothing
  // more: a node that is shut down has no timers and, once its pipes have ended, no leftovers().
  void shutdown(Turn turn);
  // What users and gossip have written and the driver has not been given: a driver that leaves in
  // order waits for zero, within reason, before shutdown().
  std::size_t unsent_bytes() const;

  // --- questions
  const KeyPair& identity() const;
  const NodeConfig& config() const;
  std::vector<Multiaddr> listen_addrs() const;  // with /p2p/<self>
  std::vector<ConnectionInfo> connections() const;
  std::optional<PeerInfo> info(const PeerId& peer) const;
  std::vector<Dialable> addrs(const PeerId& peer) const;
  // Whether it serves the DHT at this moment.
  bool serving() const;
  const Kad& kad() const;
  const Gossip& gossip() const;
  const Backfill& backfill() const;
  // Why it is or is not connected, in the table, in each mesh: one line each.
  std::vector<std::string> why(const PeerId& peer, Now now) const;
  NodeStats stats() const;
  // Empty, or what is broken: a bug of ours.
  std::string check_invariants() const;
  // Empty once everything is closed; otherwise what is still alive.
  std::string leftovers() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
