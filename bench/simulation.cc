// usage: simulation idle [NODES] [LINKS] [SECONDS] [plain]
//        simulation load message|unsigned|signed [NODES] [SECONDS]
//        simulation rest [SECONDS]
//        simulation lookups [NODES] [COUNT] [noise]
//        simulation memory [NODES] [LINKS] [plain]
// What nodes cost in a World, in node-seconds (virtual) for a CPU second, in bytes, and in lookups.
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/signature_memo.h"
#include "measure.h"
#include "sim/world.h"

namespace kadmesh::bench {
namespace {

const Topic kTopic = "bench";
// Dials, identify and the first grafts.
constexpr Duration kSettling = 10s;

struct Fidelity {
  Security security = Security::noise;
  SignaturePolicy policy = SignaturePolicy::strict_sign;
  std::shared_ptr<SignatureMemo> memo{};
};

Fidelity message_level() {
  return {Security::plain, SignaturePolicy::strict_sign, std::make_shared<SignatureMemo>()};
}

// A client of the DHT, so that its links are those that it is told to make.
NodeConfig member(const Fidelity& fidelity) {
  NodeConfig config;
  config.swarm.security = fidelity.security;
  config.swarm.limits.accept_burst = 0;
  config.kad.mode = KadMode::client;
  config.gossip.policy = fidelity.policy;
  if (fidelity.policy == SignaturePolicy::strict_no_sign)
    config.gossip.message_id = sha256_message_id;
  config.signatures = fidelity.memo;
  return config;
}

WorldConfig world_config() {
  WorldConfig config;
  config.link.latency = PairLatency{Always{50ms}};
  config.keep_reports = false;
  config.check_every = 0;
  return config;
}

// Nodes with so many links each, on average, to others at random; all in one topic.
class Mesh {
 public:
  Mesh(std::size_t nodes, std::size_t links, const Fidelity& fidelity)
      : links_(links), world_(world_config()) {
    world_.on_report([this](World::Index, const Report& report) {
      delivered_ += std::holds_alternative<MessageDelivered>(report) ? 1U : 0U;
    });
    world_.nodes(nodes, [&](World::Index) { return member(fidelity); });
  }

  void connect() {
    Rng rng(7);
    for (World::Index node = 0; node < world_.nodes(); ++node) {
      for (std::size_t i = 0; i < links_ / 2; ++i) {
        const World::Index other = rng.below(world_.nodes() - 1);
        const Multiaddr addr = world_.addr(other < node ? other : other + 1);
        world_.start(node, [&](Node& n, Turn t, Time by) { return n.connect(t, addr, by); });
      }
    }
    world_.run_for(kSettling);
  }

  void subscribe() {
    for (World::Index node = 0; node < world_.nodes(); ++node)
      world_.command(node, [](Node& n, Turn t) { n.subscribe(t, kTopic); });
    world_.run_for(kSettling);
  }

  // Messages of somebody at random, evenly.
  void publish(std::size_t count, Duration over, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) {
      Bytes data(size);
      messages_.fill(data);
      world_.command(messages_.below(world_.nodes()), [&](Node& n, Turn t) {
        if (!n.publish(t, kTopic, std::move(data))) give_up("publish");
      });
      world_.run_for(over / static_cast<std::int64_t>(count));
    }
  }

  World& world() { return world_; }
  std::size_t connection_ends() const {
    std::size_t ends = 0;
    for (World::Index node = 0; node < world_.nodes(); ++node)
      ends += world_.node(node).stats().swarm.connections;
    return ends;
  }
  double delivered() const { return static_cast<double>(delivered_); }

 private:
  std::size_t links_;
  World world_;
  Rng messages_{8};  // one for all: a message that comes again is no message
  std::uint64_t delivered_ = 0;
};

// What `run` costs.
template <class Run>
void print_rate(World& world, Run run) {
  const double cpu = cpu_seconds();
  const Time start = world.now().mono;
  const std::uint64_t events = world.events(), turns = world.turns();
  run();
  const double took = cpu_seconds() - cpu;
  const double seconds = static_cast<double>((world.now().mono - start).count()) * 1e-9;
  const double nodes = static_cast<double>(world.nodes());
  print({{"node_seconds_per_cpu_s", nodes * seconds / took},
         {"virtual_per_cpu_s", seconds / took},
         {"us_per_turn", took * 1e6 / static_cast<double>(world.turns() - turns)},
         {"turns_per_node_s", static_cast<double>(world.turns() - turns) / nodes / seconds},
         {"events_per_node_s", static_cast<double>(world.events() - events) / nodes / seconds}});
}

void idle(std::size_t nodes, std::size_t links, std::size_t seconds, const Fidelity& fidelity) {
  Mesh mesh(nodes, links, fidelity);
  mesh.connect();
  mesh.subscribe();
  print_rate(mesh.world(), [&] { mesh.world().run_for(std::chrono::seconds(seconds)); });
}

// The load of the GossipSub evaluation report: 120 messages of 2 KiB a second, 20 links a node.
void load(const Fidelity& fidelity, std::size_t nodes, std::size_t seconds) {
  Mesh mesh(nodes, 20, fidelity);
  mesh.connect();
  mesh.subscribe();
  mesh.publish(120, 1s, 2048);
  const double before = mesh.delivered();
  print_rate(mesh.world(),
             [&] { mesh.publish(120 * seconds, std::chrono::seconds(seconds), 2048); });
  const double expected = static_cast<double>(120 * seconds * (nodes - 1));
  if ((mesh.delivered() - before) / expected < 0.98) give_up("a message was lost");
}

// One DHT of ten, each of which knows all others.
void rest(std::size_t seconds) {
  World world(world_config());
  world.nodes(10);
  for (World::Index node = 0; node < 10; ++node)
    world.command(node, [](Node& n, Turn t) { n.subscribe(t, kTopic); });
  world.run_for(60s);
  print_rate(world, [&] { world.run_for(std::chrono::seconds(seconds)); });
}

// Walks to anywhere in one DHT, so many a virtual second that the network at rest costs little
// beside them.
class Walks {
 public:
  Walks(std::size_t nodes, const Fidelity& fidelity) : world_(world_config()) {
    world_.on_report([this](World::Index, const Report& report) { on_report(report); });
    world_.nodes(nodes, [&](World::Index node) {
      NodeConfig config = world_.default_config(node);
      config.swarm.security = fidelity.security;
      config.signatures = fidelity.memo;
      return config;
    });
    world_.run_for(kJoining);
  }

  void run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Bytes target(32);
      luck_.fill(target);
      world_.start(luck_.below(world_.nodes()), [&](Node& n, Turn t, Time by) {
        return n.find_closest(t, std::move(target), by);
      });
      world_.run_for(Duration(1s) / kWalksASecond);
    }
    world_.run_for(kDefaultDeadline);
  }

  void print_rate(std::size_t count) {
    run(count / 10 + 1);
    sum_ = {};
    const double start = cpu_seconds();
    run(count);
    const double took = cpu_seconds() - start, ended = static_cast<double>(sum_.ended);
    if (sum_.ended != count) give_up("a lookup failed");
    print({{"lookups_per_cpu_s", ended / took},
           {"asked", static_cast<double>(sum_.asked) / ended},
           {"hops", static_cast<double>(sum_.hops) / ended},
           {"us_per_request", took * 1e6 / static_cast<double>(sum_.asked)}});
  }

 private:
  static constexpr Duration kJoining = 60s;
  static constexpr std::int64_t kWalksASecond = 100;

  struct Sum {
    std::size_t ended = 0, asked = 0, hops = 0;
  };

  void on_report(const Report& report) {
    const auto* done = std::get_if<OpDone>(&report);
    const auto* kad = done && done->result ? std::get_if<KadReport>(&*done->result) : nullptr;
    const auto* closest = kad ? std::get_if<ClosestReport>(kad) : nullptr;
    if (closest == nullptr || !closest->walk.complete) return;
    ++sum_.ended;
    sum_.asked += closest->walk.asked;
    sum_.hops += closest->walk.hops;
  }

  World world_;
  Rng luck_{9};
  Sum sum_;
};

void memory(std::size_t nodes, std::size_t links, const Fidelity& fidelity) {
  const double before = allocated();
  Mesh mesh(nodes, links, fidelity);
  const double alone = allocated() - before;
  mesh.connect();
  mesh.subscribe();
  mesh.world().run_for(60s);
  const double connected = allocated() - before - alone;
  print({{"bytes_per_node", alone / static_cast<double>(nodes)},
         {"bytes_per_connection_end", connected / static_cast<double>(mesh.connection_ends())},
         {"ends_per_node",
          static_cast<double>(mesh.connection_ends()) / static_cast<double>(nodes)}});
}

int run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool plain = argc > 2 && std::strcmp(argv[argc - 1], "plain") == 0;
  const Fidelity fidelity = plain ? message_level() : Fidelity{};
  if (what == "idle") {
    idle(argument(argc, argv, 2, 10'000), argument(argc, argv, 3, 10), argument(argc, argv, 4, 20),
         fidelity);
  } else if (what == "load" && argc > 2) {
    const std::string_view level = argv[2];
    load(level == "message"
             ? message_level()
             : Fidelity{.policy = level == "signed" ? SignaturePolicy::strict_sign
                                                    : SignaturePolicy::strict_no_sign},
         argument(argc, argv, 3, 1000), argument(argc, argv, 4, 3));
  } else if (what == "rest") {
    rest(argument(argc, argv, 2, 10'000));
  } else if (what == "lookups") {
    const bool noise = std::strcmp(argv[argc - 1], "noise") == 0;
    Walks(argument(argc, argv, 2, 1000), noise ? Fidelity{} : message_level())
        .print_rate(argument(argc, argv, 3, 1000));
  } else if (what == "memory") {
    memory(argument(argc, argv, 2, 1000), argument(argc, argv, 3, 20), fidelity);
  } else {
    give_up("usage: simulation idle|load|rest|lookups|memory ...");
  }
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) { return kadmesh::bench::run(argc, argv); }
