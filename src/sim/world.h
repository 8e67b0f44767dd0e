// Whole nodes in one process, in virtual time: the production code, driven through the same calls
// as the Asio driver's. One seed decides everything; the same seed plays the same run.
//
//   World world(seed);
//   const auto alice = world.add_listening({}), bob = world.add({});
//   const OpId op = world.start(bob, [&](Node& node, Turn turn, Time deadline) {
//     return node.connect(turn, world.addr(alice), deadline);
//   });
//   world.run_for(1s);
//   CHECK(world.result(bob, op) != nullptr);
//
// Links are ordered byte streams with a fixed latency and no limit of bandwidth; a frozen node
// takes in nothing and says nothing, as a stopped process whose kernel still accepts connections.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <tuple>
#include <vector>

#include "node/node.h"
#include "store/memory_store.h"

namespace kadmesh {

class World {
 public:
  using Index = std::size_t;  // of a node, in the order of add()

  explicit World(std::uint64_t seed, Duration latency = 5ms);
  ~World();

  Index add(NodeConfig config);
  // As `add` and then `listen`; the address is there at once.
  Index add_listening(NodeConfig config);
  void listen(Index node);
  // Where it listens, with its peer id; and without.
  Multiaddr addr(Index node) const;
  Multiaddr bare_addr(Index node) const;

  // Runs a command as a turn of that node.
  template <class Command>
  auto command(Index node, Command run) {
    Member& member = *members_.at(node);
    struct Settle {
      World& world;
      Index node;
      ~Settle() { world.settle(node); }
    } settle{*this, node};
    return run(*member.node, Turn{now(), member.rng});
  }
  // A command that begins an operation with the given limit: `run(node, turn, deadline)`.
  template <class Command>
  OpId start(Index node, Command run, Duration limit = kDefaultDeadline) {
    return command(node, [&](Node& n, Turn t) { return run(n, t, after(t.now.mono, limit)); });
  }

  void run_for(Duration time);
  // Until `done` holds, checked after every event; false when `limit` came first.
  bool run_until(const std::function<bool()>& done, Duration limit);
  Now now() const { return {now_, after(WallTime(kEpoch), now_ - Time(kStart))}; }

  // --- what came of it
  // Null until the operation is done.
  const OpDone* result(Index node, OpId op) const;
  // When the operation ended; kNever until then.
  Time ended_at(Index node, OpId op) const;
  const std::vector<Report>& reports(Index node) const;
  const Node& node(Index node) const { return *members_.at(node)->node; }
  std::size_t nodes() const { return members_.size(); }
  // Empty, or the first broken invariant of any node.
  std::string check_invariants() const;

  // --- trouble
  void freeze(Index node);
  void thaw(Index node);
  // The process is gone: its connections are reset, its store is kept.
  void kill(Index node);
  // The same identity and address again, with the store that it had.
  void restart(Index node);
  // Every connection of the two is reset, and none can be made until healed.
  void cut(Index a, Index b);
  void heal(Index a, Index b);

 private:
  static constexpr Duration kStart = 1h;              // of the monotonic clocks
  static constexpr Duration kEpoch = 1'700'000'000s;  // of the wall clock
  static constexpr std::uint16_t kPort = 4001;

  struct End {
    Index node;
    ConnId id;
    friend auto operator<=>(const End&, const End&) = default;
  };
  // An end that did not want its bytes, and has not caught up.
  struct Unread {
    bool wanted = true;
    std::deque<Bytes> bytes;
  };
  struct Member {
    Member(NodeConfig settings, KeyPair who, Rng luck)
        : config(std::move(settings)), identity(std::move(who)), rng(std::move(luck)) {}

    NodeConfig config;
    KeyPair identity;
    Rng rng;
    std::unique_ptr<Node> node;
    std::unique_ptr<MemoryStore> store;
    bool frozen = false, alive = true, listening = false;
    unsigned life = 0;  // how often it was started: stale events name an earlier one
    Time armed = kNever;
    std::vector<Report> reports;
    std::map<OpId, std::pair<Time, std::size_t>> done;  // when, and which report
    std::deque<std::function<void()>> backlog;          // of a frozen node
  };
  struct Event {
    Time at;
    std::uint64_t sequence;
    std::function<void()> run;
    bool operator>(const Event& other) const {
      return std::tie(at, sequence) > std::tie(other.at, other.sequence);
    }
  };

  void at(Time when, std::function<void()> run);
  // To one life of a node; a frozen one gets it when it thaws.
  void deliver(Time when, Index node, std::function<void(Node&, Turn)> input);
  void settle(Index node);
  void perform(Index node, NodeAction action);
  void dial(Index node, const DialPipe& action);
  void write(Index node, WritePipe action);
  void close(Index node, const ClosePipe& action);
  void read(End end, bool wanted);
  void arrive(End to, Bytes bytes);
  void drain(End end);
  void disconnect(End end, const Error& cause, Time when);
  void report(Index node, Report report);
  void arm_timer(Index node);
  Endpoint endpoint(Index node, std::uint16_t port) const;
  bool parted(Index a, Index b) const;
  void boot(Index node);
  bool step(Time limit);

  Duration latency_;
  Rng root_;
  Time now_{kStart};
  std::uint64_t sequence_ = 0;
  std::uint16_t next_port_ = 10'000;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<End, End> links_;  // each end to its other
  std::map<End, Unread> unread_;
  std::map<std::pair<Index, Index>, bool> cuts_;
};

}  // namespace kadmesh
