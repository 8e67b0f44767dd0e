#include "transport/swarm.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/connection.h"
#include "transport/swarm_net.h"
#include "transport/yamux_frame.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kEcho{"/echo/1"};

struct Two : TwoSwarms {
  explicit Two(WireOptions wire = {}) : TwoSwarms(wire) { swarm(1).serve("/echo/1"); }
  StreamKey open(std::size_t from, std::size_t to, Duration deadline = 10s) {
    return *swarm(from).open_stream(turn(from), id(to), kEcho, in(deadline));
  }
};

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

std::size_t position(const std::vector<SwarmEvent>& events, auto wanted) {
  return static_cast<std::size_t>(std::ranges::find_if(events, wanted) - events.begin());
}

}  // namespace

TEST_CASE_FIXTURE(Two, "swarm: a dial gives a connection at both ends") {
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

TEST_CASE_FIXTURE(Two,
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

TEST_CASE_FIXTURE(Two, "swarm: a dead address delays the next by the stagger and no more") {
  black_hole(endpoint(7));
  const std::vector addrs{addr(7), addr(1)};
  swarm(0).dial(turn(0), id(1), addrs, in(10s));
  const Time start = time();
  REQUIRE(run_until([&] { return swarm(0).connected(id(1)); }, 10s));
  CHECK(time() - start == 250ms + 2 * rtt());
  CHECK(swarm(0).counters().connections == 1);
  CHECK(swarm(0).counters().dial_jobs == 0);
}

TEST_CASE_FIXTURE(Two, "swarm: an address that refuses makes way at once") {
  const std::vector addrs{addr(7), addr(1)};
  swarm(0).dial(turn(0), id(1), addrs, in(10s));
  const Time start = time();
  REQUIRE(run_until([&] { return swarm(0).connected(id(1)); }, 10s));
  CHECK(time() - start == 3 * rtt());
}

TEST_CASE_FIXTURE(Two, "swarm: a failed dial names every address and its own cause") {
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

TEST_CASE_FIXTURE(Two, "swarm: a dial ends at its deadline and leaves nothing") {
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

TEST_CASE_FIXTURE(Two, "swarm: of two who wait, each has a deadline of its own") {
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

TEST_CASE_FIXTURE(Two, "swarm: a cancelled dial is not heard of again") {
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

TEST_CASE_FIXTURE(Two, "swarm: we are not dialled, by id, by address or by a twin") {
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

TEST_CASE_FIXTURE(Two,
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

TEST_CASE_FIXTURE(Two, "swarm: without a peer id, whoever authenticates there") {
  swarm(0).dial(turn(0), std::nullopt, std::vector{addr(1)}, in(5s));
  run_for(1s);
  CHECK(only<Established>(0).peer == id(1));
  CHECK(only<DialFinished>(0).result.has_value());
}

TEST_CASE_FIXTURE(Two, "swarm: simultaneous dials give two connections; the spare goes when idle") {
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

TEST_CASE_FIXTURE(Two, "swarm: a peer that connects to us meanwhile answers the dial") {
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

TEST_CASE_FIXTURE(Two, "swarm: streams of a connection die before it, with its cause") {
  connect(0, 1);
  const StreamKey agreed = open(0, 1);
  run_for(1s);
  forget_events();
  const StreamKey fresh = open(0, 1);
  settle();
  pipe(0).cut();
  run_for(1s);
  const auto& events = node(0).events;
  const auto lost = [](const SwarmEvent& e) { return std::holds_alternative<StreamReset>(e); };
  const auto failed = [](const SwarmEvent& e) { return std::holds_alternative<OpenFailed>(e); };
  const auto gone = [](const SwarmEvent& e) { return std::holds_alternative<Disconnected>(e); };
  CHECK(position(events, lost) < position(events, gone));
  CHECK(position(events, failed) < position(events, gone));
  CHECK(only<StreamReset>(0).key == agreed);
  CHECK(only<StreamReset>(0).cause.code == Errc::reset);
  CHECK(only<OpenFailed>(0).key == fresh);
  CHECK(only<Disconnected>(0).last);
  CHECK(only<Disconnected>(0).cause.code == Errc::reset);
  CHECK(swarm(0).open_stream(turn(0), id(1), kEcho, in(1s)).error().code == Errc::unreachable);
}

TEST_CASE_FIXTURE(Two, "swarm: calls with streams and connections that are gone do nothing") {
  connect(0, 1);
  const StreamKey key = open(0, 1);
  const ConnId conn = key.conn;
  swarm(0).close(turn(0), conn, {Errc::closed, "enough"});
  CHECK(swarm(0).write(turn(0), key, as_bytes("late")) == 0);
  CHECK(swarm(0).readable(key).empty());
  run_for(1s);
  CHECK(only<OpenFailed>(0).cause.detail == "enough");
  CHECK(only<Disconnected>(0).cause.detail == "enough");
  CHECK(only<Disconnected>(1).cause.code == Errc::closed);
  swarm(0).on_bytes(turn(0), conn, as_bytes("late"));
  swarm(0).on_written(turn(0), conn, 5);
  swarm(0).on_closed(turn(0), conn, {Errc::io, {}});
  swarm(0).on_dialed(turn(0), conn, endpoint(0));
  swarm(0).on_dial_failed(turn(0), conn, {Errc::io, {}});
  swarm(0).consumed(turn(0), key, 0);
  swarm(0).finish(turn(0), key);
  swarm(0).release(turn(0), key);
  swarm(0).reset(turn(0), key, 1);
  swarm(0).close(turn(0), conn, {Errc::closed, {}});
  settle();
  CHECK(swarm(0).counters().connections == 0);
}

TEST_CASE_FIXTURE(Two, "swarm: an idle connection is closed, and says why") {
  connect(0, 1);
  const Time start = time();
  REQUIRE(run_until([&] { return !all<Disconnected>(0).empty(); }, 60s));
  CHECK(time() - start <= 30s);
  CHECK(only<Disconnected>(0).cause.detail.starts_with("idle"));
  run_for(1s);
  close_all();
}

TEST_CASE_FIXTURE(Two, "swarm: a held peer and a stream in use keep their connection") {
  swarm(0).hold(id(1));
  swarm(1).hold(id(0));
  swarm(1).hold(id(0));
  connect(0, 1);
  run_for(300s);
  CHECK(swarm(0).connected(id(1)));
  const StreamKey key = open(0, 1);
  swarm(0).unhold(id(1));
  swarm(1).unhold(id(0));
  run_for(300s);
  CHECK(swarm(0).connected(id(1)));
  swarm(0).reset(turn(0), key, 0);
  run_for(60s);
  CHECK(!swarm(0).connected(id(1)));
}

TEST_CASE_FIXTURE(Two, "swarm: streams of some protocols do not keep a connection") {
  swarm(0).not_keeping("/echo/1");
  swarm(1).not_keeping("/echo/1");
  connect(0, 1);
  open(0, 1);
  run_for(60s);
  CHECK(all<Disconnected>(0).size() == 1);
}

TEST_CASE_FIXTURE(Two, "swarm: a protocol can be served and no longer served at any time") {
  connect(0, 1);
  swarm(1).stop_serving("/echo/1");
  open(0, 1);
  run_for(1s);
  CHECK(only<OpenFailed>(0).cause.code == Errc::unsupported);
  forget_events();
  swarm(1).serve("/echo/1");
  open(0, 1);
  run_for(1s);
  CHECK(only<StreamOpened>(0).protocol == "/echo/1");
}

TEST_CASE_FIXTURE(Two, "swarm: polling an event may give more to send") {
  connect(0, 1);
  open(0, 1);
  const auto sent = std::get<WritePipe>(*swarm(0).poll_action());
  const ConnId conn = swarm(1).connections().front().id;
  swarm(1).on_bytes(turn(1), conn, sent.bytes);
  while (const auto acknowledged = swarm(1).poll_action())
    swarm(1).on_written(turn(1), conn, std::get<WritePipe>(*acknowledged).bytes.size());
  while (swarm(1).poll_event()) {
  }
  CHECK(swarm(1).poll_action());  // the protocol's echo
}

TEST_CASE_FIXTURE(Two, "swarm: an idle swarm has nothing to do until its next timer") {
  swarm(0).hold(id(1));
  swarm(1).hold(id(0));
  connect(0, 1);
  const std::size_t before = node(0).actions;
  CHECK(swarm(0).next_timer() > time() + 10s);
  run_for(10s);
  CHECK(node(0).actions == before);
  CHECK(!swarm(0).poll_event());
  CHECK(!swarm(0).poll_action());
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

TEST_CASE("H7: who fills our connections from outside does not keep us from dialling") {
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
  Two net({.socket_buffer = 64 * 1024});
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

TEST_CASE("H71: whatever happens to connections, the counters equal what lives") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    SwarmNet net({.latency = 20ms, .segment = 100, .ragged = true}, seed);
    SwarmConfig config;
    config.limits.connections_per_peer = 2;
    config.limits.connections = 6;
    config.idle_timeout = 2s;
    Rng rng(seed);
    for (int i = 0; i < 6; ++i) net.swarm(net.add(config)).serve("/echo/1");
    std::size_t dialed = 0, answered = 0;
    for (int i = 0; i < 300; ++i) {
      const std::size_t one = rng.below(6), other = rng.below(6);
      const auto choice = rng.below(10);
      if (choice < 5) {
        net.dial(one, other, Duration(rng.below(2'000'000'000)));
        ++dialed;
      } else if (choice < 7) {
        (void)net.swarm(one).open_stream(net.turn(one), net.id(other), kEcho, net.in(1s));
      } else if (choice < 8 && net.pipes() > 0) {
        net.pipe(rng.below(net.pipes())).cut();
      } else if (choice < 9) {
        for (const auto& up : net.swarm(one).connections()) {
          net.swarm(one).close(net.turn(one), up.id, {Errc::closed, "at random"});
        }
      } else if (rng.chance(1, 2)) {
        net.black_hole(net.endpoint(other));
      } else {
        net.revive(net.endpoint(other));
      }
      net.run_for(Duration(rng.below(300'000'000)));  // checks the counters at every step
    }
    net.close_all();
    for (std::size_t n = 0; n < 6; ++n) {
      answered += net.all<DialFinished>(n).size();
      CHECK(net.all<Established>(n).size() == net.all<Disconnected>(n).size());
    }
    CHECK(answered == dialed);
  }
}

}  // namespace kadmesh
