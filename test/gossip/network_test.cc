#include <set>

#include "net.h"

namespace kadmesh {
using namespace testing;

namespace {

GossipConfig no_flood() {
  GossipConfig config;
  config.flood_publish = false;
  return config;
}

GossipConfig cut() {
  GossipConfig config = no_flood();
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  return config;
}

}  // namespace

TEST_CASE("network: two that subscribe are in each other's mesh within a heartbeat") {
  GossipNet net;
  net.add(), net.add();
  net.connect_all();
  net.subscribe_all();
  net.run_for(1s);
  CHECK(net.meshed(0, 1));
  CHECK(net.meshed(1, 0));
}

TEST_CASE("network: a message published as soon as the other's subscription is known arrives") {
  GossipNet net;
  net.add(no_flood()), net.add(no_flood());
  net.subscribe(0);
  net.connect(0, 1);
  net.run_for(100ms);
  net.subscribe(1);
  net.run_for(GossipNet::kLatency);
  REQUIRE(net.publish(0, "early").has_value());
  net.run_for(100ms);
  CHECK(net.times_heard(1, "early") == 1);
}

TEST_CASE("network: twenty nodes that know a few each hear every message exactly once") {
  GossipNet net;
  for (std::size_t n = 0; n < 20; ++n) net.add(no_flood());
  for (std::size_t n = 0; n < 20; ++n)
    for (const std::size_t step : {1U, 3U, 8U}) net.connect(n, (n + step) % 20);
  net.subscribe_all();
  net.run_for(5s);
  for (std::size_t n = 0; n < 20; ++n) {
    REQUIRE(net.publish(n, "from " + std::to_string(n)).has_value());
    net.run_for(50ms);
  }
  net.run_for(5s);
  for (std::size_t n = 0; n < 20; ++n)
    for (std::size_t author = 0; author < 20; ++author) {
      CAPTURE(n);
      CAPTURE(author);
      CHECK(net.times_heard(n, "from " + std::to_string(author)) == (n == author ? 0 : 1));
    }
}

TEST_CASE("network: meshes of a full graph settle between Dlo and Dhi, and are mutual") {
  GossipNet net;
  for (std::size_t n = 0; n < 30; ++n) net.add();
  net.connect_all();
  net.subscribe_all();
  net.run_for(90s);  // whom everybody pruned at the start is barred for a minute
  for (std::size_t a = 0; a < 30; ++a) {
    CAPTURE(a);
    CHECK(net.mesh_size(a) >= GossipConfig{}.d_lo);
    CHECK(net.mesh_size(a) <= GossipConfig{}.d_hi + GossipConfig{}.d_out);
    for (std::size_t b = 0; b < 30; ++b)
      if (a != b) CHECK(net.meshed(a, b) == net.meshed(b, a));
  }
}

TEST_CASE("network: three clients, three messages and then five at once: every count is exact") {
  GossipNet net;
  for (std::size_t n = 0; n < 3; ++n) net.add();
  net.connect_all();
  net.subscribe_all();
  net.run_for(2s);
  for (std::size_t n = 0; n < 3; ++n) {
    REQUIRE(net.publish(n, "slow " + std::to_string(n)).has_value());
    net.run_for(500ms);
  }
  for (std::size_t i = 0; i < 5; ++i)
    REQUIRE(net.publish(i % 3, "burst " + std::to_string(i)).has_value());
  net.run_for(2s);
  std::size_t published = 0, delivered = 0, duplicates = 0, forwarded = 0;
  for (std::size_t n = 0; n < 3; ++n) {
    const GossipStats stats = net.gossip(n).stats();
    const std::set<std::string> distinct(net.member(n).heard.begin(), net.member(n).heard.end());
    CHECK(distinct.size() == net.member(n).heard.size());
    CHECK(stats.delivered == net.member(n).heard.size());
    CHECK(net.mesh_size(n) == 2);
    published += stats.published, delivered += stats.delivered;
    duplicates += stats.duplicates, forwarded += stats.forwarded;
  }
  CHECK(published == 8);
  CHECK(delivered == 16);
  // Both receivers of each message hand it to each other, which is all that can be doubled.
  CHECK(forwarded == 16);
  CHECK(duplicates == 16);
}

TEST_CASE("network: with the mesh cut and no flooding, IHAVE and IWANT carry every message") {
  GossipNet net;
  for (std::size_t n = 0; n < 4; ++n) net.add(cut());
  net.connect_all();
  net.subscribe_all();
  net.run_for(2s);
  const auto receipt = net.publish(0, "by gossip alone");
  REQUIRE(receipt.has_value());
  CHECK(receipt->peers.empty());
  net.run_for(2s);
  for (std::size_t n = 0; n < 4; ++n) CHECK(net.mesh_size(n) == 0);
  for (std::size_t n = 1; n < 4; ++n) CHECK(net.times_heard(n, "by gossip alone") == 1);
  CHECK(net.gossip(0).stats().iwant_served == 3);
}

TEST_CASE("network: gossip also carries what somebody publishes who has not joined") {
  GossipNet net;
  net.add(cut()), net.add(cut());
  net.connect_all();
  net.subscribe(1);
  net.run_for(1s);
  REQUIRE(net.publish(0, "from outside").has_value());
  net.run_for(2s);
  CHECK(net.times_heard(1, "from outside") == 1);
}

TEST_CASE("network: with the mesh cut, flooding still takes our own messages to everybody") {
  GossipNet net;
  GossipConfig flooding = cut();
  flooding.flood_publish = true;
  net.add(flooding), net.add(flooding);
  net.connect_all();
  net.subscribe_all();
  net.run_for(1s);
  const auto receipt = net.publish(0, "straight");
  REQUIRE(receipt.has_value());
  REQUIRE(receipt->peers.size() == 1);
  CHECK_FALSE(receipt->peers[0].mesh);
  net.run_for(GossipNet::kLatency);
  CHECK(net.times_heard(1, "straight") == 1);
}

TEST_CASE("network: once everybody has gone and time has passed, nothing is left of them") {
  GossipNet net;
  for (std::size_t n = 0; n < 5; ++n) net.add();
  net.connect_all();
  net.subscribe_all();
  net.run_for(3s);
  REQUIRE(net.publish(0, "last words").has_value());
  net.run_for(1s);
  for (std::size_t n = 0; n < 5; ++n) net.unsubscribe(n);
  net.run_for(1s);
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = a + 1; b < 5; ++b) net.disconnect(a, b);
  net.run_for(5min);
  for (std::size_t n = 0; n < 5; ++n) {
    const GossipStats s = net.gossip(n).stats();
    CHECK(s.peers + s.topics + s.seen + s.cached + s.validating + s.backoffs + s.asking == 0);
    for (const auto& [peer, held] : net.member(n).held) CHECK(held == 0);
  }
}

}  // namespace kadmesh
