// Whom GossipSub would have the node connect to, and parts of messages, between whole nodes.
#include <algorithm>

#include "base/envelope.h"
#include "town.h"

namespace kadmesh {
namespace {

bool connected(Town& town, World::Index a, World::Index b) {
  return town.node(a).gossip().has_peer(town.id(b));
}

// Two in the mesh of a hub that names so many others to whom it prunes. None serves the DHT, which
// would bring them together.
struct Hub : Town {
  explicit Hub(std::size_t named) {
    NodeConfig client = config();
    client.kad.mode = KadMode::client;
    client.gossip.exchange_peers = named;
    client.gossip.scoring->thresholds.accept_px = 0;  // of anybody
    hub = add_listening(client);
    for (World::Index* member : {&first, &second}) {
      *member = add_listening(client);
      meet(*member, hub);
    }
    for (const World::Index who : {hub, first, second}) subscribe(who, "t");
    run_for(1s);
  }
  // Leaves the topic, and so prunes both.
  void prune_all() {
    command(hub, [](Node& n, Turn t) { n.unsubscribe(t, "t"); });
    run_for(1s);
  }
  World::Index hub = 0, first = 0, second = 0;
};

NodeConfig with_parts() {
  NodeConfig config = Town::config();
  config.gossip.partial_messages = true;
  return config;
}

}  // namespace

TEST_CASE("px: two whom a third prunes for leaving meet by the records that it passes on") {
  Hub town(16);
  REQUIRE_FALSE(connected(town, town.first, town.second));
  REQUIRE(town.node(town.first).addrs(town.id(town.second)).empty());
  town.prune_all();
  CHECK(connected(town, town.first, town.second));
}

TEST_CASE("px: a hub that names nobody leaves them apart") {
  Hub town(0);
  town.prune_all();
  CHECK_FALSE(connected(town, town.first, town.second));
}

TEST_CASE(
    "direct: an explicit peer is dialed from the configuration alone, and again when it is back") {
  Town town;
  const auto alice = town.citizen();
  NodeConfig config = Town::config();
  config.gossip.direct = {town.addr(alice)};
  config.gossip.direct_recheck = 5s;
  const auto bob = town.add_listening(config);
  CHECK(town.run_until([&] { return connected(town, bob, alice); }, 2s));
  town.kill(alice);
  REQUIRE(town.run_until([&] { return !connected(town, bob, alice); }, 60s));
  town.restart(alice);
  CHECK(town.run_until([&] { return connected(town, bob, alice); }, 10s));
}

TEST_CASE("partial: parts and metadata go from node to node") {
  Town town;
  const auto alice = town.add_listening(with_parts()), bob = town.add_listening(with_parts());
  town.meet(bob, alice);
  const PartialUse both{.requests = true, .supports = true};
  for (const auto who : {alice, bob})
    town.command(who, [&](Node& n, Turn t) { CHECK(n.subscribe(t, "t", both).has_value()); });
  town.run_for(1s);
  const auto peers = town.node(alice).gossip().partial_peers("t");
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].requests);
  std::vector<PartialMessage> heard;
  town.on_report_of(bob, [&](const Report& report) {
    if (const auto* arrived = std::get_if<PartsArrived>(&report))
      heard.push_back(arrived->parts.parts);
  });
  town.command(alice, [&](Node& n, Turn t) {
    CHECK(n.send_partial(t, town.id(bob), {"t", {1}, {2}, {3}}).has_value());
  });
  town.run_for(1s);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].group == Bytes{1});
  CHECK(heard[0].message == Bytes{2});
  CHECK(heard[0].metadata == Bytes{3});
}

}  // namespace kadmesh
