// What peers may cost a swarm.
#include <doctest/doctest.h>

#include <algorithm>

#include "transport/connection.h"
#include "transport/echo_swarms.h"
#include "transport/yamux_frame.h"

namespace kadmesh {
namespace {

// A peer that says what no connection of ours would.
struct RawPeer {
  RawPeer() {
    append(out, selection.take_output());
    append(out, noise.take_output());
  }
  void hear(ByteView bytes) {
    if (!selection.agreed()) bytes = bytes.subspan(*selection.on_bytes(bytes));
    if (noise.done() || session) return;
    REQUIRE(noise.on_bytes(bytes));
    append(out, noise.take_output());
    if (noise.done()) session.emplace(noise.take());
  }
  // So many pings.
  void asks(int count) {
    Bytes pings;
    for (int i = 0; i < count; ++i)
      append(pings, encode({YamuxType::ping, yamux_flag::kSyn, 0, ++asked}));
    REQUIRE(session->send.seal(pings, out));
  }
  Bytes speak() { return std::exchange(out, {}); }

  Rng rng{77};
  KeyPair key = KeyPair::make(rng);
  NoiseStatic ours = make_noise_static(rng, key, std::vector{std::string(kYamuxProtocol)});
  MultistreamDialer selection{{std::string(kNoiseProtocol)}};
  NoiseHandshake noise{Role::initiator, ours, rng, std::nullopt};
  std::optional<NoiseSession> session;
  std::uint32_t asked = 0;
  Bytes out;
};

}  // namespace

TEST_CASE("H21: accepted connections that do not authenticate are bounded in count and age") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.opening_inbound = 10;
  Swarm& swarm = net.swarm(net.add(config));
  std::size_t closed = 0;
  for (std::uint16_t i = 0; i < 25; ++i) {
    swarm.on_accepted(net.turn(0), net.endpoint(0), net.endpoint(9, i));
    while (auto action = swarm.poll_action()) {
      closed += std::size_t{std::holds_alternative<ClosePipe>(*action)};
    }
  }
  CHECK(closed == 15);
  CHECK(swarm.counters().opening == 10);
  CHECK(swarm.refusals().opening == 15);
  CHECK(swarm.counters().buffered_bytes < 10 * 1024);
  CHECK(swarm.next_timer() == net.in(10s));
  const Turn late{{net.in(10s), {}}, net.node(0).rng};
  swarm.on_timer(late);
  while (swarm.poll_action()) ++closed;
  CHECK(closed == 25);
  CHECK(swarm.counters().connections == 0);
  CHECK(!swarm.poll_event());
}

TEST_CASE("H21: who stalls in its handshake makes way for who does not") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.opening_inbound = 10;
  Swarm& swarm = net.swarm(net.add(config));
  std::set<ConnId> stalling;
  for (std::uint16_t i = 0; i < 10; ++i)
    stalling.insert(swarm.on_accepted(net.turn(0), net.endpoint(0), net.endpoint(9, i)));
  const Turn later{{net.in(2s), {}}, net.node(0).rng};
  while (swarm.poll_action()) continue;
  const ConnId honest = swarm.on_accepted(later, net.endpoint(0), net.endpoint(8));
  std::vector<ConnId> closed;
  while (auto action = swarm.poll_action())
    if (const auto* close = std::get_if<ClosePipe>(&*action)) closed.push_back(close->id);
  CHECK(closed == std::vector{*stalling.begin()});
  CHECK(closed.front() != honest);
  CHECK(swarm.counters().opening == 10);
}

TEST_CASE("H21: a place among the unauthenticated is free again once a peer has authenticated") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.opening_inbound = 1;
  net.add(config);
  for (std::size_t i = 1; i <= 5; ++i) net.connect(net.add(), 0);
  CHECK(net.swarm(0).connections().size() == 5);
  CHECK(net.swarm(0).refusals().opening == 0);
}

TEST_CASE("H73: one address cannot keep us busy with handshakes") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.accept_burst = 5;
  Swarm& swarm = net.swarm(net.add(config));
  for (std::uint16_t i = 0; i < 20; ++i) {
    swarm.on_accepted(net.turn(0), net.endpoint(0), net.endpoint(9, i));
  }
  CHECK(swarm.counters().opening == 5);
  CHECK(swarm.refusals().rate == 15);
  swarm.on_accepted(net.turn(0), net.endpoint(0), net.endpoint(8));
  CHECK(swarm.counters().opening == 6);
}

TEST_CASE("H72: sockets, jobs, waiting dials and their time are bounded") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.dialing = 20;
  config.limits.dial_jobs = 50;
  net.add(config);
  Rng rng(5);
  std::size_t most = 0;
  for (std::size_t i = 10; i < 110; ++i) {
    for (std::uint16_t port = 1; port <= 4; ++port) net.black_hole(net.endpoint(i, port));
    const std::vector addrs{net.addr(i, 1), net.addr(i, 2), net.addr(i, 3), net.addr(i, 4)};
    net.swarm(0).dial(net.turn(0), KeyPair::make(rng).peer_id(), addrs, net.in(30s));
  }
  for (int i = 0; i < 310; ++i) {
    net.run_for(100ms);
    most = std::max(most, net.node(0).pipes.size());
  }
  CHECK(most == 20);
  const auto done = net.all<DialFinished>(0);
  CHECK(done.size() == 100);
  CHECK(std::ranges::count_if(
            done, [](const auto& d) { return d.result.error().code == Errc::limit; }) == 50);
  CHECK(net.swarm(0).counters().dial_jobs == 0);
  CHECK(net.node(0).pipes.empty());
}

TEST_CASE("swarm: at the total limit a dial fails with the limit, and inbound is refused") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.connections = 1;
  net.add(config);
  net.add();
  net.add();
  net.connect(0, 1);
  net.dial(0, 2);
  net.settle();
  CHECK(net.only<DialFinished>(0).result.error().code == Errc::limit);
  CHECK(net.only<DialFinished>(0).result.error().detail.find("1 of 1") != std::string::npos);
  net.dial(2, 0);
  net.run_for(15s);
  CHECK(!net.only<DialFinished>(2).result.has_value());
  CHECK(net.swarm(0).counters().connections == 1);
}

TEST_CASE("H7: who fills our connections from outside does not keep us from dialing") {
  SwarmNet net;
  SwarmConfig config;
  config.limits.connections = 8;
  net.swarm(net.add(config)).serve("/echo/1");
  for (std::size_t n = 1; n <= 9; ++n) {
    net.add();
    net.dial(n, 0);
    net.run_for(1s);
  }
  CHECK(net.swarm(0).connections().size() == 7);
  CHECK(net.swarm(0).refusals().connections > 0);
  net.dial(0, 9);
  net.run_for(1s);
  CHECK(net.swarm(0).connected(net.id(9)));
}

TEST_CASE("H4: a peer that asks and does not read is not read any more, until it does") {
  SwarmNet net;
  net.add();
  Swarm& swarm = net.swarm(0);
  RawPeer peer;
  const ConnId id = swarm.on_accepted(net.turn(0), net.endpoint(0), net.endpoint(1));
  std::size_t unwritten = 0;
  std::optional<bool> reading;
  const auto settle = [&](bool peer_reads) {
    while (swarm.poll_event()) continue;
    while (auto action = swarm.poll_action()) {
      if (const auto* read = std::get_if<ReadPipe>(&*action)) reading = read->wanted;
      const auto* write = std::get_if<WritePipe>(&*action);
      if (!write) continue;
      peer.hear(write->bytes);
      unwritten += write->bytes.size();
    }
    if (peer_reads) swarm.on_written(net.turn(0), id, std::exchange(unwritten, 0));
    swarm.on_bytes(net.turn(0), id, peer.speak());
  };
  for (int i = 0; i < 4; ++i) settle(true);
  REQUIRE(swarm.connected(peer.key.peer_id()));
  for (int i = 0; i < 20'000 && !reading; ++i) {
    peer.asks(8);
    settle(false);
  }
  CHECK(reading == false);
  CHECK(unwritten <= kWriteBudget);
  for (int i = 0; i < 4; ++i) settle(true);
  CHECK(reading == true);
}

TEST_CASE("H74: bytes that did not get through are never reported as sent") {
  EchoSwarms net({.socket_buffer = 64 * 1024});
  net.swarm(1).hold(net.id(0));
  net.connect(0, 1);
  net.pipe(0).stall(Pipe::End::b);
  const StreamKey key = net.open(0, 1, 600s);
  std::size_t accepted = 0;
  for (int i = 0; i < 100; ++i) {
    accepted += net.swarm(0).write(net.turn(0), key, Bytes(64 * 1024));
    net.settle();
  }
  CHECK(accepted <= 256 * 1024);
  CHECK(net.swarm(0).write(net.turn(0), key, as_bytes("more")) == 0);
  net.run_for(120s);
  CHECK(net.only<OpenFailed>(0).cause.code == Errc::timeout);
  CHECK(net.only<Disconnected>(0).cause.code == Errc::timeout);
  CHECK(net.all<StreamWritable>(0).empty());
}

}  // namespace kadmesh
