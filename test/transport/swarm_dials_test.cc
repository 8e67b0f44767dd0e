// Dials: what comes of them, and when.
#include <doctest/doctest.h>

#include <algorithm>

#include "transport/echo_swarms.h"

namespace kadmesh {

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a dial gives a connection at both ends") {
  const DialId dialed = dial(0, 1);
  run_for(1s);
  const auto up = only<Established>(0);
  CHECK(up.peer == id(1));
  CHECK(up.key == node(1).key.public_key());
  CHECK(up.opened_by_us);
  CHECK(up.first);
  CHECK(up.remote == addr(1));
  CHECK(only<Established>(1).peer == id(0));
  CHECK(!only<Established>(1).opened_by_us);
  CHECK(only<DialFinished>(0).id == dialed);
  CHECK(*only<DialFinished>(0).result == up.id);
  CHECK(std::holds_alternative<Established>(node(0).events.front()));
  close_all();
}

TEST_CASE_FIXTURE(EchoSwarms,
                  "swarm: a second dial of a peer joins the first, a third finds it connected") {
  dial(0, 1);
  dial(0, 1);
  run_for(1s);
  CHECK(pipes() == 1);
  CHECK(all<DialFinished>(0).size() == 2);
  dial(0, 1);
  settle();
  CHECK(all<DialFinished>(0).size() == 3);
  CHECK(pipes() == 1);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a dead address delays the next by the stagger and no more") {
  black_hole(endpoint(7));
  const std::vector addrs{addr(7), addr(1)};
  swarm(0).dial(turn(0), id(1), addrs, in(10s));
  const Time start = time();
  REQUIRE(run_until([&] { return swarm(0).connected(id(1)); }, 10s));
  CHECK(time() - start == 250ms + 2 * rtt());
  CHECK(swarm(0).counters().connections == 1);
  CHECK(swarm(0).counters().dial_jobs == 0);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: an address that refuses makes way at once") {
  const std::vector addrs{addr(7), addr(1)};
  swarm(0).dial(turn(0), id(1), addrs, in(10s));
  const Time start = time();
  REQUIRE(run_until([&] { return swarm(0).connected(id(1)); }, 10s));
  CHECK(time() - start == 3 * rtt());
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a failed dial names every address and its own cause") {
  black_hole(endpoint(8));
  const std::vector addrs{addr(7), addr(8), *Multiaddr::from_text("/ip4/1.2.3.4/udp/1/quic-v1")};
  swarm(0).dial(turn(0), id(1), addrs, in(60s));
  run_for(61s);
  const auto done = only<DialFinished>(0);
  CHECK(done.result.error().code == Errc::unreachable);
  REQUIRE(done.failures.size() == 3);
  CHECK(done.failures[0].cause.code == Errc::unsupported);
  CHECK(done.failures[1].cause.code == Errc::refused);
  CHECK(done.failures[1].addr == addr(7));
  CHECK(done.failures[2].cause.code == Errc::timeout);
  CHECK(done.result.error().detail.find(addr(8).text()) != std::string::npos);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a dial ends at its deadline and leaves nothing") {
  black_hole(endpoint(1));
  dial(0, 1, 3s);
  const Time start = time();
  REQUIRE(run_until([&] { return !all<DialFinished>(0).empty(); }, 10s));
  CHECK(time() - start == 3s);
  CHECK(only<DialFinished>(0).result.error().code == Errc::timeout);
  CHECK(swarm(0).counters().connections == 0);
  CHECK(node(0).pipes.empty());
  CHECK(swarm(0).next_timer() == kNever);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: of two who wait, each has a deadline of its own") {
  black_hole(endpoint(1));
  dial(0, 1, 1s);
  dial(0, 1, 3s);
  run_for(2s);
  CHECK(all<DialFinished>(0).size() == 1);
  CHECK(swarm(0).counters().dial_jobs == 1);
  run_for(2s);
  CHECK(all<DialFinished>(0).size() == 2);
  CHECK(swarm(0).counters().dial_jobs == 0);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a cancelled dial is not heard of again") {
  const DialId first = dial(0, 1);
  settle();
  swarm(0).cancel_dial(turn(0), first);
  run_for(2s);
  CHECK(node(0).events.empty());
  CHECK(node(0).pipes.empty());
  // Done, and not yet reported.
  const DialId second = swarm(0).dial(turn(0), id(0), {}, in(1s));
  swarm(0).cancel_dial(turn(0), second);
  run_for(1s);
  CHECK(node(0).events.empty());
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: we are not dialed, by id, by address or by a twin") {
  swarm(0).dial(turn(0), id(0), std::vector{addr(0)}, in(1s));
  swarm(0).dial(turn(0), std::nullopt, std::vector{addr(0).with_peer(id(0))}, in(1s));
  settle();
  for (const auto& done : all<DialFinished>(0)) CHECK(done.result.error().code == Errc::invalid);
  CHECK(all<DialFinished>(0).size() == 2);
  forget_events();
  const std::size_t twin = add({}, node(0).key);
  swarm(0).dial(turn(0), std::nullopt, std::vector{addr(twin)}, in(1s));
  run_for(2s);
  const auto done = only<DialFinished>(0);
  REQUIRE(done.failures.size() == 1);
  CHECK(done.failures[0].cause.code == Errc::invalid);
  CHECK(all<Established>(0).empty());
  CHECK(all<Established>(twin).empty());
  CHECK(node(twin).pipes.empty());
}

TEST_CASE_FIXTURE(EchoSwarms,
                  "H19: another peer at the address is a failure of the dial, not a connection") {
  add();
  swarm(0).dial(turn(0), id(2), std::vector{addr(1)}, in(5s));
  run_for(6s);
  const auto done = only<DialFinished>(0);
  REQUIRE(done.failures.size() == 1);
  CHECK(done.failures[0].cause.code == Errc::auth);
  CHECK(all<Established>(0).empty());
  CHECK(all<Established>(1).empty());
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: without a peer id, whoever authenticates there") {
  swarm(0).dial(turn(0), std::nullopt, std::vector{addr(1)}, in(5s));
  run_for(1s);
  CHECK(only<Established>(0).peer == id(1));
  CHECK(only<DialFinished>(0).result.has_value());
}

TEST_CASE_FIXTURE(EchoSwarms,
                  "swarm: simultaneous dials give two connections; the spare goes when idle") {
  dial(0, 1);
  dial(1, 0);
  run_for(1s);
  CHECK(all<Established>(0).size() == 2);
  CHECK(all<Established>(1).size() == 2);
  CHECK(only<DialFinished>(0).result.has_value());
  CHECK(only<DialFinished>(1).result.has_value());
  CHECK(all<Established>(0)[0].first);
  CHECK(!all<Established>(0)[1].first);
  swarm(0).hold(id(1));
  swarm(1).hold(id(0));
  run_for(120s);
  for (std::size_t n : {0U, 1U}) {
    CHECK(!only<Disconnected>(n).last);
    CHECK(swarm(n).connections(id(1 - n)).size() == 1);
  }
  CHECK(swarm(0).connections()[0].remote == swarm(1).connections()[0].local);
  close_all();
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a peer that connects to us meanwhile answers the dial") {
  dial(1, 0);
  run_for(rtt() * 6 / 10);
  dial(0, 1);
  REQUIRE(run_until([&] { return !all<DialFinished>(0).empty(); }, 5s));
  CHECK(*only<DialFinished>(0).result == only<Established>(0).id);
  CHECK(!only<Established>(0).opened_by_us);
  // Our own goes on: the other side may have chosen it by now.
  run_for(1s);
  CHECK(all<Established>(0).size() == 2);
  CHECK(all<Established>(1).size() == 2);
  CHECK(all<DialFinished>(0).size() == 1);
}

TEST_CASE("swarm: too many connections of one peer: the dial has the one that exists") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.connections_per_peer = 1;
  net.add(config);
  net.add(config);
  net.connect(0, 1);
  net.swarm(0).dial(net.turn(0), std::nullopt, std::vector{net.addr(1)}, net.in(5s));
  net.run_for(1s);
  CHECK(net.only<DialFinished>(0).result.has_value());
  CHECK(net.all<Established>(0).empty());
  CHECK(net.swarm(0).counters().connections == 1);
  net.close_all();
}

TEST_CASE("H72: a dial that had to wait for a socket gets one") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.dialing = 1;
  net.add(config);
  for (std::size_t i = 1; i <= 5; ++i) net.dial(0, net.add());
  net.run_for(2s);
  for (std::size_t i = 1; i <= 5; ++i) CHECK(net.swarm(0).connected(net.id(i)));
  net.close_all();
}

}  // namespace kadmesh
