#include "kad/republish.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "kad/params.h"
#include "kad/rows.h"
#include "people.h"
#include "store/memory_store.h"

namespace kadmesh {
using namespace testing;

namespace {

Bytes key_of(int number) { return to_bytes(as_bytes("/v/" + std::to_string(number))); }

// Republishing with its store; a delivery takes no time and ends as the test says.
struct Publisher {
  PeerId self;
  Republish republish;
  MemoryStore store{StoreLimits{}};
  Rng rng{1};
  Time now{};
  WallTime wall{1'000h};
  std::map<Bytes, std::vector<Time>> delivered;
  bool reaches = true;

  explicit Publisher(std::uint32_t number = 0) : self(peer(number)), republish(self, 22h) {}

  Turn turn() { return {{now, wall + now.time_since_epoch()}, rng}; }
  void ours(int number, WallTime received) {
    store.run(turn().now.wall, {Save{publishing_row(key_of(number), {1}, received)}});
  }
  void drain() {
    while (auto next = republish.poll(turn())) {
      if (auto* scan = std::get_if<Scan>(&*next)) {
        republish.on_scanned(turn(), store.run(turn().now.wall, {*scan}).front());
        continue;
      }
      const auto item = std::get<Republish::Due>(*next).item;
      republish.on_started(item);
      delivered[item.second].push_back(now);
      if (reaches)
        store.run(turn().now.wall, {Save{publishing_row(item.second, {1}, turn().now.wall)}});
      republish.on_ended(turn(), item, !reaches);
    }
  }
  void run_until(Time end) {
    for (drain(); republish.next_timer() <= end; drain()) {
      REQUIRE(republish.next_timer() > now);
      now = republish.next_timer();
    }
    now = end;
  }
};

}  // namespace

TEST_CASE("republish: what was never delivered goes out when the first peer comes, not before") {
  Publisher p;
  p.ours(1, kNeverDelivered);
  p.run_until(at(1h));
  CHECK(p.delivered.empty());
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.delivered.size() == 1);
  CHECK(p.republish.pending(Kind::publishing) == 0);
}

TEST_CASE("republish: a pass that outlasts the pause after it is followed by the next at once") {
  Publisher p;
  p.republish.on_reachable(p.turn());
  REQUIRE(p.republish.poll(p.turn()));
  p.now += kRepublishCheck;
  p.republish.on_scanned(p.turn(), StoreRows{});
  REQUIRE(p.republish.poll(p.turn()));
  p.republish.on_scanned(p.turn(), StoreRows{});
  CHECK(p.republish.poll(p.turn()));
  CHECK(p.republish.next_timer() > p.now);
}

TEST_CASE("republish: all pages are looked through") {
  Publisher p;
  for (int i = 0; i < 200; ++i) p.ours(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.delivered.size() == 200);
}

TEST_CASE("republish: each key again after 19.8 to 22.25 hours, and not all together") {
  Publisher p;
  for (int i = 0; i < 100; ++i) p.ours(i, p.wall);
  p.republish.on_reachable(p.turn());
  p.run_until(at(24h));
  REQUIRE(p.delivered.size() == 100);
  std::set<Time> moments;
  for (const auto& [key, times] : p.delivered) {
    CHECK(times.size() == 1);
    CHECK(times[0] >= at(19h + 48min));
    CHECK(times[0] <= at(22h + kRepublishCheck));
    moments.insert(times[0]);
  }
  CHECK(moments.size() > 5);
}

TEST_CASE("republish: what was delivered while the clock was ahead is delivered again") {
  Publisher p;
  p.ours(1, p.wall + 24h * 365);
  p.republish.on_reachable(p.turn());
  p.run_until(at(1h));
  CHECK(p.delivered[key_of(1)].size() == 1);
}

TEST_CASE("republish: two nodes do not republish the same key at the same moment") {
  std::set<Time> moments;
  for (std::uint32_t node = 0; node < 20; ++node) {
    Publisher p(node);
    p.ours(1, p.wall);
    p.republish.on_reachable(p.turn());
    p.run_until(at(24h));
    moments.insert(p.delivered.at(key_of(1)).at(0));
  }
  CHECK(moments.size() > 3);
}

TEST_CASE("republish: what nobody took is tried again every half minute, and counted") {
  Publisher p;
  p.reaches = false;
  p.ours(1, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.run_until(at(5min));
  CHECK(p.delivered.at(key_of(1)).size() >= 9);
  CHECK(p.delivered.at(key_of(1)).size() <= 12);
  CHECK(p.republish.pending(Kind::publishing) == 1);
}

TEST_CASE("republish: an item that is being delivered is not started again") {
  Publisher p;
  p.ours(1, kNeverDelivered);
  p.republish.on_started({Kind::publishing, key_of(1)});
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.delivered.empty());
}

TEST_CASE("republish: without live peers nothing is scheduled") {
  Publisher p;
  p.ours(1, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.republish.on_unreachable();
  CHECK(p.republish.next_timer() == kNever);
  p.drain();
  CHECK(p.delivered.empty());
}

}  // namespace kadmesh
