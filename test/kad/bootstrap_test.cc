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
  std::vector<PeerId> explored;

  explicit Booting(std::vector<Multiaddr> seeds, std::uint64_t seed = 1)
      : rng(seed), machine(peer(kSelf), seeds, turn()) {}

  Turn turn() { return {{now, WallTime(100h)}, rng}; }
  void drain() {
    while (auto next = machine.poll(turn())) {
      if (auto* dial = std::get_if<KadDial>(&*next))
        dialed.push_back(dial->seed);
      else if (auto* request = std::get_if<StoreRequest>(&*next))
        stored.push_back(std::move(*request));
      else
        explored.push_back(std::get<BootstrapMachine::Explore>(*next).through);
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

TEST_CASE("bootstrap: with enough live peers nobody is dialed but to merge") {
  Booting boot({home(kSeed)});
  boot.drain();
  boot.live(kWantedLive);
  boot.refused(home(kSeed));
  CHECK(boot.machine.next_timer() > at(5min));
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
  CHECK(row.expires == row.received + kPoolTtl);

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

// --- merging
namespace {

// Enough peers are live; one place is out of reach, and whoever else is said.
struct Joined : Booting {
  explicit Joined(std::vector<Multiaddr> seeds) : Booting(std::move(seeds)) {
    drain();
    for (const Multiaddr& seed : std::exchange(dialed, {})) refused(seed);
    live(kWantedLive);
  }
};

}  // namespace

TEST_CASE("merge: each interval one place out of reach is dialed, in turn") {
  Joined boot({home(1), home(2), home(3).with_peer(peer(3))});
  boot.machine.on_connected(peer(3));
  std::vector<std::pair<Time, Multiaddr>> dials;
  for (const Time end = at(2h); boot.advance(end);)
    for (const Multiaddr& addr : std::exchange(boot.dialed, {})) {
      dials.emplace_back(boot.now, addr);
      boot.refused(addr);
    }
  REQUIRE(dials.size() >= 12);
  REQUIRE(dials.size() <= 24);
  for (std::size_t i = 1; i < dials.size(); ++i) {
    const Duration gap = dials[i].first - dials[i - 1].first;
    CHECK(gap > 5min);
    CHECK(gap <= 10min);
    CHECK(dials[i].second == (dials[i - 1].second == home(1) ? home(2) : home(1)));
  }
}

TEST_CASE("merge: who is reached so is explored from, who is reached for want of peers is not") {
  Joined boot({home(kSeed)});
  CHECK(boot.advance(at(10min)));
  REQUIRE(boot.dialed.size() == 1);
  boot.connected(kSeed, boot.dialed.back());
  CHECK(boot.explored == std::vector{peer(kSeed)});
  boot.lost(kSeed);
  boot.live(1);
  CHECK(boot.advance(after(boot.now, 2s)));
  boot.connected(kSeed, boot.dialed.back());
  CHECK(boot.explored.size() == 1);
}

TEST_CASE("merge: a change of network merges at once") {
  Joined boot({home(kSeed)});
  boot.now = at(1min);
  boot.machine.on_network_changed(boot.turn());
  CHECK(boot.machine.next_timer() <= at(1min + 1s));
}

TEST_CASE("merge: with everybody connected, or nobody known, there is nothing to do") {
  Joined boot({home(kSeed).with_peer(peer(kSeed))});
  boot.machine.on_connected(peer(kSeed));
  CHECK(boot.dials_until(at(1h)).empty());
  Joined nobody({});
  CHECK(nobody.machine.next_timer() == kNever);
}

// --- the pool
namespace {

Row row_of(const StoreRequest& request) { return std::get<Save>(request).row; }

}  // namespace

TEST_CASE("pool: a public network has two places, a private one as many as there are") {
  Booting boot({});
  for (std::uint32_t i = 1; i <= 5; ++i) {
    const std::vector addrs{Dialable(tcp(0x05050500 + i), Source::identify)};
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), addrs);
  }
  boot.drain();
  CHECK(boot.stored.size() == kMostPoolOfSubnet);
  for (std::uint32_t i = 11; i <= 15; ++i) {
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), listens_at(i));
  }
  boot.drain();
  CHECK(boot.stored.size() == kMostPoolOfSubnet + 5);
}

TEST_CASE("pool: who comes from one network has its two places, whatever addresses it names") {
  Booting boot({});
  const auto seen_in = public_subnet(tcp(0x05050501));
  for (std::uint32_t i = 1; i <= 5; ++i) {
    const std::vector addrs{Dialable(tcp(0x06060600 + (i << 16)), Source::identify)};
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), addrs, seen_in);
  }
  boot.drain();
  CHECK(boot.stored.size() == kMostPoolOfSubnet);
}

TEST_CASE("pool: who works now does not displace all who are out of reach") {
  Booting boot({});
  for (std::uint32_t i = 100; i < 200; ++i) {
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), listens_at(i));
    if (i < 100 + kMostPool) boot.lost(i);
  }
  boot.drain();
  std::set<Bytes> kept;
  for (const StoreRequest& request : boot.stored)
    if (const auto* erase = std::get_if<Erase>(&request))
      kept.erase(erase->key);
    else
      kept.insert(row_of(request).key);
  std::size_t lost = 0;
  for (std::uint32_t i = 100; i < 100 + kMostPool; ++i)
    lost += kept.contains(to_bytes(peer(i).bytes()));
  CHECK(kept.size() == kMostPool);
  CHECK(lost == kLostPlaces);
}

TEST_CASE("pool: failures are kept and add up, and who failed too often leaves") {
  Joined boot({});
  boot.machine.on_pool(boot.turn(), pool_of(kOther));
  for (std::uint32_t failures = 1; failures <= kMostPoolFailures; ++failures) {
    REQUIRE(boot.advance(after(boot.now, 10min)));
    REQUIRE(boot.dialed.size() == 1);
    boot.refused(std::exchange(boot.dialed, {}).front());
    REQUIRE_FALSE(boot.stored.empty());
    if (failures == kMostPoolFailures) break;
    const auto kept = to_pool_row(row_of(boot.stored.back()));
    REQUIRE(kept);
    CHECK(kept->failures == failures);
  }
  CHECK(std::get<Erase>(boot.stored.back()).key == to_bytes(peer(kOther).bytes()));
  CHECK(boot.dials_until(after(boot.now, 1h)).empty());
}

TEST_CASE("pool: what fails while nobody can be reached is not the peer's failure") {
  Booting boot({});
  boot.machine.on_pool(boot.turn(), pool_of(kOther));
  CHECK(boot.dials_until(at(10h)).size() > kMostPoolFailures);
  CHECK(boot.stored.empty());
}

TEST_CASE("pool: of those out of reach the one least likely to answer gives way") {
  Booting boot({});
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < kMostPool; ++i)
    rows.push_back(to_row({peer(100 + i), {home(100 + i)}, i == 7 ? 6u : 0u, WallTime(99h)}));
  rows[20].received = WallTime(50h);   // 50 h ago; the seventh 1 h, times 2^6
  rows[3].received = WallTime::min();  // rubbish, and as old as can be
  boot.machine.on_pool(boot.turn(), rows);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    boot.machine.on_connected(peer(i));
    boot.machine.on_worked(boot.turn(), peer(i), listens_at(i));
  }
  boot.drain();
  std::vector<Bytes> erased;
  for (const StoreRequest& request : boot.stored)
    if (const auto* erase = std::get_if<Erase>(&request)) erased.push_back(erase->key);
  CHECK(erased == std::vector{rows[3].key, rows[7].key, rows[20].key});
}

TEST_CASE("pool: a row of before failures were counted is read as one without") {
  const auto old = to_pool_row(pool_of(kOther).front());
  REQUIRE(old);
  CHECK(old->failures == 0);
  CHECK(old->addrs == std::vector{home(kOther)});
  const auto back = to_pool_row(to_row({peer(kOther), {home(kOther)}, 300, WallTime(5s)}));
  REQUIRE(back);
  CHECK(back->failures == kMostPoolFailures);  // no more is ever counted
  CHECK(back->served == WallTime(5s));
  Row cut = to_row({peer(kOther), {home(kOther)}, 300, WallTime(5s)});
  cut.value.resize(2);
  CHECK_FALSE(to_pool_row(cut));
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
