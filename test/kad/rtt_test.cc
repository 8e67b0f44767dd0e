#include "kad/rtt.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr RttBounds kWide{1ms, 1h};
constexpr Duration kMost = 5s;

Rtt path() { return Rtt(Rtt::kPath); }

// One node's measurements, by virtual time.
struct Measured {
  Rtts rtts{kMost};
  Time now = at(1h);

  void answers(std::uint32_t who, Duration took, Reach reach = Reach::warm) {
    rtts.answered(peer(who), reach, now, now + took);
    now += took;
  }
  void misses(std::uint32_t who, Reach reach = Reach::warm) {
    const Time asked = now;
    now += rtts.timeout(peer(who), reach);
    rtts.missed(peer(who), reach, asked, now);
  }
  // So many others, all at the same distance.
  void crowd(Duration took, std::uint32_t from = 1000, Reach reach = Reach::warm) {
    for (std::uint32_t i = 0; i < 20; ++i) answers(from + i, took, reach);
  }
};

}  // namespace

TEST_CASE("rtt: the sequence of RFC 6298, to the nanosecond") {
  Rtt rtt = path();
  const auto after_sample = [&](Duration took) {
    rtt.sample(took);
    return std::tuple(rtt.mean(), rtt.deviation(), rtt.timeout(kWide));
  };
  // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR.
  CHECK(after_sample(800ms) == std::tuple(800ms, 400ms, 2400ms));
  // RTTVAR first, against the SRTT of before: 400 - 400/4; then SRTT: 800.
  CHECK(after_sample(800ms) == std::tuple(800ms, 300ms, 2000ms));
  // 300 + (640 - 300)/4 = 385; 800 - 640/8 = 720.
  CHECK(after_sample(160ms) == std::tuple(720ms, 385ms, 2260ms));
  // 385 + (720 - 385)/4 = 468.75; 720 + 720/8 = 810.
  CHECK(after_sample(1440ms) == std::tuple(810ms, 468'750us, 2685ms));
  CHECK(rtt.samples() == 4);
}

TEST_CASE("rtt: each miss doubles the timeout up to the most, and a sample undoes it") {
  Rtt rtt = path();
  rtt.sample(100ms);
  rtt.sample(100ms);
  constexpr RttBounds kBounds{500ms, 5s};
  CHECK(rtt.timeout(kBounds) == 500ms);
  for (const Duration expected : {1s, 2s, 4s, 5s, 5s}) {
    rtt.missed();
    CHECK(rtt.timeout(kBounds) == expected);
  }
  for (int i = 0; i < 1000; ++i) rtt.missed();
  CHECK(rtt.timeout({1ms, Duration::max()}) > 1h);  // no overflow
  rtt.sample(100ms);
  CHECK(rtt.timeout(kBounds) == 500ms);
}

TEST_CASE("rtt: however steady a path is, a breath is left above its mean") {
  Rtt rtt = path();
  for (int i = 0; i < 100; ++i) rtt.sample(2s);
  CHECK(rtt.mean() == 2s);
  CHECK(rtt.deviation() < 1us);
  CHECK(rtt.timeout({500ms, 5s}) == 2s + kBreath);
}

TEST_CASE("rtt: times out of this world are cut to what can be reckoned with") {
  Rtt rtt = path();
  rtt.sample(Duration::max());
  rtt.sample(Duration::min());
  CHECK(rtt.timeout({500ms, 5s}) == 5s);
  CHECK(rtt.mean() < kMostSample);
  CHECK(rtt.mean() > 0s);
}

TEST_CASE("rtt: a crowd's first answers weigh the same, whichever came first") {
  Rtt up(Rtt::kCrowd), down(Rtt::kCrowd);
  for (int i = 1; i <= 8; ++i) {
    up.sample(i * 100ms);
    down.sample((9 - i) * 100ms);
  }
  CHECK(up.mean() > 449ms);
  CHECK(up.mean() <= 450ms);
  CHECK(down.mean() - up.mean() < 1us);
}

TEST_CASE("rtts: before enough has answered everybody is given the most") {
  Measured m;
  CHECK(m.rtts.timeout(peer(1), Reach::warm) == kMost);
  CHECK(m.rtts.timeout(peer(1), Reach::cold) == kMost);
  for (std::uint32_t i = 1; i < kLeastSamples; ++i) m.answers(i, 10ms);
  CHECK(m.rtts.timeout(peer(99), Reach::warm) == kMost);
  CHECK(m.rtts.timeout(peer(1), Reach::warm) == kLeastTimeout);  // of this one something is known
  m.answers(50, 10ms);
  CHECK(m.rtts.timeout(peer(99), Reach::warm) == kLeastTimeout);
}

TEST_CASE("rtts: who must be dialed first is given four times as long") {
  Measured m;
  m.crowd(10ms);
  CHECK(m.rtts.timeout(peer(1), Reach::cold) == kColdTrips * kLeastTimeout);
  m.crowd(700ms, 2000, Reach::cold);
  CHECK(m.rtts.crowd(Reach::cold).samples() == 20);
  CHECK(m.rtts.crowd(Reach::warm).samples() == 20);
  CHECK(m.rtts.timeout(peer(1), Reach::cold) == kColdTrips * kLeastTimeout);
  m.crowd(3s, 3000, Reach::cold);
  CHECK(m.rtts.timeout(peer(1), Reach::cold) == kMost);
  // A slow one by what it took itself: 1 s and four deviations of half of that are 3 s.
  Measured slow;
  slow.crowd(10ms);
  slow.answers(1, 300ms);
  CHECK(slow.rtts.timeout(peer(1), Reach::warm) == 900ms);
  CHECK(slow.rtts.timeout(peer(1), Reach::cold) == 3600ms);
}

TEST_CASE("rtts: a network of all distances waits for its farthest peers") {
  Measured m;
  // As walks bring them: the near ones first.
  for (int walk = 0; walk < 10; ++walk)
    for (std::uint32_t i = 0; i < 20; ++i) {
      m.answers(100 * static_cast<std::uint32_t>(walk) + i, 10ms + i * 40ms);
      if (walk > 0) CHECK(m.rtts.timeout(peer(99'999), Reach::warm) > 770ms);
    }
  CHECK(m.rtts.timeout(peer(99'999), Reach::warm) < 2s);
}

TEST_CASE("rtts: one peer's silence is its own, everybody's is the network's") {
  Measured m;
  m.crowd(10ms);
  const Time asked = m.now;
  m.answers(1001, 10ms);  // somebody is there
  m.now = asked + 500ms;
  m.rtts.missed(peer(1), Reach::warm, asked, m.now);
  CHECK(m.rtts.timeout(peer(1), Reach::warm) == 1s);
  CHECK(m.rtts.timeout(peer(2), Reach::warm) == 500ms);
  // Ten that were asked at once, and no word from anybody: one miss of the network.
  const Time again = m.now;
  m.now += 500ms;
  for (std::uint32_t i = 10; i < 20; ++i) m.rtts.missed(peer(i), Reach::warm, again, m.now);
  CHECK(m.rtts.timeout(peer(2), Reach::warm) == 1s);
  m.misses(20);
  CHECK(m.rtts.timeout(peer(2), Reach::warm) == 2s);
  m.answers(1001, 900ms);
  CHECK(m.rtts.timeout(peer(2), Reach::warm) == 500ms);
}

TEST_CASE("rtts: who is slow and was never heard is given more each time, and then is heard") {
  Measured m;
  m.crowd(10ms);
  m.misses(1);
  m.answers(1000, 10ms);
  CHECK(m.rtts.timeout(peer(1), Reach::warm) == 1s);
  CHECK(m.rtts.of(peer(1)) == nullptr);
  m.answers(1, 900ms);
  REQUIRE(m.rtts.of(peer(1)) != nullptr);
  CHECK(m.rtts.timeout(peer(1), Reach::warm) == 2700ms);
  CHECK(m.rtts.timeout(peer(2), Reach::warm) == 500ms);
}

TEST_CASE("rtts: of so many peers, who was touched longest ago is forgotten") {
  Measured m;
  for (std::uint32_t i = 0; i < kMostTimed; ++i) m.answers(i, 10ms);
  m.answers(0, 10ms);
  m.answers(1'000'000, 10ms);
  CHECK(m.rtts.measured() == kMostTimed);
  CHECK(m.rtts.of(peer(0)) != nullptr);
  CHECK(m.rtts.of(peer(1)) == nullptr);
  CHECK(m.rtts.of(peer(2)) != nullptr);
}

TEST_CASE("rtts: a user's most is the most, also below the usual least") {
  Rtts rtts(100ms);
  CHECK(rtts.timeout(peer(1), Reach::warm) == 100ms);
  rtts.answered(peer(1), Reach::warm, at(0s), at(80ms));
  CHECK(rtts.timeout(peer(1), Reach::warm) == 100ms);
  CHECK(rtts.timeout(peer(1), Reach::cold) == 100ms);
}

}  // namespace kadmesh
