#include "kad/republish.h"

#include <doctest/doctest.h>

#include <functional>
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

  // A sweep that ends at once, and what it came to.
  std::function<Swept(const Bytes&)> sweeping = [](const Bytes&) { return Swept{}; };
  std::vector<Bytes> swept;
  RoutingTable table{peer(0), 20};
  bool sweeps = false;

  explicit Publisher(std::uint32_t number = 0) : self(peer(number)), republish(self, 22h) {}

  Turn turn() { return {{now, wall + now.time_since_epoch()}, rng}; }
  void ours(int number, WallTime received) {
    store.run(turn().now.wall, {Save{publishing_row(key_of(number), {1}, received)}});
  }
  void provided(int number, WallTime received) {
    store.run(turn().now.wall, {Save{providing_row(key_of(number), received)}});
  }
  void drain() {
    while (auto next = republish.poll(turn(), sweeps ? &table : nullptr)) {
      if (auto* page = std::get_if<Near>(&*next)) {
        republish.on_scanned(turn(), store.run(turn().now.wall, {*page}).front());
        continue;
      }
      if (auto* sweep = std::get_if<Republish::Sweep>(&*next)) {
        swept.push_back(sweep->key);
        republish.on_swept(turn(), sweeping(sweep->key));
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
  p.republish.on_started({Kind::publishing, key_of(1)});
  REQUIRE(p.republish.poll(p.turn(), nullptr));
  p.now += 2 * kRepublishCheck;
  p.republish.on_scanned(p.turn(), StoreRows{});
  REQUIRE(p.republish.poll(p.turn(), nullptr));
  p.republish.on_scanned(p.turn(), StoreRows{});
  CHECK(p.republish.poll(p.turn(), nullptr));
  CHECK(p.republish.next_timer() > p.now);
}

TEST_CASE("republish: all pages are looked through") {
  Publisher p;
  for (int i = 0; i < 200; ++i) p.ours(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.delivered.size() == 200);
}

TEST_CASE("republish: each key again within 22 hours, not soon, and not all together") {
  Publisher p;
  for (int i = 0; i < 100; ++i) p.ours(i, p.wall);
  p.republish.on_reachable(p.turn());
  p.run_until(at(22h));
  REQUIRE(p.delivered.size() == 100);
  std::set<Time> moments;
  for (const auto& [key, times] : p.delivered) {
    CHECK(times.size() == 1);
    CHECK(times[0] >= at(2h));
    moments.insert(times[0]);
  }
  CHECK(moments.size() > 40);
  p.run_until(at(44h));
  for (const auto& [key, times] : p.delivered) CHECK(times.at(1) - times[0] == 20h);
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

TEST_CASE("republish: what is due and waits is counted, and what is under way") {
  Publisher p;
  for (int i = 0; i < 7; ++i) p.ours(i, kNeverDelivered);
  CHECK(p.republish.waiting() == 0);  // nobody has looked yet
  p.republish.on_reachable(p.turn());
  std::vector<Republish::Item> started;
  while (auto next = p.republish.poll(p.turn(), nullptr)) {
    if (auto* page = std::get_if<Near>(&*next)) {
      p.republish.on_scanned(p.turn(), p.store.run(p.turn().now.wall, {*page}).front());
      continue;
    }
    started.push_back(std::get<Republish::Due>(*next).item);
    p.republish.on_started(started.back());
  }
  CHECK(p.republish.running() == kMostRepublishing);
  CHECK(p.republish.waiting() == 7 - kMostRepublishing);
  for (const auto& item : started) p.republish.on_ended(p.turn(), item, false);
  CHECK(p.republish.running() == 0);
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

TEST_CASE("republish: keys that lie together are swept, a few of them are not") {
  for (const std::size_t count : {kLeastSwept - 1, kLeastSwept}) {
    Publisher p;
    p.sweeps = true;
    p.sweeping = [](const Bytes&) { return Swept{~std::uint64_t{0}, false}; };
    for (std::size_t i = 0; i < count; ++i) p.provided(static_cast<int>(i), kNeverDelivered);
    p.republish.on_reachable(p.turn());
    p.drain();
    CHECK(p.swept.size() == (count == kLeastSwept ? 1 : 0));
    CHECK(p.delivered.size() == (count == kLeastSwept ? 0 : count));
  }
}

TEST_CASE("republish: values are not swept") {
  Publisher p;
  p.sweeps = true;
  for (int i = 0; i < 20; ++i) p.ours(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.swept.empty());
  CHECK(p.delivered.size() == 20);
}

TEST_CASE("republish: where a sweep came to nothing its keys follow one by one") {
  Publisher p;
  p.sweeps = true;
  for (int i = 0; i < 20; ++i) p.provided(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.swept.size() == 1);
  CHECK(p.delivered.size() == 20);
}

TEST_CASE("republish: what a sweep missed is swept again in a quarter of an hour") {
  Publisher p;
  p.sweeps = true;
  p.sweeping = [](const Bytes&) { return Swept{~std::uint64_t{0}, true}; };
  for (int i = 0; i < 20; ++i) p.provided(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.run_until(at(14min));
  CHECK(p.swept.size() == 1);
  p.run_until(at(16min));
  CHECK(p.swept.size() == 2);
  CHECK(p.delivered.empty());
}

TEST_CASE("republish: what could not be looked at is looked at again") {
  Publisher p;
  p.ours(1, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  for (int kind = 0; kind < 2; ++kind) {
    REQUIRE(p.republish.poll(p.turn(), nullptr));
    p.republish.on_scanned(p.turn(), fail(Errc::io, "the disk is full"));
  }
  CHECK_FALSE(p.republish.poll(p.turn(), nullptr));
  p.run_until(at(20min));
  CHECK(p.delivered.size() == 1);
}

TEST_CASE("republish: a page of before the last peer left is no page of the next look") {
  Publisher p;
  for (int i = 0; i < 10; ++i) p.ours(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  REQUIRE(p.republish.poll(p.turn(), nullptr));
  p.republish.on_unreachable();
  p.republish.on_reachable(p.turn());
  const auto page = p.republish.poll(p.turn(), nullptr);
  REQUIRE(page);
  p.republish.on_scanned(p.turn(), StoreRows{});  // the first, late
  p.republish.on_scanned(p.turn(), p.store.run(p.turn().now.wall, {std::get<Near>(*page)}).front());
  p.drain();
  CHECK(p.delivered.size() == 10);
}

TEST_CASE("republish: a sweep that outlives its pass says nothing of the next one's keys") {
  Publisher p;
  p.sweeps = true;
  for (int i = 0; i < 20; ++i) p.provided(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  const auto next_sweep = [&] {
    for (;;) {
      auto next = p.republish.poll(p.turn(), &p.table);
      if (!next || std::holds_alternative<Republish::Sweep>(*next)) return next.has_value();
      p.republish.on_scanned(p.turn(),
                             p.store.run(p.turn().now.wall, {std::get<Near>(*next)}).front());
    }
  };
  REQUIRE(next_sweep());
  p.republish.on_unreachable();
  p.republish.on_reachable(p.turn());
  CHECK_FALSE(next_sweep());  // not two at once
  p.republish.on_swept(p.turn(), {~std::uint64_t{0}, false});
  CHECK(next_sweep());
}

TEST_CASE("republish: a provide that is withdrawn during a sweep does not come back") {
  Publisher p;
  p.sweeps = true;
  const Bytes key = key_of(1);
  const Republish::Item item{Kind::providing, key};
  for (int i = 0; i < 20; ++i) p.provided(i, kNeverDelivered);
  std::optional<bool> counts;
  p.sweeping = [&](const Bytes&) {
    p.republish.on_ended(p.turn(), item, false);  // cancelled; it had begun before
    counts = p.republish.on_announced(key);
    return Swept{~std::uint64_t{0}, false};
  };
  p.republish.on_started(item);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(counts == false);
}

TEST_CASE("republish: what a sweep has seen to is not handed out again, and what is behind it is") {
  Publisher p;
  p.sweeps = true;
  std::set<std::uint64_t> places;
  for (int i = 0; i < 300; ++i) {
    p.provided(i, kNeverDelivered);
    places.insert(place_of(key_of(i)));
  }
  const std::uint64_t half = std::uint64_t{1} << 63;
  p.sweeping = [&](const Bytes& key) {
    return Swept{place_of(key) < half ? half - 1 : ~std::uint64_t{0}, false};
  };
  p.republish.on_reachable(p.turn());
  p.run_until(at(10min));
  REQUIRE(p.swept.size() == 2);
  CHECK(place_of(p.swept[0]) == *places.begin());
  CHECK(place_of(p.swept[1]) == *places.lower_bound(half));
  CHECK(p.delivered.empty());
}

TEST_CASE(
    "republish: of a key that is provided anew during a sweep, the sweep's word is too late") {
  Publisher p;
  p.sweeps = true;
  std::vector<bool> counts;
  p.sweeping = [&](const Bytes& key) {
    const Republish::Item item{Kind::providing, key};
    counts.push_back(p.republish.on_announced(key));
    p.republish.on_started(item);
    counts.push_back(p.republish.on_announced(key));
    p.republish.on_ended(p.turn(), item, false);
    counts.push_back(p.republish.on_announced(key));
    return Swept{~std::uint64_t{0}, false};
  };
  for (int i = 0; i < 20; ++i) p.provided(i, kNeverDelivered);
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(counts == std::vector{true, false, false});
}

TEST_CASE("republish: a clock set back leaves nothing behind") {
  Publisher p;
  p.ours(1, p.wall);
  p.republish.on_reachable(p.turn());
  p.run_until(at(1h));
  p.wall -= 24h * 30;
  p.run_until(at(1h + kRepublishCheck));
  CHECK(p.delivered[key_of(1)].size() == 1);
}

TEST_CASE("republish: where nothing is ours nothing wakes us") {
  Publisher p;
  p.republish.on_reachable(p.turn());
  p.drain();
  CHECK(p.republish.next_timer() == kNever);
  p.republish.on_started({Kind::publishing, key_of(1)});
  CHECK(p.republish.next_timer() < kNever);
}

}  // namespace kadmesh
