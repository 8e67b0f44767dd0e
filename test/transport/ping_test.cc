#include "transport/ping.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "transport/swarm_net.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kPing{std::string(kPingProtocol)};

// Node 0 asks, node 1 answers.
class Pinging : public TwoSwarms {
 public:
  explicit Pinging(WireOptions wire = {}) : TwoSwarms(wire) {
    node(0).on_event = [this](Turn t, const SwarmEvent& e) { return pinger.on_event(t, e); };
    node(1).on_event = [this](Turn t, const SwarmEvent& e) { return responder.on_event(t, e); };
    timer = [this] { return std::min(pinger.next_timer(), responder.next_timer()); };
    on_timer = [this] { pinger.on_timer(turn(0)), responder.on_timer(turn(1)); };
    connect(0, 1);
  }

  PingId ping(Duration deadline = 5s) { return pinger.ping(turn(0), id(1), in(deadline)); }
  Result<Duration> only_rtt() {
    const auto done = pinger.poll();
    REQUIRE(done);
    CHECK(!pinger.poll());
    return done->rtt;
  }
  // The test's own stream, past the responder's negotiation.
  StreamKey raw() {
    const StreamKey key = *swarm(0).open_stream(turn(0), id(1), kPing, in(5s));
    run_for(rtt());
    return key;
  }
  std::string read(StreamKey key) {
    std::string text(as_text(swarm(0).readable(key)));
    swarm(0).consumed(turn(0), key, text.size());
    return text;
  }

  Pinger pinger{swarm(0)};
  PingResponder responder{swarm(1)};
};

}  // namespace

TEST_CASE_FIXTURE(Pinging, "ping: takes exactly one round trip, negotiation included") {
  ping();
  run_for(1s);
  CHECK(only_rtt() == rtt());
  CHECK(pinger.outstanding() == 0);
  CHECK(responder.streams() == 0);
  CHECK(swarm(0).counters().streams == 0);
  CHECK(swarm(1).counters().streams == 0);
  CHECK(pinger.next_timer() == kNever);
  CHECK(responder.next_timer() == kNever);
}

TEST_CASE_FIXTURE(Pinging, "ping: the end of the stream is sent when the echo is here") {
  node(1).on_event = nullptr;
  ping();
  run_for(1s);
  const StreamKey key = only<StreamReadable>(1).key;
  const ByteView asked = swarm(1).readable(key);
  const Bytes block(asked.begin(), asked.end());
  swarm(1).consumed(turn(1), key, block.size());
  run_for(1s);
  CHECK(all<StreamFinished>(1).empty());
  swarm(1).write(turn(1), key, block);
  run_for(1s);
  CHECK(only_rtt().has_value());
  CHECK(only<StreamFinished>(1).key == key);
}

TEST_CASE("ping: partial reads make no difference") {
  Pinging net({.segment = 7, .ragged = true});
  net.ping();
  net.run_for(1s);
  CHECK(net.only_rtt().has_value());
}

TEST_CASE_FIXTURE(Pinging, "ping: of a peer that is being pinged joins it") {
  CHECK(ping() == ping());
  run_for(1s);
  CHECK(only_rtt().has_value());
  CHECK(ping() != PingId{1});
}

TEST_CASE_FIXTURE(Pinging, "ping: of a peer that is not connected, or that does not answer pings") {
  Rng rng(3);
  pinger.ping(turn(0), KeyPair::make(rng).peer_id(), in(1s));
  CHECK(only_rtt().error().code == Errc::unreachable);
  swarm(1).stop_serving(kPingProtocol);
  ping();
  run_for(1s);
  CHECK(only_rtt().error().code == Errc::unsupported);
}

TEST_CASE_FIXTURE(Pinging, "ping: silence ends at the deadline") {
  node(1).on_event = [](Turn, const SwarmEvent&) { return false; };
  ping(2s);
  const Time start = time();
  REQUIRE(run_until([&] { return pinger.outstanding() == 0; }, 10s));
  CHECK(time() - start == 2s);
  CHECK(only_rtt().error().code == Errc::timeout);
  CHECK(swarm(0).counters().streams == 0);
}

TEST_CASE_FIXTURE(Pinging, "ping: an echo that differs is an error of the peer") {
  node(1).on_event = [this](Turn t, const SwarmEvent& event) {
    const auto* readable = std::get_if<StreamReadable>(&event);
    if (readable) swarm(1).write(t, readable->key, Bytes(kPingSize, 0x55));
    return false;
  };
  ping();
  run_for(1s);
  CHECK(only_rtt().error().code == Errc::protocol);
}

TEST_CASE_FIXTURE(Pinging, "ping: half an echo and the end of the stream is no echo") {
  node(1).on_event = [this](Turn t, const SwarmEvent& event) {
    if (const auto* readable = std::get_if<StreamReadable>(&event)) {
      swarm(1).write(t, readable->key, swarm(1).readable(readable->key).first(16));
      swarm(1).finish(t, readable->key);
    }
    return false;
  };
  ping();
  run_for(1s);
  CHECK(only_rtt().error().code == Errc::closed);
}

TEST_CASE_FIXTURE(Pinging,
                  "ping: blocks are echoed one after the other, and after the half close") {
  const StreamKey key = raw();
  for (int i = 0; i < 3; ++i) {
    swarm(0).write(turn(0), key, Bytes(kPingSize, 'a'));
    if (i == 2) swarm(0).finish(turn(0), key);
    run_for(rtt());
    CHECK(read(key) == std::string(kPingSize, 'a'));
  }
  run_for(1s);
  CHECK(only<StreamFinished>(0).key == key);
  CHECK(responder.streams() == 0);
}

TEST_CASE_FIXTURE(Pinging, "ping: a peer that sends and never reads is stopped by its window") {
  const StreamKey key = raw();
  std::size_t accepted = 0;
  for (int i = 0; i < 200; ++i) {
    accepted += swarm(0).write(turn(0), key, Bytes(64 * 1024));
    run_for(rtt());
  }
  CHECK(accepted < 2 << 20);
  CHECK(swarm(1).counters().buffered_bytes < 1 << 20);
}

TEST_CASE_FIXTURE(Pinging, "ping: of too many streams of one peer the oldest goes") {
  std::vector<StreamKey> keys;
  for (std::size_t i = 0; i < PingResponder::kMostInbound + 1; ++i) keys.push_back(raw());
  run_for(1s);
  CHECK(responder.streams() == PingResponder::kMostInbound);
  CHECK(only<StreamReset>(0).key == keys.front());
  swarm(0).write(turn(0), keys.back(), as_bytes("echo"));
  run_for(rtt());
  CHECK(read(keys.back()) == "echo");
}

TEST_CASE_FIXTURE(Pinging, "ping: a stream that is silent for long is reset") {
  swarm(0).hold(id(1));
  swarm(1).hold(id(0));
  const StreamKey key = raw();
  run_for(PingResponder::kInboundIdle - 1s);
  CHECK(responder.streams() == 1);
  run_for(2s);
  CHECK(responder.streams() == 0);
  CHECK(only<StreamReset>(0).key == key);
}

TEST_CASE_FIXTURE(Pinging, "ping: a stream that is used now and then is kept") {
  swarm(0).hold(id(1));
  swarm(1).hold(id(0));
  const StreamKey key = raw();
  for (int i = 0; i < 4; ++i) {
    run_for(PingResponder::kInboundIdle - 10s);
    swarm(0).write(turn(0), key, Bytes(kPingSize, 'a'));
  }
  CHECK(responder.streams() == 1);
}

TEST_CASE_FIXTURE(Pinging, "ping: does not keep an idle connection") {
  for (int i = 0; i < 10; ++i) {
    ping();
    run_for(5s);
    if (swarm(0).connected(id(1))) CHECK(pinger.poll()->rtt.has_value());
  }
  CHECK(!swarm(0).connected(id(1)));
  CHECK(responder.streams() == 0);
}

}  // namespace kadmesh
