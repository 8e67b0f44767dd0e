// Time itself: clocks that come past every number at which somebody's clock wraps, and a year.
#include "scene.h"

namespace kadmesh {
namespace {

constexpr World::Index kNodes = 5;

Now mono_at(Time mono) { return {mono, WorldConfig{}.start.wall}; }
Now wall_at(WallTime wall) { return {WorldConfig{}.start.mono, wall}; }

struct Wrap {
  const char* what;
  Now at;
};

// Of counters in the units and widths that programs keep time in.
const std::vector<Wrap>& wraps() {
  static const std::vector<Wrap> all = {
      {"mono: 2^31 us", mono_at(Time(std::chrono::microseconds(1LL << 31)))},
      {"mono: 2^32 us", mono_at(Time(std::chrono::microseconds(1LL << 32)))},
      {"mono: 2^31 ms", mono_at(Time(std::chrono::milliseconds(1LL << 31)))},
      {"mono: 2^32 ms", mono_at(Time(std::chrono::milliseconds(1LL << 32)))},
      {"mono: 2^31 s", mono_at(Time(std::chrono::seconds(1LL << 31)))},
      {"mono: 2^32 s", mono_at(Time(std::chrono::seconds(1LL << 32)))},
      {"mono: 2^53 ns", mono_at(Time(std::chrono::nanoseconds(1LL << 53)))},
      {"mono: 2^62 ns", mono_at(Time(std::chrono::nanoseconds(1LL << 62)))},
      {"wall: the epoch", wall_at(WallTime(0s))},
      {"wall: 2^31 s, January 2038", wall_at(WallTime(std::chrono::seconds(1LL << 31)))},
      {"wall: 2^32 s, February 2106", wall_at(WallTime(std::chrono::seconds(1LL << 32)))},
  };
  return all;
}

WorldConfig beginning(Now start) {
  WorldConfig config;
  config.start = start;
  return config;
}

// Half a minute before that moment.
struct Before : Scene {
  explicit Before(Now then)
      : Scene(beginning({then.mono - 30s, then.wall - 30s})), moment(then.mono) {
    Scene::nodes(kNodes);
    subscribe_all("news");
    run_for(10s);
  }
  void run_to(Duration from_then) { run_for(moment + from_then - now().mono); }
  // How long it took a node to give up what nobody answers.
  Duration gives_up(Index who) {
    const Time start = now().mono;
    const OpId op = get(who, "/v/nobody");
    run_for(11s);
    return ended_at(who, op) - start;
  }

  Time moment;
};

}  // namespace

TEST_CASE("clocks: whatever a clock comes past, messages and values arrive") {
  for (const Wrap& wrap : wraps()) {
    CAPTURE(wrap.what);
    Before w(wrap.at);
    CHECK(w.all([&](World::Index i) { return w.peers(i) == kNodes - 1; }));
    const OpId put = w.put(0, "/v/before", "value");
    w.run_to(-20ms);
    CHECK(w.succeeded(0, put));

    REQUIRE(w.publish(0, "news", "past it"));
    w.run_to(5s);
    const OpId get = w.get(kNodes - 1, "/v/before");
    REQUIRE(w.publish(1, "news", "after it"));
    w.run_to(60s);
    for (World::Index i = 2; i < kNodes; ++i) CHECK(w.all_heard(i) == "past itafter it");
    CHECK(w.got(kNodes - 1, get) == "value");
    CHECK(w.all([&](World::Index i) { return w.peers(i) == kNodes - 1; }));
    CHECK(w.quiesce().empty());
  }
}

TEST_CASE("clocks: a deadline beyond the number is kept") {
  for (const Wrap& wrap : wraps()) {
    CAPTURE(wrap.what);
    Before w(wrap.at);
    w.run_to(-4s);
    for (World::Index i = 1; i < kNodes; ++i) w.freeze(i);
    CHECK(w.gives_up(0) == kDefaultDeadline);
  }
}

TEST_CASE("clocks: a year of ten nodes, and every day is like the first" * doctest::skip()) {
  WorldConfig config;
  config.keep_reports = false;
  config.check_every = 1024;
  Scene w(config);
  std::size_t left = 0, heard = 0;
  w.on_report([&](World::Index, const Report& report) {
    left += std::holds_alternative<PeerDisconnected>(report) ? 1U : 0U;
    heard += std::holds_alternative<MessageDelivered>(report) ? 1U : 0U;
  });
  w.nodes(10);
  w.subscribe_all("news");
  w.run_for(60s);
  std::uint64_t usual = 0;
  // A tenth of a year: ten nodes live a year together.
  for (std::size_t day = 1; day <= 36; ++day) {
    const std::uint64_t before = w.turns();
    REQUIRE(w.publish(day % 10, "news", "of day " + std::to_string(day)));
    w.run_for(24h);
    const std::uint64_t turns = w.turns() - before;
    if (day == 2) usual = turns;
    CAPTURE(day);
    CHECK(heard == day * 9);
    if (day > 2) CHECK(turns < usual + usual / 20);
    if (day > 2) CHECK(turns > usual - usual / 20);
  }
  CHECK(left == 0);
  CHECK(w.quiesce().empty());
}

}  // namespace kadmesh
