#include "sim/nat.h"

#include <doctest/doctest.h>

#include "sim/address_plan.h"

namespace kadmesh {
namespace {

struct Home {
  explicit Home(const NatConfig& config) : nat(config, ipv4(198, 18, 0, 1), 1) {}

  // The source that `to` sees.
  Endpoint leave(const Endpoint& to, Time now = Time{}) { return *nat.leave(now, inner, to); }
  bool enters(const Endpoint& from, std::uint16_t port, Time now = Time{}) {
    return nat.enter(now, port, from) == inner;
  }

  Nat nat;
  Endpoint inner = ipv4(192, 168, 0, 2, 4001);
  Endpoint alice = ipv4(8, 0, 0, 1, 1), other_door = ipv4(8, 0, 0, 1, 2), bob = ipv4(9, 0, 0, 1, 1);
};

}  // namespace

TEST_CASE("nat: a full cone has one port for all, and lets anybody in") {
  Home home(NatConfig::full_cone());
  const Endpoint outer = home.leave(home.alice);
  CHECK(outer.host == home.nat.outer().host);
  CHECK(home.leave(home.bob) == outer);
  CHECK(home.enters(ipv4(7, 7, 7, 7, 7), outer.port));
  CHECK_FALSE(home.enters(home.alice, static_cast<std::uint16_t>(outer.port + 1)));
}

TEST_CASE("nat: a restricted cone lets in whose address was called, from any port") {
  Home home(NatConfig::restricted_cone());
  const Endpoint outer = home.leave(home.alice);
  CHECK(home.enters(home.other_door, outer.port));
  CHECK_FALSE(home.enters(home.bob, outer.port));
  home.leave(home.bob);
  CHECK(home.enters(home.bob, outer.port));
}

TEST_CASE("nat: a port-restricted cone lets in only what was called") {
  Home home(NatConfig::port_restricted_cone());
  const Endpoint outer = home.leave(home.alice);
  CHECK(home.enters(home.alice, outer.port));
  CHECK_FALSE(home.enters(home.other_door, outer.port));
  CHECK(home.leave(home.other_door) == outer);
}

TEST_CASE("nat: a symmetric one has a port for each remote, which lets in that one") {
  Home home(NatConfig::symmetric());
  const Endpoint to_alice = home.leave(home.alice), to_bob = home.leave(home.bob);
  CHECK(to_alice != to_bob);
  CHECK(home.leave(home.alice) == to_alice);
  CHECK(home.enters(home.alice, to_alice.port));
  CHECK_FALSE(home.enters(home.bob, to_alice.port));
}

TEST_CASE("nat: ports are kept while they are free") {
  Home home(NatConfig::port_preserving());
  CHECK(home.leave(home.alice).port == 4001);
  const Endpoint neighbour = ipv4(192, 168, 0, 3, 4001);
  CHECK(home.nat.leave(Time{}, neighbour, home.alice)->port != 4001);
}

TEST_CASE("nat: a mapping ends some time after its last use; a forwarded port never") {
  Home home(NatConfig::full_cone());
  const Endpoint outer = home.leave(home.alice);
  home.leave(home.alice, Time(1h));
  CHECK(home.enters(home.alice, outer.port, Time(1h + 123min)));
  CHECK_FALSE(home.enters(home.alice, outer.port, Time(1h + 124min)));
  CHECK(home.nat.mappings(Time(1h + 124min)) == 0);
  REQUIRE(home.nat.forward(80, home.inner));
  CHECK_FALSE(home.nat.forward(80, home.inner));
  CHECK(home.enters(home.bob, 80, Time(std::chrono::hours(9999))));
}

TEST_CASE("nat: who takes a port that ran out takes no other from its former owner") {
  NatConfig small = NatConfig::full_cone();
  small.ports = 2;
  small.life = 10s;
  Home home(small);
  const Endpoint neighbour = ipv4(192, 168, 0, 3, 4001);
  for (int i = 0; i < 20; ++i) {
    const Time now{i * 1min};
    const Endpoint mine = home.leave(home.alice, now);
    const Endpoint theirs = *home.nat.leave(now, neighbour, home.alice);
    CHECK(mine != theirs);
    const auto again = home.nat.leave(now, home.inner, home.bob);
    CHECK(again == mine);
  }
}

TEST_CASE("nat: when every port is taken nobody leaves any more") {
  NatConfig small = NatConfig::symmetric();
  small.ports = 100;
  Home home(small);
  Endpoint to = home.alice;
  for (std::uint16_t i = 0; i < 100; ++i) {
    to.port = i;
    REQUIRE(home.nat.leave(Time{}, home.inner, to).has_value());
  }
  CHECK_FALSE(home.nat.leave(Time{}, home.inner, home.bob).has_value());
  CHECK(home.nat.leave(Time(125min), home.inner, home.bob).has_value());
}

}  // namespace kadmesh
