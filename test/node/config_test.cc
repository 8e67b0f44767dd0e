#include <doctest/doctest.h>

#include "node/node.h"

namespace kadmesh {
namespace {

NodeConfig limited(std::uint32_t burst, Duration interval) {
  NodeConfig config;
  config.swarm.limits.accept_burst = burst;
  config.swarm.limits.accept_interval = interval;
  return config;
}

}  // namespace

TEST_CASE("config: the usual one holds") { CHECK(check(NodeConfig{})); }

TEST_CASE("config: a DHT's name is a protocol's") {
  NodeConfig config;
  config.kad.protocol = "kad";
  CHECK(check(config).error().code == Errc::invalid);
}

TEST_CASE("config: no limit on handshakes makes a time that overflows") {
  CHECK(check(limited(0, 365 * 24h)));
  CHECK(check(limited(365, 24h)));
  CHECK_FALSE(check(limited(366, 24h)));
  CHECK_FALSE(check(limited(0xffff'ffff, 3s)));
  CHECK_FALSE(check(limited(1, -1ns)));
}

}  // namespace kadmesh
