// A thousand whole nodes with twenty connections each: what a study begins with.
#include "scene.h"
#include "sim/luck.h"

namespace kadmesh {
namespace {

constexpr std::size_t kNodes = 1000;
constexpr std::size_t kDials = 10;  // of each; others come to it

NodeConfig one_of_many(const World& w) {
  NodeConfig config = w.default_config(0);
  config.swarm.limits.connections = 24;
  config.kad.k = 4;  // a table of as many peers as there are connections
  config.kad.alpha = 3;
  return config;
}

struct Thousand : Scene {
  Thousand() : Scene(config()) {
    on_report([this](Index, const Report& report) {
      const auto* message = std::get_if<MessageDelivered>(&report);
      if (message) ++delivered;
    });
    Scene::nodes(kNodes, [this](Index) { return one_of_many(*this); });
  }

  static WorldConfig config() {
    WorldConfig config;
    config.link.latency = PairLatency{Lognormal{40ms, 400}};
    config.addresses.scope = AddressPlan::Scope::spread;
    config.keep_reports = false;
    config.check_every = 256;
    return config;
  }
  // Each dials ten others within ten seconds.
  void meet() {
    Luck luck(seed());
    for (Index who = 0; who < kNodes; ++who)
      for (std::size_t i = 0; i < kDials; ++i) {
        const Index whom = (who + 1 + luck.below(kNodes - 1)) % kNodes;
        at(now().mono + luck.up_to(10s), [this, who, whom] { connect(who, whom); });
      }
  }
  std::size_t connections() const {
    std::size_t all = 0;
    for (Index i = 0; i < kNodes; ++i) all += network().connections(HostId(i));
    return all;
  }

  std::size_t delivered = 0;
};

}  // namespace

TEST_CASE("a thousand nodes of twenty connections join, gossip, and leave nothing") {
  Thousand w;
  w.meet();
  w.run_for(15s);
  CHECK(w.connections() >= 18 * kNodes);

  w.subscribe_all("news");
  w.run_for(5s);
  for (World::Index i = 0; i < 10; ++i) REQUIRE(w.publish(i * 100, "news", "message"));
  w.run_for(10s);
  CHECK(w.delivered == 10 * (kNodes - 1));
  CHECK(w.all([&](World::Index i) { return w.joined(i); }));
  MESSAGE("connections ", w.connections(), ", turns ", w.turns(), ", events ", w.events(), ", MB ",
          w.network().bytes() / 1'000'000);
  CHECK(w.quiesce(20s).empty());
}

}  // namespace kadmesh
