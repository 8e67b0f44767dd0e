// usage: fingerprint NODES SECONDS SEED full|message
// Plays a network of so many nodes that gossip, put and get, under faults and churn, and prints the
// hash of all that happened: the same from every compiler, on every processor (tools/determinism).
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/churn.h"
#include "sim/faults.h"
#include "sim/luck.h"
#include "sim/world.h"

namespace kadmesh {
namespace {

constexpr std::size_t kDials = 5;
const Topic kTopic = "fingerprint";

Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

WorldConfig wide(std::uint64_t seed) {
  WorldConfig config;
  config.seed = seed;
  config.link.latency = PairLatency{Lognormal{40ms, 400}};
  config.link.jitter = 5ms;
  config.link.loss_ppm = 1000;
  config.link.most_segment = 1400;
  config.addresses.scope = AddressPlan::Scope::spread;
  config.keep_reports = false;
  config.check_every = 0;
  return config;
}

class Fingerprint {
 public:
  Fingerprint(std::size_t nodes, std::uint64_t seed, Security security)
      : world_(wide(seed)), luck_(derived(seed, "fingerprint")) {
    world_.on_turn([this](const TurnRecord& turn) {
      if (turn.kind == TurnKind::boot) settle_in(turn.node);
    });
    world_.nodes(nodes, [&](World::Index node) {
      NodeConfig config = world_.default_config(node);
      config.swarm.security = security;
      config.swarm.limits.connections = 40;
      return config;
    });
  }

  void play(Duration time) {
    Faults faults(world_, {.pause = Exponential{500ms}});
    Churn churn(world_, ChurnConfig{});
    world_.run_for(time / 4);
    faults.start();
    churn.start();
    work();
    world_.run_for(time / 2);
    faults.heal();
    churn.stop();
    world_.heal();
    world_.run_for(time / 4);
  }

  void print() const {
    std::printf("%016llx %llu turns %llu events\n",
                static_cast<unsigned long long>(world_.trace_hash()),
                static_cast<unsigned long long>(world_.turns()),
                static_cast<unsigned long long>(world_.events()));
  }

 private:
  void settle_in(World::Index node) {
    world_.at(after(world_.now().mono, luck_.up_to(5s)), [this, node] {
      if (!world_.up(node)) return;
      world_.command(node, [](Node& n, Turn t) { (void)n.subscribe(t, kTopic); });
      for (std::size_t i = 0; i < kDials; ++i)
        world_.start(node, [&](Node& n, Turn t, Time by) {
          return n.connect(t, world_.addr(luck_.below(world_.nodes())), by);
        });
    });
  }

  void work() {
    world_.at(after(world_.now().mono, luck_.up_to(200ms)), [this] {
      const World::Index who = luck_.below(world_.nodes());
      if (world_.up(who) && !world_.frozen(who)) work_at(who);
      work();
    });
  }

  void work_at(World::Index who) {
    const Bytes key = text("/v/" + std::to_string(luck_.below(100)));
    switch (luck_.below(3)) {
      case 0:
        world_.start(who, [&](Node& n, Turn t, Time by) { return n.put(t, key, key, by); });
        return;
      case 1:
        world_.start(who, [&](Node& n, Turn t, Time by) { return n.get(t, key, by); });
        return;
      default:
        world_.command(who, [&](Node& n, Turn t) { (void)n.publish(t, kTopic, key); });
    }
  }

  World world_;
  Luck luck_;
};

}  // namespace
}  // namespace kadmesh

int main(int argc, char** argv) {
  using namespace kadmesh;
  if (argc != 5) {
    std::fputs("usage: fingerprint NODES SECONDS SEED full|message\n", stderr);
    return 2;
  }
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  const bool full = std::string_view(argv[4]) == "full";
  Fingerprint network(number(1), number(3), full ? Security::noise : Security::plain);
  network.play(std::chrono::seconds(number(2)));
  network.print();
}
