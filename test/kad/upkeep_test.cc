// What a node does unasked: src/kad/upkeep.cc.
#include <doctest/doctest.h>

#include "kad/params.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("A7: a node whose network was gone rejoins by itself") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1s);
  REQUIRE(net.in_table(kBob, kAlice));
  net.turn_off(kAlice);
  net.run_for(20s);
  CHECK(net.kad(kBob).bootstrap().state == Bootstrap::isolated);
  net.restart(kAlice);
  net.run_for(5s);
  CHECK(net.kad(kBob).bootstrap().state == Bootstrap::joined);
  CHECK(net.in_table(kAlice, kBob));
}

TEST_CASE("S3: a restarted hub is found again within 5 s, by those who only connected to it") {
  Trio net;
  net.turn_off(kAlice);
  net.run_for(10s);
  net.restart(kAlice);
  net.run_for(5s);
  CHECK(net.in_table(kAlice, kBob));
  CHECK(net.in_table(kAlice, kCharlie));
}

TEST_CASE("S3: a seed that starts 30 s late is joined within 5 s") {
  Net net;
  net.add(kBob, seeded(kAlice)).add(kCharlie, seeded(kAlice));
  net.run_for(30s);
  net.add(kAlice);
  net.run_for(5s);
  CHECK(net.in_table(kBob, kAlice));
  CHECK(net.in_table(kBob, kCharlie));
}

TEST_CASE("kad: after a restart with every seed dead, peers of before are found") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1s);
  net.restart(kBob, seeded(77));
  net.run_for(5s);
  CHECK(net.in_table(kBob, kAlice));
}

TEST_CASE("A9: a peer that is connected but gone is found out, and no longer counts") {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 24h;
  net.add(kAlice).add(kBob, quiet);
  net.connect(kBob, kAlice);
  net.run_for(10h);  // lookups of its own have become rare
  net[kAlice].silent = true;
  net.run_for(3min);
  CHECK_FALSE(net.in_table(kBob, kAlice));
}

TEST_CASE("A9: those who are dropped and stay silent keep no other from being asked again") {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 24h;
  net.add(kAlice, quiet);
  std::vector<Net::Number> others;
  for (Net::Number other = 2; other <= 1 + 3 * kMostProbes; ++other) others.push_back(other);
  for (const Net::Number other : others) {
    net.add(other, quiet);
    net.connect(kAlice, other);
  }
  net.run_for(10h);
  for (const Net::Number other : others) net[other].silent = true;
  net.run_for(10min);
  for (const Net::Number other : others) REQUIRE_FALSE(net.in_table(kAlice, other));
  const Net::Number last = std::ranges::max(others, {}, [](Net::Number n) { return peer(n); });
  net[last].silent = false;
  net.run_for(2min);
  CHECK(net.in_table(kAlice, last));
}

TEST_CASE("backoff: who is named again and again and is not there is not dialed by every walk") {
  Net net;
  net.add({kAlice, kBob, kCharlie});
  net.connect(kBob, kAlice);
  net.connect(kCharlie, kAlice);
  net.run_for(5s);
  net.turn_off(kCharlie);
  const auto walks = [&](int count) {
    const std::size_t before = net[kBob].requests;
    for (int i = 0; i < count; ++i) net.error(kBob, net.get(kBob, "/v/none"));
    return net[kBob].requests - before;
  };
  CHECK(walks(10) <= 10 + 3);  // Alice each time, Charlie now and then
  net.does(kBob, [&](Kad& kad) { return kad.on_network_changed(net.turn()), 0; });
  net.run_for(1ms);
  const std::size_t again = walks(1);
  CHECK(again == 2);
}

TEST_CASE("A9: of many links that died silently, all are found out within minutes") {
  Net net;
  net.add(kAlice);
  for (Net::Number i = 10; i < 30; ++i) {
    net.add(i);
    net.connect(i, kAlice);
  }
  net.run_for(1min);
  for (Net::Number i = 10; i < 30; ++i) net[i].silent = true;
  net.run_for(10min);
  CHECK(net.kad(kAlice).stats().table_servers == 0);
}

TEST_CASE(
    "kad: a connected server that was silent for a while is back in the table once it answers") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kAlice, kBob);
  net.run_for(1s);
  REQUIRE(net.in_table(kAlice, kBob));
  net[kBob].silent = true;
  for (int i = 0; i < 4; ++i) net.run_until_done(kAlice, net.get(kAlice, "/v/a"));
  REQUIRE_FALSE(net.in_table(kAlice, kBob));
  net[kBob].silent = false;
  net.run_for(16s);
  CHECK(net.in_table(kAlice, kBob));
}

// go-libp2p-kad-dht, TestSelfWalkOnAddressChange.
TEST_CASE("kad: who has another address looks for its own id, and so meets who came meanwhile") {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 1000h;
  net.add(kAlice, quiet).add(kBob, quiet).add(kCharlie, quiet);
  net.connect(kAlice, kBob);
  net.run_for(1h);
  net[kAlice].silent = true;  // Charlie, who comes now, cannot reach her
  net.connect(kCharlie, kBob);
  net.run_for(20s);
  net[kAlice].silent = false;
  const auto is_at = [&](std::vector<Multiaddr> addrs) {
    const std::size_t before = net[kAlice].requests;
    net.does(kAlice, [&](Kad& kad) { return kad.on_own_addrs(net.turn(), addrs), 0; });
    net.run_for(1s);
    return net[kAlice].requests - before;
  };
  CHECK(is_at({home(kAlice)}) == 0);  // as before
  CHECK(is_at({}) == 0);
  REQUIRE_FALSE(net.in_table(kAlice, kCharlie));
  CHECK(is_at({home(kAlice), home(77)}) > 0);
  CHECK(net.in_table(kAlice, kCharlie));
}

// The specification: PING must not be sent.
TEST_CASE("kad: nobody is asked a PING, however silent he is and whatever has happened") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  net.does(kBob, [&](Kad& kad) { return kad.on_network_changed(net.turn()), 0; });
  net[kCharlie].identifies = false;
  net.disconnect(kCharlie, kBob);
  net.connect(kCharlie, kBob);
  net.run_for(2h);
  net[kAlice].silent = true;
  net.wall_start += 24h;
  net.run_for(24h);
  for (const Net::Number number : {kAlice, kBob, kCharlie}) {
    const auto sent = net.kad(number).stats().requests;
    CHECK(sent[static_cast<std::size_t>(KadType::ping)].sent == 0);
    CHECK(sent[static_cast<std::size_t>(KadType::find_node)].sent > 100);
  }
}

}  // namespace kadmesh
