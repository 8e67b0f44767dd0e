// Which connections stay while nobody uses them.
#include "town.h"

namespace kadmesh {
namespace {

// Nobody's table has them.
World::Index client(Town& w) {
  NodeConfig config = Town::config();
  config.kad.mode = KadMode::client;
  return w.add_listening(std::move(config));
}

bool connected(const Town& w, World::Index node) {
  return w.node(node).stats().swarm.connections > 0;
}

TEST_CASE("idle: GossipSub's streams alone keep no connection") {
  Town w;
  const auto alice = client(w), bob = client(w);
  w.meet(alice, bob);
  w.run_for(25s);
  CHECK(connected(w, alice));
  w.run_for(10s);
  CHECK(!connected(w, alice));
  CHECK(!connected(w, bob));
}

TEST_CASE("idle: a shared topic keeps the connection, until one of both leaves it") {
  Town w;
  const auto alice = client(w), bob = client(w);
  w.meet(alice, bob);
  for (const auto node : {alice, bob}) w.subscribe(node, "news");
  w.run_for(5min);
  CHECK(connected(w, alice));
  w.command(bob, [](Node& n, Turn t) { n.unsubscribe(t, "news"); });
  w.run_for(35s);
  CHECK(!connected(w, alice));
}

// How many of twelve servers in its table a node is connected to after a while.
std::size_t kept(std::size_t of_bucket) {
  Town w;
  NodeConfig config = Town::config();
  config.kad.kept_of_bucket = of_bucket;
  const auto alice = w.add_listening(std::move(config));
  for (int i = 0; i < 12; ++i) w.meet(w.citizen(), alice);
  w.run_for(5min);
  REQUIRE(w.node(alice).stats().kad.table_servers == 12);
  return w.node(alice).stats().swarm.connections;
}

TEST_CASE(
    "idle: connections to servers of the table are kept, of each bucket as many as is wanted") {
  CHECK(kept(20) == 12);
  CHECK(kept(1) < 12);
}

}  // namespace
}  // namespace kadmesh
