// Two honest nodes that know each other through Sybils alone: what these do shows on the far side.
#include "sim/sybil.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

NodeConfig gossip_alone() {
  NodeConfig config;
  config.kad.mode = KadMode::client;
  config.swarm.idle_timeout = 1h;
  return config;
}

struct Bridge : World {
  Bridge() : World(7) {
    nodes(2, [](Index) { return gossip_alone(); });
    for (const Index who : {kNear, kFar})
      command(who, [](Node& n, Turn t) { REQUIRE(n.subscribe(t, "news")); });
    on_report([this](Index who, const Report& report) {
      const auto* message = std::get_if<MessageDelivered>(&report);
      if (message && who == kFar) ++heard[message->delivery.message.topic];
    });
  }
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  void add(const SybilConduct& conduct, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto& one = sybils.emplace_back(
          std::make_unique<Adversary>(*this, Sybil::script(conduct, i), gossip_alone()));
      one->connect(kNear);
      one->connect(kFar);
    }
    run_for(2s);
  }
  Index another() {
    const Index third = add_listening(gossip_alone());
    command(third, [](Node& n, Turn t) { REQUIRE(n.subscribe(t, "news")); });
    return third;
  }
  // How many of them the other side got.
  std::size_t passed_on(std::size_t count, Index author = kNear) {
    const std::size_t before = heard["news"];
    for (std::size_t i = 0; i < count; ++i)
      command(author, [&](Node& n, Turn t) {
        REQUIRE(n.publish(t, "news", to_bytes(as_bytes("message " + std::to_string(said++)))));
      });
    run_for(1s);
    return heard["news"] - before;
  }
  // How many of them the other side thinks ill of.
  std::size_t blamed() const {
    std::size_t count = 0;
    for (const auto& one : sybils)
      count += node(kFar).gossip().score(one->identity().peer_id()) < 0 ? 1U : 0U;
    return count;
  }

  static constexpr Index kNear = 0, kFar = 1;
  std::map<Topic, std::size_t> heard;
  std::size_t said = 0;
  std::vector<std::unique_ptr<Adversary>> sybils;
};

TEST_CASE_FIXTURE(Bridge, "sybil: one that drops nothing passes on each message once") {
  const Index third = another();
  add({.drops_ppm = 0}, 2);
  for (const auto& one : sybils) one->connect(third);
  run_for(2s);
  CHECK(passed_on(20) == 20);
  CHECK(node(kFar).gossip().stats().duplicates == 20);  // one of each
}

TEST_CASE_FIXTURE(Bridge, "sybil: one that drops everything passes on nothing, and is told of it") {
  add({}, 2);
  CHECK(passed_on(20) == 0);
  CHECK(sybils.front()->rpcs() >= 20);
}

TEST_CASE_FIXTURE(Bridge, "sybil: a share is dropped") {
  add({.drops_ppm = 500'000});
  const std::size_t passed = passed_on(100);
  CHECK(passed > 25);
  CHECK(passed < 75);
}

TEST_CASE_FIXTURE(Bridge, "sybil: the censored are not heard, others are") {
  const Index third = another();
  add({.censors = {peer(kNear)}});
  sybils.front()->connect(third);
  run_for(2s);
  CHECK(passed_on(5) == 0);
  CHECK(passed_on(5, third) == 5);
}

TEST_CASE_FIXTURE(Bridge, "sybil: it behaves well until it turns") {
  add({.turns = after(now().mono, 10s)});
  CHECK(passed_on(5) == 5);
  run_for(10s);
  CHECK(passed_on(5) == 0);
}

// A mesh takes twelve of those who dial, and shrinks to six.
TEST_CASE_FIXTURE(Bridge, "sybil: who was pruned grafts again when it said, and pays for it") {
  add({.regraft = Always{2s}}, 14);
  CHECK(blamed() == 0);
  run_for(15s);
  CHECK(blamed() == 8);
}

TEST_CASE_FIXTURE(Bridge, "sybil: who was pruned stays away if it is told so") {
  add({}, 14);
  run_for(30s);
  CHECK(blamed() == 0);
}

TEST_CASE_FIXTURE(Bridge, "sybil: who promises what there is not is asked for it, and pays") {
  add({.turns = after(now().mono, 20s), .promises = 10});
  run_for(15s);
  CHECK(node(kFar).gossip().stats().iwant_sent == 0);
  run_for(60s);
  CHECK(node(kFar).gossip().stats().iwant_sent > 0);
  CHECK(blamed() == 1);
}

}  // namespace
}  // namespace kadmesh
