#include "kad/refresh.h"

#include <doctest/doctest.h>

#include <map>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

struct Refreshing {
  Refresh refresh{peer(0), 10min};
  Rng rng{1};
  Time now{};
  std::vector<Time> self_lookups;
  std::map<unsigned, std::vector<Time>> buckets;

  Turn turn() { return {{now, WallTime{}}, rng}; }
  void run_until(Time end, unsigned depth) {
    while (now <= end) {
      while (refresh.self_lookup_due(now)) {
        self_lookups.push_back(now);
        refresh.self_lookup_started(turn());
      }
      refresh.begin_round(turn(), depth);
      while (const auto key = refresh.next_key(turn()))
        buckets[common_prefix(KadId::of(peer(0)), KadId::of(*key))].push_back(now);
      if (refresh.next_timer() == kNever) break;
      REQUIRE(refresh.next_timer() > now);
      now = refresh.next_timer();
    }
    now = end;
  }
};

}  // namespace

TEST_CASE("refresh: own id on joining, after 2 s, then at twice the distance up to the interval") {
  Refreshing r;
  r.run_until(at(1min), 3);
  CHECK(r.self_lookups.empty());
  r.now = at(0s);
  r.refresh.on_joined(r.turn());
  r.run_until(at(1h), 3);
  const std::vector<Time> first(r.self_lookups.begin(), r.self_lookups.begin() + 5);
  CHECK(first == std::vector{at(0s), at(2s), at(6s), at(14s), at(30s)});
  CHECK(r.self_lookups.back() - r.self_lookups[r.self_lookups.size() - 2] == 10min);
}

TEST_CASE("A9: buckets that were never looked at are refreshed soon, and each interval again") {
  Refreshing r;
  r.refresh.on_joined(r.turn());
  r.run_until(at(35min), 4);
  CHECK(r.buckets.size() == 5);
  for (const auto& [bucket, times] : r.buckets) {
    CHECK(times.front() == at(kFirstBucketRefresh));
    CHECK(times.size() == 4);
  }
}

TEST_CASE("refresh: nothing is due without a live peer") {
  Refreshing r;
  r.refresh.on_joined(r.turn());
  r.refresh.on_isolated();
  CHECK(r.refresh.next_timer() == kNever);
}

TEST_CASE("H65: a round that begins while nobody takes its keys is due no longer") {
  Refreshing r;
  r.refresh.on_joined(r.turn());
  r.refresh.self_lookup_started(r.turn());
  r.now = at(1h);
  r.refresh.self_lookup_started(r.turn());
  r.refresh.begin_round(r.turn(), 4);
  CHECK(r.refresh.next_timer() > r.now);
}

TEST_CASE("refresh: with another address own id is looked for at once, but every 2 s at the most") {
  Refreshing r;
  r.refresh.on_new_address(r.turn());
  CHECK(r.refresh.next_timer() == kNever);  // nobody is there to ask
  r.refresh.on_joined(r.turn());
  r.run_until(at(1h), 0);
  r.self_lookups.clear();
  r.refresh.on_new_address(r.turn());
  r.run_until(at(1h + 1ms), 0);
  CHECK(r.self_lookups == std::vector{at(1h)});
  for (int i = 0; i < 100; ++i) r.refresh.on_new_address(r.turn());
  r.run_until(at(1h + 1min), 0);
  CHECK(r.self_lookups == std::vector{at(1h), at(1h + 2s)});
}

}  // namespace kadmesh
