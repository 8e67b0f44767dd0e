// Through NATs, and how two behind NATs can meet.
#include "wires.h"

namespace kadmesh {
namespace {

// Host 0 is public; 1 and 2 are behind NATs of their own.
struct Homes : Wires {
  explicit Homes(const NatConfig& left, const NatConfig& right = NatConfig::full_cone())
      : Wires(constant(10ms), 1) {
    add({.nat = network.add_nat(left)});
    add({.nat = network.add_nat(right)});
  }
  // Where host 0 sees one who dials it from its listening port.
  Endpoint seen(HostId host) {
    dial_to(host, network.address(0, kPort), kPort);
    run(1s);
    REQUIRE(sockets.back().state == "open");
    return sockets.back().remote;
  }
  bool opened(HostId from, const Endpoint& to) {
    const auto socket = dial_to(from, to);
    run(200s);
    return state(socket) == "open";
  }
  // Both dial where host 0 has seen the other, at the same time.
  bool punched() {
    const Endpoint one = seen(1), two = seen(2);
    const auto a = dial_to(1, two, kPort), b = dial_to(2, one, kPort);
    run(30s);
    return state(a) == "open" && state(b) == "open";
  }
};

}  // namespace

TEST_CASE("nat: who is inside dials out, and is seen at the NAT's address") {
  Homes w(NatConfig::port_restricted_cone());
  const Endpoint seen = w.seen(1);
  CHECK(seen.host == w.network.nat(NatId{0}).outer().host);
  CHECK(w.sockets[0].local == w.network.address(1, Wires::kPort));
}

TEST_CASE("nat: from outside there is no way in, but through a full cone or a forwarded port") {
  Homes w(NatConfig::port_restricted_cone(), NatConfig::full_cone());
  const HostId stranger = w.add({});
  CHECK_FALSE(w.opened(stranger, w.network.address(1, Wires::kPort)));
  CHECK_FALSE(w.opened(stranger, w.seen(1)));
  CHECK(w.opened(stranger, w.seen(2)));
  const auto forwarded = w.network.forward(1, Wires::kPort, 80);
  REQUIRE(forwarded.has_value());
  CHECK(w.opened(stranger, *forwarded));
}

TEST_CASE("nat: neighbours in one network reach each other without it") {
  Homes w(NatConfig::symmetric());
  const HostId neighbour = w.add({.nat = NatId{0}});
  CHECK(w.opened(neighbour, w.network.address(1, Wires::kPort)));
  CHECK_FALSE(w.opened(neighbour, w.seen(1)));  // no hairpin
}

TEST_CASE("punching: cones of every kind let two meet who dial at once") {
  for (const NatConfig& left : {NatConfig::full_cone(), NatConfig::restricted_cone(),
                                NatConfig::port_restricted_cone(), NatConfig::port_preserving()})
    for (const NatConfig& right :
         {NatConfig::restricted_cone(), NatConfig::port_restricted_cone()}) {
      Homes w(left, right);
      CHECK(w.punched());
    }
}

TEST_CASE("punching: symmetric on both sides never") {
  Homes w(NatConfig::symmetric(), NatConfig::symmetric());
  CHECK_FALSE(w.punched());
}

TEST_CASE("punching: two SYNs that meet are one connection, and bytes pass both ways") {
  Wires w;
  w.network.stop_listening(0, Wires::kPort);
  w.network.stop_listening(1, Wires::kPort);
  const auto a = w.dial_to(0, w.network.address(1, 7), 7);
  w.run(3ms);
  const auto b = w.dial_to(1, w.network.address(0, 7), 7);
  w.run(1s);
  REQUIRE(w.state(a) == "open");
  REQUIRE(w.state(b) == "open");
  CHECK(w.sockets.size() == 2);
  CHECK(w.network.live() == 1);
  w.write(a, 3);
  w.write(b, 4);
  w.run(1s);
  CHECK(w.got(a) == 4);
  CHECK(w.got(b) == 3);
  w.close(b);
  w.run(1s);
  CHECK(w.sockets[a].error == "closed");
  CHECK(w.network.live() == 0);
}

}  // namespace kadmesh
