#include "kad/quality.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

// Asks peers, and has the answers that a test wants.
struct Asked {
  // Somebody else answers all the time, so that silence is not our own network's.
  void somebody_answers() { qualities.answered(peer(99), 10ms, now += 1ms); }
  void answers(std::uint32_t who, Duration took = 50ms, int times = 1) {
    for (; times > 0; --times) qualities.answered(peer(who), took, now += took);
  }
  void is_silent(std::uint32_t who, int times = 1) {
    for (; times > 0; --times) {
      const Time asked = now;
      somebody_answers();
      qualities.silent(peer(who), asked, now += 1s);
    }
  }
  void lies(std::uint32_t who, int times) {
    for (; times > 0; --times) qualities.lied(peer(who), now += 1s);
  }
  Quality of(std::uint32_t who) const { return qualities.of(peer(who), now); }
  std::uint32_t worth(std::uint32_t who) const { return of(who).worth(); }
  std::vector<StoreRequest> saved() {
    std::vector<StoreRequest> requests;
    qualities.save_all();
    while (auto request = qualities.poll(turn())) requests.push_back(*std::move(request));
    return requests;
  }
  Turn turn() { return {{now, WallTime(std::chrono::hours(1000)) + now.time_since_epoch()}, rng}; }

  Qualities qualities;
  Rng rng{1};
  Time now{};
};

constexpr std::uint32_t kGood = 1, kBad = 2, kStranger = 3;

}  // namespace

TEST_CASE("quality: who answers is worth more than a stranger, who is silent less") {
  Asked ask;
  ask.answers(kGood, 50ms, 5);
  ask.is_silent(kBad, 5);
  CHECK(ask.worth(kGood) > ask.worth(kStranger));
  CHECK(ask.worth(kStranger) > ask.worth(kBad));
}

TEST_CASE("quality: of two who always answer the quicker is worth more, and who is there more") {
  Asked ask;
  ask.answers(1, 20ms, 10);
  ask.answers(2, 800ms, 10);
  CHECK(ask.worth(1) > ask.worth(2));
  ask.answers(3, 20ms, 10);
  const Time asked = ask.now;
  ask.somebody_answers();
  ask.qualities.absent(peer(3), asked, ask.now);
  CHECK(ask.worth(1) > ask.worth(3));
}

TEST_CASE("quality: whatever becomes of it, it is never above all or banned for absence alone") {
  Asked ask;
  ask.answers(1, 1ns, 1000);
  CHECK(ask.worth(1) <= Quality::kAll);
  CHECK(ask.worth(1) > Quality::kAll * 9 / 10);
  for (int i = 0; i < 1000; ++i) {
    const Time asked = ask.now;
    ask.somebody_answers();
    ask.qualities.absent(peer(2), asked, ask.now);
  }
  CHECK_FALSE(ask.of(2).banned());
}

TEST_CASE("quality: a dozen failures ban a stranger, a few do not; the first answer ends it") {
  Asked ask;
  ask.is_silent(kBad, 8);
  CHECK_FALSE(ask.of(kBad).banned());
  ask.is_silent(kBad, 4);
  CHECK(ask.of(kBad).banned());
  ask.answers(kBad);
  CHECK_FALSE(ask.of(kBad).banned());
}

TEST_CASE("quality: three lies ban whoever tells them, however often it answers") {
  Asked ask;
  ask.answers(kBad, 50ms, 100);
  ask.lies(kBad, 2);
  CHECK_FALSE(ask.of(kBad).banned());
  ask.lies(kBad, 1);
  CHECK(ask.of(kBad).banned());
}

TEST_CASE("quality: good names and bad fade to a stranger's") {
  Asked ask;
  ask.answers(kGood, 50ms, 50);
  ask.is_silent(kBad, 20);
  CHECK(ask.of(kBad).banned());
  ask.now += kHalfLife;
  CHECK_FALSE(ask.of(kBad).banned());
  CHECK(ask.worth(kGood) > ask.worth(kBad));
  ask.now += 24h;
  CHECK(ask.of(kGood).success == Quality().success);
  CHECK(ask.of(kBad).success == Quality().success);
  CHECK(ask.of(kBad).validity == Quality().validity);
}

TEST_CASE("quality: what was long ago weighs nothing when something happens") {
  Asked ask;
  ask.is_silent(kBad, 20);
  ask.now += 24h;
  ask.is_silent(kBad);
  ask.is_silent(kStranger);
  CHECK(ask.of(kBad).success == ask.of(kStranger).success);
}

TEST_CASE("quality: while nobody answers, nobody is worth less for it") {
  Asked ask;
  const Time asked = ask.now += 1s;
  for (int i = 0; i < 20; ++i) ask.qualities.silent(peer(kBad), asked, ask.now += 1s);
  CHECK(ask.of(kBad) == Quality());
  ask.somebody_answers();
  ask.qualities.silent(peer(kBad), asked, ask.now);
  CHECK(ask.of(kBad).success < Quality().success);
}

TEST_CASE("quality: it survives a restart, less what has faded meanwhile") {
  Asked before;
  before.answers(kGood, 50ms, 20);
  before.answers(kStranger);  // once is no name
  const auto requests = before.saved();
  REQUIRE(requests.size() == 1);
  const Row row = std::get<Save>(requests[0]).row;
  CHECK(row.kind == Kind::quality);
  CHECK(before.saved().empty());

  Asked after_it;
  after_it.now = before.now;
  after_it.qualities.on_rows(after_it.turn(), {row});
  CHECK(after_it.of(kGood) == before.of(kGood));
  Asked late;
  late.now = before.now + kHalfLife;
  late.qualities.on_rows(late.turn(), {row});
  CHECK(late.of(kGood) == before.of(kGood).faded(kHalfLife));
}

TEST_CASE("quality: rows that are rubbish, or of the future, do no harm") {
  Asked ask;
  Row row = to_row(peer(kGood), {Quality::kAll, Quality::kAll, Quality::kAll, 1ms, 9}, {});
  const Bytes whole = row.value;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    row.value.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(to_quality(row));
  }
  row.value = {0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0};
  CHECK(to_quality(row)->worth() <= Quality::kAll);
  row.value = whole;
  row.received = ask.turn().now.wall + 1000h;
  ask.qualities.on_rows(ask.turn(), {row});
  CHECK(ask.of(kGood).success == Quality::kAll);
}

TEST_CASE("quality: it is bounded, and who is forgotten is forgotten on disk") {
  Asked ask;
  for (std::uint32_t who = 1; who <= Qualities::kMost + 1; ++who) ask.answers(who, 1ms, 3);
  CHECK(ask.qualities.size() == Qualities::kMost);
  const auto requests = ask.saved();
  CHECK(requests.size() == Qualities::kMost + 1);
  CHECK(std::get<Erase>(requests[0]).key == to_bytes(peer(1).bytes()));
}

}  // namespace kadmesh
