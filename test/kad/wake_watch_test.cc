#include "kad/wake_watch.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

// Looks every 15 s, as the node's timer asks.
struct Looking {
  Now now{Time(1h), WallTime(1000h)};
  WakeWatch watch{now};

  bool look(Duration mono, Duration wall, Duration late = 0s) {
    now = {now.mono + mono + late, now.wall + wall + late};
    return watch.look(now, now.mono - late);
  }
};

}  // namespace

TEST_CASE("wake: clocks that go on together, drift and are slewed are nothing") {
  Looking at;
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(at.look(15s, 15s + 15ms));
  CHECK_FALSE(at.look(15s, 45s));
  CHECK_FALSE(at.look(15s, -15s));
  CHECK_FALSE(at.look(15s, 15s, 30s));
}

TEST_CASE("wake: a sleep in which one clock stood is seen, once") {
  Looking at;
  CHECK(at.look(15s, 1h));
  CHECK_FALSE(at.look(15s, 15s));
}

TEST_CASE("wake: so are a clock that was set, either way, and a process that stood still") {
  Looking at;
  CHECK(at.look(15s, 24h));
  CHECK(at.look(15s, -24h));
  CHECK(at.look(15s, 15s, 1h));
  CHECK_FALSE(at.look(15s, 15s));
}

TEST_CASE("wake watch: it stands at the ends of the clocks") {
  WakeWatch watch({Time(-5ns), WallTime::min()});
  CHECK(watch.look({Time{}, WallTime::max()}, kNever));
  CHECK(watch.look({Time::max(), WallTime::min()}, Time::min()));
}

}  // namespace kadmesh
