// Sweeps by a whole node among whole nodes: test/kad/net.h.
#include <doctest/doctest.h>

#include "kad/params.h"
#include "kad/rows.h"
#include "net.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr Net::Number kTown = 40;

std::string name(int number) { return "content " + std::to_string(number); }
Bytes key(int number) { return to_bytes(as_bytes(name(number))); }

// Node 0 provides many keys, and has told nobody when it joins.
struct Provider : Net {
  explicit Provider(int keys, Net::Number town = kTown) {
    for (Number number = 0; number <= town; ++number) add(number);
    for (Number number = 2; number <= town; ++number) connect(number, 1);
    run_for(10s);
    for (int i = 0; i < keys; ++i) provides(i, kNeverDelivered);
  }
  void provides(int number, WallTime told) {
    (*this)[0].store.run(turn().now.wall, {Save{providing_row(key(number), told)}});
  }
  void joins() {
    connect(0, 1);
    run_for(1min);
  }
  // Of the 20 that lie closest to a key, those that know of node 0.
  std::size_t holders(int number, Number town = kTown) {
    std::map<Distance, Number> by_distance;
    for (Number other = 1; other <= town; ++other)
      by_distance.emplace(distance(KadId::of(peer(other)), KadId::of(key(number))), other);
    std::size_t holders = 0, seen = 0;
    for (const auto& [away, other] : by_distance)
      if (seen++ < 20 && stored(other, name(number), Kind::provider)) ++holders;
    return holders;
  }
};

}  // namespace

TEST_CASE("sweep: many keys reach each its own k closest, for the walks of a few") {
  Provider net(150);
  net.joins();
  for (int i = 0; i < 150; ++i) REQUIRE(net.holders(i) == 20);
  const std::size_t announcements = 150 * 20;
  CHECK(net[0].requests - announcements < 150 * 4);  // a walk a key takes 20 and more each
  CHECK(net.kad(0).stats().pending_puts == 0);
}

TEST_CASE("sweep: what was announced is stamped, and comes again within the interval") {
  Provider net(50, 4);
  net.joins();
  for (int i = 0; i < 50; ++i)
    CHECK(net.stored(0, name(i), Kind::providing)->received > kNeverDelivered);
  const std::size_t before = net[0].requests;
  net.run_for(10min);
  const auto told = net.stored(0, name(7), Kind::providing)->received;
  net.run_for(22h);
  CHECK(net.stored(0, name(7), Kind::providing)->received > told);
  CHECK(net[0].requests > before + 50 * 4);
}

TEST_CASE("sweep: a few keys are walked to one by one, and reach their k closest") {
  Provider net(static_cast<int>(kLeastSwept) - 1);
  net.joins();
  for (int i = 0; i < static_cast<int>(kLeastSwept) - 1; ++i) CHECK(net.holders(i) == 20);
}

TEST_CASE("sweep: in a network of four every key reaches everybody") {
  Provider net(40, 4);
  net.joins();
  for (int i = 0; i < 40; ++i) CHECK(net.holders(i, 4) == 4);
}

TEST_CASE("sweep: peers that fall silent meanwhile hold up nobody else") {
  Provider net(150);
  net.connect(0, 1);
  net.run_for(300ms);
  for (Net::Number number = 20; number < 30; ++number) net[number].silent = true;
  net.run_for(1min);
  for (int i = 0; i < 150; ++i)
    CHECK(net.stored(0, name(i), Kind::providing)->received > kNeverDelivered);
}

TEST_CASE("sweep: without an address of our own nobody is told, and all once there is one") {
  Provider net(50);
  net.does(0, [&](Kad& kad) {
    kad.on_own_addrs(net.turn(), {});
    return 0;
  });
  net.joins();
  CHECK(net.holders(0) == 0);
  net.does(0, [&](Kad& kad) {
    kad.on_own_addrs(net.turn(), {home(0)});
    return 0;
  });
  net.run_for(1min);
  for (int i = 0; i < 50; ++i) CHECK(net.holders(i) == 20);
}

TEST_CASE("sweep: who leaves in the middle leaves nothing behind, and goes on after a restart") {
  Provider net(150);
  net.connect(0, 1);
  net.run_for(400ms);
  net.restart(0);
  net.joins();
  for (int i = 0; i < 150; ++i) CHECK(net.holders(i) == 20);
}

TEST_CASE("sweep: closing at any moment of it ends it") {
  for (int moment = 1; moment <= 10; ++moment) {
    Provider net(40, 22);
    net.connect(0, 1);
    net.run_for(moment * 15ms);
    net.does(0, [&](Kad& kad) {
      kad.close(net.turn());
      return 0;
    });
    net.run_for(1s);
    CHECK(net.kad(0).quiescent());
  }
}

}  // namespace kadmesh
