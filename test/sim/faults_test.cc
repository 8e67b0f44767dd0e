#include "sim/faults.h"

#include "scene.h"
#include "sim/churn.h"

namespace kadmesh {

// Faults, heal, progress.
TEST_CASE("faults: fifty nodes under all of them are one network again once healed") {
  for (const std::uint64_t seed : {1u, 2u}) {
    Scene w({.seed = seed, .check_every = 64});
    w.nodes(50);
    w.subscribe_all("news");
    w.run_for(10s);
    Faults faults(w, {.pause = Exponential{1s}});
    faults.start();
    w.run_for(1min);
    faults.heal();
    w.heal();
    CHECK(faults.injected() > 30);
    CHECK(w.all([&](World::Index i) { return w.up(i) && !w.frozen(i); }));
    w.subscribe_all("news");  // those that were started again have forgotten
    CHECK_MESSAGE(w.run_until([&] { return w.all([&](auto i) { return w.peers(i) >= 3; }); }, 5min),
                  "seed " << seed);
    w.run_for(1min);
    REQUIRE(w.publish(5, "news", "progress"));
    w.run_for(30s);
    CHECK_MESSAGE(w.all([&](auto i) { return i == 5 || w.heard(i, "progress") == 1; }),
                  "seed " << seed);
    const OpId put = w.put(3, "/v/key", "progress");
    w.run_for(10s);
    CHECK(w.succeeded(3, put));
    const OpId get = w.get(44, "/v/key");
    w.run_for(10s);
    CHECK_MESSAGE(w.got(44, get) == "progress", "seed " << seed);
    CHECK_MESSAGE(w.quiesce().empty(), "seed " << seed);
  }
}

TEST_CASE("faults: every kind comes, and a plan can leave any out") {
  Scene w({.check_every = 0});
  w.nodes(12);
  w.run_for(10s);
  Faults all(w, {.pause = Always{100ms}, .lasts = Always{1s}});
  all.start();
  w.run_for(1min);
  all.heal();
  for (std::size_t i = 0; i < kFaults; ++i)
    CHECK_MESSAGE(all.injected(Fault(i)) > 0, name(Fault(i)));
  FaultConfig only;
  only.pause = Always{100ms};
  only.weights = {};
  only.weights[static_cast<std::size_t>(Fault::freeze)] = 1;
  Faults freezes(w, only);
  freezes.start();
  w.run_for(10s);
  freezes.heal();
  CHECK(freezes.injected() == freezes.injected(Fault::freeze));
}

TEST_CASE("faults: the same seed has the same plan, whatever the nodes do") {
  const auto plan = [](bool busy) {
    Scene w({.check_every = 0});
    w.nodes(10);
    std::string log;
    Faults faults(w, {});
    faults.on_fault([&](Time at, Fault fault, World::Index node) {
      log += std::to_string(at.time_since_epoch().count()) + std::string(name(fault)) +
             std::to_string(node) + "\n";
    });
    faults.start();
    for (int i = 0; i < 30; ++i) {
      if (busy && w.up(1)) w.put(1, "/v/" + std::to_string(i), "value");
      w.run_for(1s);
    }
    return log;
  };
  CHECK(plan(false) == plan(true));
}

TEST_CASE("faults: who is connected, and to whom, shifts no plan") {
  const auto plan = [](bool strangers) {
    Scene w({.check_every = 0});
    w.nodes(10, [&](World::Index i) { return w.default_config(strangers ? 0 : i); });
    w.run_for(5s);
    std::string log;
    Faults faults(w, {});
    faults.on_fault([&](Time at, Fault fault, World::Index node) {
      if (fault == Fault::reset) return;  // of connections, which are theirs
      log += std::to_string(at.time_since_epoch().count()) + std::string(name(fault)) +
             std::to_string(node) + "\n";
    });
    faults.start();
    w.run_for(1min);
    CHECK((faults.injected(Fault::reset) == 0) == strangers);
    return log;
  };
  CHECK(plan(false) == plan(true));
}

namespace {

FaultConfig only(Fault fault) {
  FaultConfig config;
  config.pause = Always{100ms};
  config.lasts = Exponential{2s};
  config.weights = {};
  config.weights[static_cast<std::size_t>(fault)] = 1;
  return config;
}

}  // namespace

TEST_CASE("faults: of two on the same node, or the same way, each ends with the last") {
  Scene w({.check_every = 0});
  w.nodes(2);
  w.drift_clock(1, 77);
  for (const Fault fault : {Fault::drift, Fault::cut, Fault::cut_way}) {
    Faults faults(w, only(fault));
    faults.start();
    std::size_t cut = 0, looks = 0;
    for (; looks < 300; ++looks) {
      w.run_for(100ms);
      cut += !w.network().reachable(0, 1) && !w.network().reachable(1, 0);
    }
    // Some ten at a time: there is hardly a moment without one.
    if (fault != Fault::drift) CHECK(cut > looks * 9 / 10);
    faults.heal();
    CHECK(w.network().reachable(0, 1));
    CHECK(w.network().reachable(1, 0));
    CHECK(w.drift(0) == 0);
    CHECK(w.drift(1) == 77);
  }
}

TEST_CASE("faults: a partition has somebody on either side") {
  for (const std::size_t nodes : {1u, 2u, 3u}) {
    Scene w({.check_every = 0});
    w.nodes(nodes);
    Faults faults(w, only(Fault::partition));
    std::size_t seen = 0;
    faults.on_fault([&](Time, Fault, World::Index) {
      ++seen;
      bool apart = false;
      for (HostId host = 1; host < nodes; ++host) apart |= !w.network().reachable(0, host);
      CHECK(apart);
    });
    faults.start();
    w.run_for(2min);
    CHECK((seen > 0) == (nodes > 1));
  }
}

TEST_CASE("faults: never more than a third are out, and the spared never") {
  Scene w({.check_every = 0});
  w.nodes(9);
  FaultConfig config;
  config.pause = Always{50ms};
  config.lasts = Always{10s};
  config.spared = {0};
  Faults faults(w, config);
  faults.start();
  for (int i = 0; i < 200; ++i) {
    w.run_for(100ms);
    std::size_t out = 0;
    for (World::Index node = 0; node < 9; ++node)
      out += !w.up(node) || w.frozen(node) || w.slowed(node);
    CHECK(out <= 3);
    CHECK((w.up(0) && !w.frozen(0) && !w.slowed(0)));
  }
}

TEST_CASE("churn: nodes come and go by their own luck, and all are there when it stops") {
  const auto play = [](std::size_t nodes) {
    Scene w({.check_every = 0});
    w.nodes(nodes);
    ChurnConfig config;
    config.session = Exponential{20s};
    config.downtime = Exponential{10s};
    Churn churn(w, config);
    churn.start();
    std::vector<int> state_of_three;
    for (int i = 0; i < 60; ++i) {
      w.run_for(1s);
      state_of_three.push_back(w.up(3));
    }
    CHECK(churn.departures() > nodes);
    churn.stop();
    CHECK(w.all([&](World::Index i) { return w.up(i); }));
    w.run_for(1min);
    CHECK(w.all([&](World::Index i) { return w.joined(i); }));
    CHECK(w.quiesce().empty());
    return state_of_three;
  };
  CHECK(play(10) == play(14));
}

TEST_CASE("churn: by a trace") {
  const auto events = churn_from_csv("# who, when\n1.5, 1, down\n3, 1, up\n\n4.000000001,2,down");
  REQUIRE(events.has_value());
  Scene w;
  w.nodes(3);
  Churn churn(w, *events);
  churn.start();
  w.run_for(1499ms);
  CHECK(w.up(1));
  w.run_for(1ms);
  CHECK_FALSE(w.up(1));
  w.run_for(1500ms);
  CHECK(w.up(1));
  w.run_for(1s);
  CHECK(w.up(2));
  w.run_for(1ns);
  CHECK_FALSE(w.up(2));
  for (const char* bad : {"1, 2", "1, 2, left", "x, 1, up", "1, -1, up", "1,1,up,1"})
    CHECK_FALSE(churn_from_csv(bad).has_value());
}

TEST_CASE("churn: an empty list is nobody, and whoever goes is told of before") {
  World w(5);
  w.nodes(4);
  ChurnConfig config{.session = Always{5s}, .downtime = Always{1s}, .orderly_ppm = 500'000};
  config.nodes.emplace();
  Churn nobody(w, config);
  nobody.start();
  config.nodes = std::vector<World::Index>{2};
  Churn one(w, config);
  std::vector<World::Index> told;
  one.on_leave([&](World::Index node) {
    CHECK(w.up(node));
    told.push_back(node);
  });
  one.start();
  w.run_for(60s);
  CHECK(nobody.departures() == 0);
  CHECK(one.departures() > 5);
  CHECK(told.size() >= one.departures());
  CHECK(std::ranges::count(told, 2U) == std::ssize(told));
}

TEST_CASE("churn: a flapping bootstrap keeps nobody from joining") {
  Scene w;
  w.nodes(1);
  Churn flaps(w, flapping(0, 3s, 7s));
  flaps.start();
  w.nodes(9);
  CHECK(w.run_until([&] { return w.all([&](auto i) { return i == 0 || w.joined(i); }); }, 2min));
  w.run_for(1min);
  CHECK(flaps.departures() > 5);
  CHECK(w.all([&](auto i) { return i == 0 || w.joined(i); }));
}

}  // namespace kadmesh
