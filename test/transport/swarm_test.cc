#include "transport/swarm.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/echo_swarms.h"

namespace kadmesh {
namespace {

std::size_t position(const std::vector<SwarmEvent>& events, auto wanted) {
  return static_cast<std::size_t>(std::ranges::find_if(events, wanted) - events.begin());
}

}  // namespace

TEST_CASE_FIXTURE(EchoSwarms, "swarm: streams of a connection die before it, with its cause") {
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

TEST_CASE_FIXTURE(EchoSwarms,
                  "swarm: calls with streams and connections that are gone do nothing") {
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

TEST_CASE_FIXTURE(EchoSwarms, "swarm: an idle connection is closed, and says why") {
  connect(0, 1);
  const Time start = time();
  REQUIRE(run_until([&] { return !all<Disconnected>(0).empty(); }, 60s));
  CHECK(time() - start <= 30s);
  CHECK(only<Disconnected>(0).cause.detail.starts_with("idle"));
  run_for(1s);
  close_all();
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a held peer and a stream in use keep their connection") {
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

TEST_CASE_FIXTURE(EchoSwarms, "swarm: streams of some protocols do not keep a connection") {
  swarm(0).not_keeping("/echo/1");
  swarm(1).not_keeping("/echo/1");
  connect(0, 1);
  open(0, 1);
  run_for(60s);
  CHECK(all<Disconnected>(0).size() == 1);
}

TEST_CASE_FIXTURE(EchoSwarms, "swarm: a protocol can be served and no longer served at any time") {
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

TEST_CASE_FIXTURE(EchoSwarms, "swarm: polling an event may give more to send") {
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

TEST_CASE_FIXTURE(EchoSwarms, "swarm: an idle swarm has nothing to do until its next timer") {
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

TEST_CASE("H71: whatever happens to connections, the counters equal what lives") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    SwarmNet net({.latency = 20ms, .segment = 100, .ragged = true}, seed);
    SwarmConfig config;
    config.limits.connections_per_peer = 2;
    config.limits.connections = 6;
    config.limits.dialing = config.limits.opening_inbound = 3;
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
    // Nor has any place below a limit been lost for ever.
    for (std::size_t n = 0; n < 6; ++n) net.revive(net.endpoint(n));
    for (std::size_t n = 0; n < 6; ++n) {
      const std::size_t other = (n + 1) % 6;
      net.dial(n, other);
      net.run_for(1s);
      CHECK(net.swarm(n).connected(net.id(other)));
    }
    net.close_all();
  }
}

}  // namespace kadmesh
