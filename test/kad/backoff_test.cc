#include "kad/backoff.h"

#include <doctest/doctest.h>

#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::uint64_t kThere = 1, kElsewhere = 2;

struct Failing {
  Rng rng;
  Time now = Time(1h);
  Backoffs backoffs;

  explicit Failing(std::uint64_t seed = 1) : rng(seed) {}
  Turn turn() { return {{now, WallTime{}}, rng}; }
  // Fails, and rests to the end; how long that took, to 20 milliseconds.
  Duration rest(std::uint32_t who = 1) {
    const Time begun = now;
    backoffs.failed(turn(), peer(who), kThere);
    while (backoffs.rests(peer(who), kThere, now)) now += 20ms;
    return now - begun;
  }
};

}  // namespace

TEST_CASE("backoff: each rest is drawn from below a ceiling that doubles from 1 s to 5 min") {
  std::vector<Duration> longest(12);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Failing failing(seed);
    for (Duration& most : longest) most = std::max(most, failing.rest());
  }
  for (std::size_t i = 0; i < longest.size(); ++i) {
    const Duration ceiling = std::min<Duration>(1s * (1 << i), 5min);
    CHECK(longest[i] <= ceiling + 20ms);
    CHECK(longest[i] > ceiling / 2);  // of forty draws the longest is above half
  }
}

TEST_CASE("backoff: what fails while it rests was under way, and counts once") {
  Failing failing;
  failing.rest();
  failing.backoffs.failed(failing.turn(), peer(1), kThere);
  for (int i = 0; i < 50; ++i) failing.backoffs.failed(failing.turn(), peer(1), kThere);
  failing.now += 2s;  // the second ceiling
  CHECK_FALSE(failing.backoffs.rests(peer(1), kThere, failing.now));
}

TEST_CASE("backoff: it starts over for who is reached, for all when the network changes") {
  Failing failing;
  for (int i = 0; i < 8; ++i) failing.rest(1), failing.rest(2);
  failing.backoffs.failed(failing.turn(), peer(1), kThere);
  failing.backoffs.reached(peer(1));
  CHECK_FALSE(failing.backoffs.rests(peer(1), kThere, failing.now));
  CHECK(failing.rest(1) <= 1s + 20ms);
  failing.backoffs.failed(failing.turn(), peer(2), kThere);
  failing.backoffs.start_over();
  CHECK(failing.rest(2) <= 1s + 20ms);
}

TEST_CASE("backoff: who is heard of elsewhere may be tried there") {
  Failing failing;
  for (int i = 0; i < 8; ++i) failing.rest();
  failing.backoffs.failed(failing.turn(), peer(1), kThere);
  CHECK(failing.backoffs.rests(peer(1), kThere, failing.now));
  CHECK_FALSE(failing.backoffs.rests(peer(1), kElsewhere, failing.now));
}

TEST_CASE("backoff: whereabouts are the same in any order, and other with one address more") {
  const Dialable one(home(1), Source::hint), two(home(2), Source::hint);
  const std::vector both{one, two}, turned{two, one}, single{one};
  CHECK(whereabouts(both) == whereabouts(turned));
  CHECK(whereabouts(both) != whereabouts(single));
}

TEST_CASE("backoff: failures of long ago are forgotten") {
  Failing failing;
  for (int i = 0; i < 8; ++i) failing.rest();
  failing.now += Backoffs::kForgotten;
  CHECK(failing.rest() <= 1s + 20ms);
}

TEST_CASE("H72: who is backed off from is remembered up to a bound, the longest rests longest") {
  Failing failing;
  for (int i = 0; i < 6; ++i) failing.rest(1);
  failing.backoffs.failed(failing.turn(), peer(1), kThere);
  for (std::uint32_t i = 10; i < 10 + 2 * Backoffs::kMostPeers; ++i)
    failing.backoffs.failed(failing.turn(), peer(i), kThere);
  CHECK(failing.backoffs.size() == Backoffs::kMostPeers);
  CHECK(failing.backoffs.rests(peer(1), kThere, failing.now));
}

TEST_CASE("backoff: a hundred who lose a peer together do not come back together") {
  std::map<std::int64_t, int> in_second;
  for (std::uint64_t node = 1; node <= 100; ++node) {
    Failing failing(node);
    failing.now = Time(1h);
    for (int i = 0; i < 6; ++i) failing.rest();
    ++in_second[(failing.now - Time(1h)) / 1s];
  }
  for (const auto& [second, nodes] : in_second) CHECK(nodes <= 15);
}

}  // namespace kadmesh
