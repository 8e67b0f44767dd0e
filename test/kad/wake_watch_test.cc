#include "kad/wake_watch.h"

#include <doctest/doctest.h>

#include "trio.h"

namespace kadmesh {
using namespace testing;

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

namespace {

// Alice and eight who are connected to her, none of whom looks around any more; how many requests
// she makes soon after what happens.
std::size_t asked_after(const std::function<void(Net&)>& what) {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 1000h;
  net.add(kAlice, quiet);
  for (Net::Number i = 10; i < 18; ++i) {
    net.add(i, quiet);
    net.connect(i, kAlice);
  }
  net.run_for(5s);
  const std::size_t before = net[kAlice].requests;
  what(net);
  net.run_for(16s);
  return net[kAlice].requests - before;
}

}  // namespace

TEST_CASE("wake: after a sleep, a set clock or a change of network every link is probed at once") {
  const std::size_t usual = asked_after([](Net&) {});
  CHECK(asked_after([](Net& net) { net.wall_start += 24h; }) == usual + 8);
  CHECK(asked_after([](Net& net) { net.wall_start -= 24h; }) == usual + 8);
  CHECK(asked_after([](Net& net) {
          net.does(kAlice, [&](Kad& kad) { return kad.on_network_changed(net.turn()), 0; });
        }) == usual + 8);
}

TEST_CASE("wake: after a sleep seeds are tried at once, however long the waits had become") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1min);
  net.turn_off(kAlice);
  net.run_for(1h);
  net[kAlice].off = false;
  net.wall_start += 8h;
  net.run_for(15s + 1s);
  CHECK(net.in_table(kBob, kAlice));
}

TEST_CASE("wake: what has expired in a sleep is dropped on waking") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kBob, kAlice);
  net.run_for(1min);
  net.put(kBob, "/v/k", "v");
  net.run_for(1s);
  REQUIRE(net.stored(kAlice, "/v/k").has_value());
  net.turn_off(kBob);
  const std::size_t rows = net[kAlice].store.rows();
  net.wall_start += 72h;
  net.run_for(16s);
  CHECK(net[kAlice].store.rows() < rows);
}

}  // namespace kadmesh
