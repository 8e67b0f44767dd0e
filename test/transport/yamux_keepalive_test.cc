#include "transport/yamux_keepalive.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

const Time kStart{1h};

}  // namespace

TEST_CASE(
    "yamux_keepalive: the first ping goes out at once, the next after an interval of silence") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  const auto first = keepalive.due(kStart);
  REQUIRE(first);
  CHECK(!keepalive.due(kStart + 1s));
  keepalive.heard(kStart + 50ms);
  CHECK(keepalive.on_pong(kStart + 50ms, *first));
  CHECK(keepalive.next_timer() == kStart + 31s);
  CHECK(!keepalive.due(kStart + 31s - 1ns));
  const auto second = keepalive.due(kStart + 31s);
  REQUIRE(second);
  CHECK(*second != *first);
}

TEST_CASE("yamux_keepalive: who is heard is not asked, but for the round trip now and then") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  keepalive.on_pong(kStart + 50ms, *keepalive.due(kStart));
  Time now = keepalive.next_timer();
  for (keepalive.heard(now - 1s); !keepalive.due(now); keepalive.heard(now - 1s)) {
    REQUIRE(keepalive.next_timer() > now);
    now = keepalive.next_timer();
  }
  CHECK(now >= kStart + YamuxKeepalive::kRttAge);
  CHECK(now < kStart + YamuxKeepalive::kRttAge + 30s);
}

TEST_CASE("yamux_keepalive: many quiet connections are asked in one wake-up a second") {
  for (const Duration since : std::initializer_list<Duration>{1ns, 400ms, 999ms, 1000ms}) {
    YamuxKeepalive keepalive(30s, 20s, kStart + since);
    const auto id = keepalive.due(kStart + since);
    keepalive.on_pong(kStart + since + 1ms, *id);
    CHECK(keepalive.next_timer() == kStart + 31s);
  }
}

TEST_CASE("yamux_keepalive: a pong nobody asked for, or a second one, is not accepted") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  CHECK(!keepalive.on_pong(kStart, 0));
  const auto id = keepalive.due(kStart);
  CHECK(!keepalive.on_pong(kStart, *id + 1));
  CHECK(keepalive.on_pong(kStart, *id));
  CHECK(!keepalive.on_pong(kStart, *id));
}

TEST_CASE("yamux_keepalive: the round trip is smoothed") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  CHECK(keepalive.rtt() == 0s);
  keepalive.on_pong(kStart + 40ms, *keepalive.due(kStart));
  CHECK(keepalive.rtt() == 40ms);
  const Time later = kStart + 1h;
  keepalive.on_pong(later + 80ms, *keepalive.due(later));
  CHECK(keepalive.rtt() == 60ms);
}

TEST_CASE("yamux_keepalive: a peer that says nothing is dead at the deadline, not before") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  keepalive.due(kStart);
  CHECK(keepalive.next_timer() == kStart + 20s);
  CHECK(!keepalive.dead(kStart + 20s - 1ns));
  CHECK(keepalive.dead(kStart + 20s));
}

TEST_CASE("yamux_keepalive: bytes keep a peer alive whose pong is held up") {
  YamuxKeepalive keepalive(30s, 20s, kStart);
  keepalive.due(kStart);
  keepalive.heard(kStart + 15s);
  CHECK(!keepalive.dead(kStart + 20s));
  CHECK(keepalive.next_timer() == kStart + 35s);
}

TEST_CASE("yamux_keepalive: an interval of zero never asks") {
  YamuxKeepalive keepalive(0s, 20s, kStart);
  CHECK(!keepalive.due(kStart + 24h));
  CHECK(!keepalive.dead(kStart + 24h));
  CHECK(keepalive.next_timer() == kNever);
}

}  // namespace kadmesh
