#include "kad/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/params.h"
#include "kad/wire.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::uint32_t kSelf = 0, kSeed = 1, kOther = 2;

// A machine whose dials end as the test says.
struct Booting {
  Rng rng;
  Time now{};
  BootstrapMachine machine;
  std::vector<Multiaddr> dialed;
  std::vector<StoreRequest> stored;

  explicit Booting(std::vector<Multiaddr> seeds, std::uint64_t seed = 1)
      : rng(seed), machine(peer(kSelf), seeds, turn()) {}

  Turn turn() { return {{now, WallTime(100h)}, rng}; }
  void drain() {
    while (auto next = machine.poll(turn())) {
      if (auto* dial = std::get_if<KadDial>(&*next))
        dialed.push_back(dial->seed);
      else
        stored.push_back(std::get<StoreRequest>(*next));
    }
  }
  Bootstrap state() const { return machine.status().state; }
  void refused(const Multiaddr& seed) {
    machine.on_dialed(turn(), seed, fail(Errc::unreachable, "refused"), false);
    drain();
  }
  void connected(std::uint32_t number, const Multiaddr& seed) {
    machine.on_connected(peer(number));
    machine.on_dialed(turn(), seed, peer(number), true);
    drain();
  }
  void live(std::size_t count) {
    machine.on_live(turn(), count);
    drain();
  }
  void lost(std::uint32_t number) {
    machine.on_disconnected(turn(), peer(number));
    drain();
  }
  // To the next timer, if it is due by `end`.
  bool advance(Time end) {
    const Time next = machine.next_timer();
    if (next > end) return false;
    now = std::max(now, next);
    drain();
    return true;
  }
  // Every dial fails at once; when they were made.
  std::vector<Time> dials_until(Time end) {
    std::vector<Time> times;
    for (drain(); !dialed.empty() || advance(end);) {
      for (const Multiaddr& seed : std::exchange(dialed, {})) {
        times.push_back(now);
        refused(seed);
      }
    }
    now = end;
    return times;
  }
};

StoreRows pool_of(std::uint32_t number) {
  Row row;
  row.kind = Kind::pool;
  row.key = to_bytes(peer(number).bytes());
  row.value = encode_addrs({home(number)});
  return {row};
}

}  // namespace

TEST_CASE("bootstrap: NoSeeds, Dialing, Isolated, Joined follow from what is the case") {
  Booting alone({});
  CHECK(alone.state() == Bootstrap::no_seeds);
  CHECK_FALSE(alone.machine.hopeful());

  Booting boot({home(kSeed)});
  CHECK(boot.state() == Bootstrap::dialing);
  boot.drain();
  CHECK(boot.dialed == std::vector{home(kSeed)});
  boot.refused(home(kSeed));
  CHECK(boot.state() == Bootstrap::isolated);
  CHECK(boot.machine.status().last_failure.ends_with("unreachable: refused"));
  CHECK(boot.machine.hopeful());
  CHECK(boot.advance(at(1s)));
  CHECK(boot.state() == Bootstrap::dialing);
  boot.connected(kSeed, home(kSeed));
  boot.live(1);
  CHECK(boot.state() == Bootstrap::joined);
  CHECK(boot.machine.status().attempts == 0);
}

TEST_CASE("bootstrap: an address that is our own is no seed, and a seed named twice is one") {
  Booting boot({home(9).with_peer(peer(kSelf)), home(kSeed), home(kSeed)});
  boot.drain();
  CHECK(boot.dialed.size() == 1);
}

TEST_CASE("bootstrap: waits are drawn up to an eighth of the outage, from 1 s to 5 min") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Booting boot({home(kSeed)}, seed);
    const auto times = boot.dials_until(at(6h));
    REQUIRE(times.size() > 2);
    for (std::size_t i = 1; i < times.size(); ++i) {
      const Duration outage = times[i - 1] - Time{};
      const Duration most = std::clamp<Duration>(outage / 8, 1s, 5min);
      CHECK(times[i] > times[i - 1]);
      CHECK(times[i] - times[i - 1] <= most);
    }
    // It has grown: in the last hour there are 12 tries at least and some 24 on average.
    const auto last = std::ranges::count_if(times, [](Time t) { return t > at(5h); });
    CHECK(last >= 12);
    CHECK(last < 60);
  }
}

TEST_CASE("bootstrap: a seed that comes back within 40 s is tried again within 5 s") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Booting boot({home(kSeed)}, seed);
    const auto times = boot.dials_until(at(45s));
    for (const Duration back : {10s, 20s, 30s, 40s}) {
      CHECK(std::ranges::any_of(times,
                                [&](Time t) { return t >= at(back) && t <= after(at(back), 5s); }));
    }
  }
}

TEST_CASE("bootstrap: a hundred nodes that lose a seed together do not come back together") {
  std::vector<Time> all;
  for (std::uint64_t node = 1; node <= 100; ++node) {
    Booting boot({home(kSeed)}, node);
    boot.drain();
    boot.dialed.clear();
    boot.connected(kSeed, home(kSeed));
    boot.live(1);
    boot.now = at(1h);
    boot.lost(kSeed);
    boot.live(0);
    for (const Time t : boot.dials_until(after(at(1h), 10min))) all.push_back(t);
  }
  std::ranges::sort(all);
  std::size_t most = 0;
  for (std::size_t from = 0, to = 0; to < all.size(); ++to) {
    while (all[to] - all[from] > 100ms) ++from;
    most = std::max(most, to - from + 1);
  }
  CHECK(most <= 40);  // of 100 nodes within any 100 ms, where all at once would be 100
}

TEST_CASE("bootstrap: one dial a seed at a time, and four in all") {
  std::vector<Multiaddr> seeds;
  for (std::uint32_t i = 1; i <= 10; ++i) seeds.push_back(home(i));
  Booting boot(seeds);
  boot.drain();
  CHECK(boot.dialed.size() == kMostDials);
  boot.drain();
  boot.refused(home(1));
  CHECK(boot.dialed.size() == kMostDials + 1);
}

TEST_CASE("bootstrap: a dial that is never answered does not keep its place for ever") {
  Booting boot({home(kSeed)});
  boot.drain();
  CHECK(boot.advance(after(at(0s), kDialDeadline + kDialGrace)));
  CHECK(boot.state() == Bootstrap::isolated);
  CHECK(boot.advance(at(1min)));
  CHECK(boot.dialed.size() == 2);
}

TEST_CASE("bootstrap: a lost seed is dialed again although others are live") {
  Booting boot({home(kSeed)});
  boot.drain();
  boot.connected(kSeed, home(kSeed));
  boot.live(2);
  boot.lost(kSeed);
  boot.live(1);
  CHECK(boot.advance(at(1s)));
  CHECK(boot.dialed.size() == 2);
}

TEST_CASE("bootstrap: with enough live peers nobody is dialed") {
  Booting boot({home(kSeed)});
  boot.drain();
  boot.live(kWantedLive);
  boot.refused(home(kSeed));
  CHECK(boot.machine.next_timer() == kNever);
  boot.live(kWantedLive - 1);
  CHECK(boot.advance(after(boot.now, 1s)));
}

TEST_CASE("bootstrap: news makes a long wait start over") {
  Booting boot({home(kSeed)});
  boot.dials_until(at(5h));
  boot.machine.on_network_changed(boot.turn());
  CHECK(boot.machine.next_timer() <= after(boot.now, 1s));

  Booting other({home(kSeed)});
  other.dials_until(at(5h));
  other.machine.on_demand(other.turn());
  CHECK(other.machine.next_timer() <= after(other.now, 1s));
}

TEST_CASE("bootstrap: when the last live peer leaves, places long out of reach are tried at once") {
  Booting boot({home(kSeed)});
  boot.live(1);
  boot.dials_until(at(5h));
  boot.live(0);
  CHECK(boot.machine.next_timer() <= after(boot.now, 1s));
}

TEST_CASE("bootstrap: who worked is saved, and dialed after a restart once seeds had a second") {
  Booting before({});
  before.machine.on_connected(peer(kOther));
  before.machine.on_worked(before.turn(), peer(kOther), listens_at(kOther));
  before.drain();
  REQUIRE(before.stored.size() == 1);
  const Row row = std::get<Save>(before.stored[0]).row;
  CHECK(row.kind == Kind::pool);

  Booting boot({home(kSeed)});
  boot.drain();
  boot.machine.on_pool(boot.turn(), {row});
  boot.drain();
  CHECK(boot.dialed == std::vector{home(kSeed)});
  CHECK(boot.advance(at(2s)));
  CHECK(boot.dialed.back() == home(kOther).with_peer(peer(kOther)));
}

TEST_CASE("bootstrap: a full pool of strangers displaces no seed and is bounded") {
  Booting boot({home(kSeed)});
  for (std::uint32_t i = 100; i < 200; ++i) {
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), listens_at(i));
    boot.lost(i);
  }
  boot.live(1);
  boot.live(0);
  std::set<Multiaddr> tried;
  const Time end = after(boot.now, 1min);
  for (boot.drain(); !boot.dialed.empty() || boot.advance(end);)
    for (const Multiaddr& addr : std::exchange(boot.dialed, {})) {
      tried.insert(addr);
      boot.refused(addr);
    }
  CHECK(tried.contains(home(kSeed)));
  CHECK(tried.size() == kMostPool + 1);
}

TEST_CASE("bootstrap: a pool is hope until it has failed; a seed always is") {
  Booting boot({});
  boot.machine.on_pool(boot.turn(), pool_of(kOther));
  CHECK(boot.machine.hopeful());
  CHECK(boot.advance(at(2s)));
  boot.refused(boot.dialed.back());
  CHECK_FALSE(boot.machine.hopeful());
  CHECK(boot.state() == Bootstrap::isolated);
}

TEST_CASE("bootstrap: rubbish in the pool's rows is passed over") {
  Booting boot({});
  Row nameless, placeless, ours = pool_of(kSelf).front();
  nameless.key = {1, 2, 3};
  placeless.key = to_bytes(peer(kOther).bytes());
  boot.machine.on_pool(boot.turn(), {nameless, placeless, ours});
  CHECK(boot.state() == Bootstrap::no_seeds);
}

TEST_CASE("bootstrap: a seed that is connected but serves nothing is told of") {
  Booting boot({home(kSeed)});
  boot.drain();
  boot.connected(kSeed, home(kSeed));
  boot.machine.on_unfit(boot.turn(), peer(kSeed), "identify does not list kad");
  CHECK(boot.state() == Bootstrap::isolated);
  CHECK(boot.machine.status().last_failure.ends_with("identify does not list kad"));
}

}  // namespace kadmesh
