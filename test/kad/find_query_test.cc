#include "kad/find_query.h"

#include <doctest/doctest.h>

#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("kad: find_peer answers at once for a connected peer, and walks for others") {
  Trio net;
  const auto find = [&](Net::Number whom) {
    return net.report<FindReport>(kBob, net.does(kBob, [&](Kad& kad) {
      return kad.find_peer(net.turn(), peer(whom), after(net.now, 10s));
    }));
  };
  const auto near = find(kAlice);
  CHECK(near.connected);
  CHECK(near.walk.asked == 0);
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(100ms);
  net.disconnect(4, kBob);
  const auto far = find(4);
  CHECK(far.connected);
  CHECK(far.found.addrs.front().addr() == home(4));
}

TEST_CASE(
    "kad: find_peer of a peer that has connected and not yet said where it listens asks others") {
  Trio net;
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(100ms);
  net[4].identifies = false;
  net.disconnect(4, kBob);
  net.connect(4, kBob);
  const auto found = net.report<FindReport>(kBob, net.does(kBob, [&](Kad& kad) {
    return kad.find_peer(net.turn(), peer(4), after(net.now, 10s));
  }));
  CHECK(found.connected);
  REQUIRE(found.found.addrs.size() == 1);
  CHECK(found.found.addrs.front().addr() == home(4));
}

TEST_CASE("kad: find_peer of somebody unknown ends as not found") {
  Trio net;
  const KadOp op = net.does(
      kBob, [&](Kad& kad) { return kad.find_peer(net.turn(), peer(77), after(net.now, 10s)); });
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  CHECK(net.error(kBob, op) == Errc::not_found);
}

}  // namespace kadmesh
