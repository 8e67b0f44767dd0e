// Whole nodes in one process, in virtual time: the production code, driven through the same calls
// as the Asio driver's, one input a turn. One seed decides everything; the same seed plays the same
// run, and trace_hash() says so.
//
//   World w(seed);
//   w.nodes(50);
//   w.run_for(10s);
//   w.partition({{0, 1, 2}});
//   w.run_for(1min);
//   w.heal();
//   CHECK(w.run_until([&] { return all_know_all(w); }, 2min));
//   CHECK(w.quiesce().empty());
//
// Every generator (a node's, its identity's, a connection's, the faults') is derived from the seed,
// a label and a number, so an extra draw in one node disturbs no other.
//
//   a node     up --freeze--> frozen --thaw--> up      hears of nothing: no bytes, timers, store;
//                                                      its kernel works on, and so do commands
//              up --kill--> down                       the process ended: its connections are reset
//              up --crash--> down                      the machine ended: nobody is told
//              down --restart--> up                    same identity, address and clock
//
// Time goes on only in run_for() and run_until(). Nothing here costs what grows with the number of
// nodes, but for heal(), partition() and the questions that say so.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/node.h"
#include "sim/calendar.h"
#include "sim/network.h"
#include "sim/node_clock.h"
#include "sim/trace.h"

namespace kadmesh {

// What a node finds when it starts: the store it had; the same disk, opened again; an empty disk.
enum class StoreFate { kept, reopened, lost };
// `node` by its index. Asked when a node is added (lost), and when one is restarted unless its
// store is kept; the old one is destroyed before.
using StoreFactory = std::function<std::unique_ptr<Store>(std::size_t node, StoreFate fate)>;

// What stores do beside answering: `late_ppm` of a million answers come up to `latest` later, and
// whatever is asked after waits for them; `io_ppm` requests are not done, and say so (Errc::io).
// What a process was to be told when it ended is told to nobody, whether it was done or not.
struct StoreTrouble {
  Duration latest{};
  std::uint32_t late_ppm = 0, io_ppm = 0;
};

struct WorldConfig {
  std::uint64_t seed = 1;
  LinkConfig link{};
  AddressPlan addresses{};
  StoreFactory make_store{};  // none: a MemoryStore for each, that reopening empties
  // From a request to its answer.
  Duration store_latency{};
  StoreTrouble store_trouble{};
  // Reports are kept and can be asked for. Large runs watch them instead: on_report().
  bool keep_reports = true;
  // After each so many turns the node whose turn it was is checked; 0: never.
  std::size_t check_every = 16;
  // Of every node that is not told otherwise (NodeOptions::clock).
  Now start{Time(1h), WallTime(1'700'000'000s)};
};

struct NodeOptions {
  HostConfig host{};
  std::optional<Now> clock{};         // where its clocks begin; none: WorldConfig::start
  std::optional<KeyPair> identity{};  // none: derived from the seed
  std::int32_t drift_ppb = 0;         // too fast, if positive
  // The port of its NAT that leads to it; it tells others of that address.
  std::optional<std::uint16_t> forwarded{};
};

// What a slow node's processor takes. An input is taken in when its time has been spent; those that
// come meanwhile wait.
struct TurnCost {
  Duration turn{};  // each
  Duration kib{};   // each KiB that came in, afterwards
  bool operator==(const TurnCost&) const = default;
};

class World : private NetworkUser {
 public:
  using Index = std::size_t;  // of a node, in the order of add()

  explicit World(std::uint64_t seed, Duration latency = 5ms);
  explicit World(WorldConfig config);
  ~World() override;
  const WorldConfig& config() const { return config_; }

  // --- nodes
  Index add(NodeConfig config, const NodeOptions& options = {});
  // As `add` and then `listen`; the address is there at once.
  Index add_listening(NodeConfig config, const NodeOptions& options = {});
  // So many listening nodes; the first one's index. `config` says what they are; by default servers
  // of one DHT that accept any value under /v/, and whose seed is the world's first node.
  Index nodes(std::size_t count);
  Index nodes(std::size_t count, const std::function<NodeConfig(Index)>& config);
  NodeConfig default_config(Index node) const;
  void listen(Index node);
  NatId add_nat(const NatConfig& config) { return network_.add_nat(config); }
  // Where others reach it, with its peer id; and without.
  Multiaddr addr(Index node) const;
  Multiaddr bare_addr(Index node) const;

  // Runs a command as a turn of that node, which must be up: at once, even if it is frozen or slow.
  // Whoever wants it to wait as others do asks frozen() first.
  template <class Command>
  auto command(Index node, Command run) {
    Node& one = running(node);
    const TurnScope scope(*this, node, TurnKind::command);
    return run(one, turn_of(node));
  }
  // A command that begins an operation with the given limit: `run(node, turn, deadline)`.
  template <class Command>
  OpId start(Index node, Command run, Duration limit = kDefaultDeadline) {
    return command(node, [&](Node& n, Turn t) { return run(n, t, after(t.now.mono, limit)); });
  }

  // --- time
  void run_for(Duration time);
  // Until `done` holds, checked after every event; false when `limit` came first.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // The world's own clock; a node's may differ.
  Now now() const { return clock_.at(calendar_.now()); }
  Now now(Index node) const { return members_.at(node)->clock.at(calendar_.now()); }
  // Something of the caller's, then; at once if it lies in the past.
  void at(Time when, std::function<void()> run);

  // --- what came of it
  // Null until the operation is done, and always when reports are not kept.
  const OpDone* result(Index node, OpId op) const;
  // When the operation ended; kNever until then.
  Time ended_at(Index node, OpId op) const;
  const std::vector<Report>& reports(Index node) const { return members_.at(node)->reports; }
  const Node& node(Index node) const { return *members_.at(node)->node; }
  const Store& store(Index node) const { return *members_.at(node)->store; }
  std::size_t nodes() const { return members_.size(); }
  const PeerId& peer(Index node) const { return members_.at(node)->identity.peer_id(); }
  bool up(Index node) const { return members_.at(node)->alive; }
  const Network& network() const { return network_; }
  std::uint64_t seed() const { return config_.seed; }

  // --- what is watched
  // Called after each turn, and for each report as it comes: of every node, and before that of one.
  void on_turn(std::function<void(const TurnRecord&)> watch) { on_turn_ = std::move(watch); }
  void on_report(std::function<void(Index, const Report&)> watch) { on_report_ = std::move(watch); }
  void on_report_of(Index node, std::function<void(const Report&)> watch) {
    members_.at(node)->on_report = std::move(watch);
  }
  std::uint64_t trace_hash() const { return trace_.hash(); }
  std::uint64_t turns() const { return trace_.turns(); }
  std::uint64_t events() const { return events_; }

  // The first invariant that was found broken, where, when and under which seed; or one that is
  // now. Asks every node.
  std::string check_invariants() const;
  // The same, without asking.
  const std::string& broken() const { return broken_; }
  // The end of a run: heals and thaws, shuts all nodes down, lets `patience` pass. Empty, or what
  // is still alive: of a node, of the network.
  std::string quiesce(Duration patience = 60s);

  // --- trouble with nodes
  void freeze(Index node);
  void thaw(Index node);
  bool frozen(Index node) const { return members_.at(node)->frozen; }
  // Zero: as fast as ever.
  void slow(Index node, TurnCost cost) { members_.at(node)->cost = cost; }
  bool slowed(Index node) const { return members_.at(node)->cost != TurnCost{}; }
  // The process is gone: its connections are reset, its store is kept.
  void kill(Index node);
  // The machine is gone, and nobody is told.
  void crash(Index node);
  // The same identity and address again. It listens if it did.
  void restart(Index node, StoreFate store = StoreFate::kept);
  // Of all stores, from now on.
  void trouble_stores(const StoreTrouble& trouble) { store_trouble_ = trouble; }
  // The wall clock is set; the monotonic one takes no notice.
  void jump_clock(Index node, Duration by) { members_.at(node)->clock.step_wall(by); }
  void drift_clock(Index node, std::int32_t ppb);
  std::int32_t drift(Index node) const { return members_.at(node)->clock.drift(); }

  // --- trouble with the network
  // Nothing passes between two groups; nodes that are in none are a group of their own. What was
  // under way waits, and so do connections, until heal() or a deadline of their own.
  void partition(const std::vector<std::vector<Index>>& groups);
  // Every connection of the two is reset, and none can be made until healed.
  void cut(Index a, Index b);
  // One direction: nothing passes any more, and nobody is told.
  void cut_way(Index from, Index to);
  void heal(Index a, Index b);
  void heal_way(Index from, Index to) { network_.heal(host(from), host(to)); }
  void end_partition() { network_.end_partition(); }
  // All partitions and cuts.
  void heal() { network_.heal(); }
  // What either sends to the other comes after so long at the earliest.
  void stall(Index a, Index b, Duration pause);
  // One connection of the node's breaks, if it has any: whether it did. Draws once.
  bool reset_one(Index node, Luck& luck) { return network_.reset_some(host(node), luck); }

 private:
  static constexpr std::uint16_t kPort = 4001;

  // Whoever is not of the network's kinds.
  enum class Kind : std::uint32_t { timer, call, stored, resume };

  struct Listener {
    ListenId id;
    std::uint16_t port;
  };
  struct Member {
    Member(NodeConfig settings, KeyPair who, Rng luck, std::uint64_t of_store, NodeClock time)
        : config(std::move(settings)),
          identity(std::move(who)),
          rng(std::move(luck)),
          store_luck(of_store),
          clock(time) {}

    NodeConfig config;
    KeyPair identity;
    Rng rng;
    Luck store_luck;
    NodeClock clock;
    std::unique_ptr<Node> node;
    std::unique_ptr<Store> store;
    bool frozen = false, alive = true, listens = false, settling = false, resuming = false;
    std::uint32_t life = 0;  // how often it was started: stale events name an earlier one
    Time armed = kNever;
    TurnCost cost{};
    Time busy_until = Time::min(), store_answers = Time::min();
    std::optional<Endpoint> outer;  // where its NAT lets others in
    std::vector<Listener> listeners;
    std::vector<std::pair<ConnId, SocketId>> sockets;  // by ConnId
    std::vector<CalendarEvent> backlog;                // of one that is frozen or busy
    std::size_t backlog_head = 0;
    TurnRecord record;  // of the turn that is being taken
    Digest done;        // of what it did
    std::vector<Report> reports;
    std::map<OpId, std::pair<Time, std::size_t>> ended;  // when, and which report
    std::function<void(const Report&)> on_report;
  };
  struct Stored {
    StoreOpId id{};
    StoreResult result;
  };

  // One input of one node, and all that follows from it before the next one.
  class TurnScope {
   public:
    TurnScope(World& world, Index node, TurnKind kind, std::uint64_t about = 0,
              std::uint64_t size = 0, std::uint64_t digest = 0);
    ~TurnScope() {
      if (outermost_) world_.end_turn(node_);
    }
    TurnScope(const TurnScope&) = delete;
    TurnScope& operator=(const TurnScope&) = delete;

   private:
    World& world_;
    Index node_;
    bool outermost_;
  };

  static HostId host(Index node) { return static_cast<HostId>(node); }
  Turn turn_of(Index node) { return {now(node), members_[node]->rng}; }
  void boot(Index node);
  Node& running(Index node);
  void post(Time when, Kind kind, Index node, std::uint64_t what);
  bool step(Time limit);
  void dispatch(const CalendarEvent& event);
  void dispatch_own(const CalendarEvent& event);
  std::optional<Index> process_of(const CalendarEvent& event) const;
  bool stale(const CalendarEvent& event) const;
  void put_off(Index node, const CalendarEvent& event);
  void resume_soon(Index node);
  void spend_turn(Index node);
  void resume(Index node);
  CalendarEvent next_of_backlog(Index node);
  void on_timer(const CalendarEvent& event);
  void end_process(Index node);

  // --- world_turns.cc
  void end_turn(Index node);
  void settle(Index node);
  void perform(Index node, NodeAction action);
  void perform_action(Index node, DialPipe& action);
  void perform_action(Index node, WritePipe& action);
  void perform_action(Index node, ReadPipe& action);
  void perform_action(Index node, ClosePipe& action);
  void perform_action(Index node, KeyLogLine& action);
  void perform_action(Index node, ListenPipe& action);
  void perform_action(Index node, StopListening& action);
  void perform_action(Index node, StoreOp& action);
  void on_stored(const CalendarEvent& event);
  void perform_action(Index node, Report& action);
  void arm_timer(Index node);
  void check(Index node);
  std::optional<SocketId> socket(Index node, ConnId conn) const;
  void forget_socket(Index node, ConnId conn);

  // NetworkUser
  bool awake(HostId host) const override;
  void dialed(HostId host, SocketToken token, const Endpoint& local) override;
  void dial_failed(HostId host, SocketToken token, const Error& cause) override;
  void accepted(HostId host, SocketId socket, const Endpoint& local,
                const Endpoint& remote) override;
  void bytes(HostId host, SocketToken token, ByteView bytes, std::uint64_t digest) override;
  void written(HostId host, SocketToken token, std::size_t count) override;
  void closed(HostId host, SocketToken token, const Error& cause) override;
  void renumbered(HostId host, SocketToken token, SocketId socket) override;

  WorldConfig config_;
  StoreTrouble store_trouble_;
  Calendar calendar_;
  NodeClock clock_;
  Network network_;
  Trace trace_;
  std::vector<std::unique_ptr<Member>> members_;
  Slab<std::function<void()>, 4> calls_;
  Slab<Stored, 4> stored_;
  std::function<void(const TurnRecord&)> on_turn_;
  std::function<void(Index, const Report&)> on_report_;
  std::uint64_t events_ = 0, checked_ = 0;
  std::string broken_;
};

}  // namespace kadmesh
