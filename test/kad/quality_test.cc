#include "kad/quality.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "asking.h"
#include "kad/params.h"

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
  const auto most = static_cast<std::uint32_t>(Qualities::kMost);
  for (std::uint32_t who = 1; who <= most + 1; ++who) ask.answers(who, 1ms, 3);
  CHECK(ask.qualities.size() == most);
  CHECK(ask.of(1) == Quality());
  CHECK(ask.saved().size() == most);  // and nothing of who was never saved
  for (std::uint32_t who = 2; who <= most + 1; ++who) ask.answers(who);
  ask.answers(1, 1ms, 3);
  const auto requests = ask.saved();
  REQUIRE_FALSE(requests.empty());
  CHECK(std::get<Erase>(requests[0]).key == to_bytes(peer(2).bytes()));
}

TEST_CASE("quality: whoever was asked since the start is displaced by nobody of before") {
  Asked ask;
  const auto most = static_cast<std::uint32_t>(Qualities::kMost);
  for (std::uint32_t who = 1; who <= most; ++who) ask.answers(who);
  ask.qualities.on_rows(ask.turn(), {to_row(peer(most + 1), {}, ask.turn().now.wall)});
  CHECK(ask.of(1).samples == 1);
}

TEST_CASE("quality: who lied is not believed for an answer, only with time") {
  Asked ask;
  ask.lies(kBad, 3);
  ask.answers(kBad, 50ms, 10);
  CHECK(ask.of(kBad).banned());
  ask.now += kHalfLife;
  CHECK_FALSE(ask.of(kBad).banned());
}

TEST_CASE("quality: what something happens to all the time fades all the same") {
  Asked ask;
  ask.lies(kBad, 3);
  for (int i = 0; i < 9; ++i) {
    ask.now += 20min;
    ask.answers(kBad, 1ms);
  }
  CHECK(ask.of(kBad).validity > Quality::kAll * 9 / 10);
}

// --- as walks measure and use it
namespace {

constexpr auto kAll = Quality::kAll;

// A walk among people, the others of whom have answered since it began.
struct Walking : testing::Asking {
  explicit Walking(std::uint32_t people = 3) : Asking(people) { knows_the_network(); }
  Quality of(std::uint32_t who) const { return qualities.of(peer(who), now); }
  const KadRequest& to(std::uint32_t who) const {
    const auto at = std::ranges::find_if(
        requests, [&](const KadRequest& request) { return request.to.peer == peer(who); });
    REQUIRE(at != requests.end());
    return *at;
  }
  bool asks(std::uint32_t who) const {
    return std::ranges::any_of(
        requests, [&](const KadRequest& request) { return request.to.peer == peer(who); });
  }
};

}  // namespace

TEST_CASE("quality: a walk counts who answers, who hangs up and who is silent") {
  Walking walk;
  walk.get();
  const KadRequest silent = walk.to(1), hangs_up = walk.to(2);
  walk.now += 10ms;
  walk.reply(walk.to(3), kNothing);
  CHECK(walk.of(3).success > Quality().success);
  CHECK(walk.of(3).latency == 10ms);
  walk.queries.on_failed(walk.turn(), hangs_up.id, {Errc::reset, "hung up"});
  CHECK(walk.of(2).success < Quality().success);
  walk.now = silent.deadline;
  walk.queries.on_failed(walk.turn(), silent.id, {Errc::timeout, "silent"});
  CHECK(walk.of(1).success < Quality().success);
  CHECK(walk.of(1).validity == kAll);
}

TEST_CASE("quality: an answer of another kind is a lie, one that is too long is none") {
  Walking walk;
  walk.get();
  walk.reply(walk.to(1), {KadType::find_node, {}, {}, {}, {}});
  CHECK(walk.of(1).validity == kAll / 2);
  walk.queries.on_reply(walk.turn(), walk.to(2).id, Bytes(kMostReply + 1));
  CHECK(walk.of(2).validity == kAll);
}

TEST_CASE("quality: without it nothing is counted") {
  Walking walk;
  walk.config.quality = false;
  walk.get();
  walk.reply(walk.to(1), {KadType::find_node, {}, {}, {}, {}});
  walk.reply(walk.to(2), kNothing);
  CHECK(walk.qualities.size() == 0);
}

TEST_CASE("quality: who is banned is not asked, were it not for most of those who are near") {
  Walking walk(20);
  for (int lie = 0; lie < 3; ++lie) walk.qualities.lied(peer(7), walk.now);
  walk.get();
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(walk.asks(7));
    walk.answer_all(kNothing);
  }
  CHECK(walk.ended.size() == 1);

  Walking all(20);
  for (std::uint32_t who = 1; who <= 20; ++who)
    for (int lie = 0; lie < 3; ++lie) all.qualities.lied(peer(who), all.now);
  std::size_t asked = 0;
  all.get();
  for (int round = 0; round < 3; ++round) {
    asked += all.requests.size();
    all.answer_all(kNothing);
  }
  CHECK(asked == 20 - all.config.k / 3);
}

}  // namespace kadmesh
