// Clocks that come past the numbers at which somebody's clock wraps.
#include "scene.h"

namespace kadmesh {
namespace {

constexpr World::Index kNodes = 5;

Now mono_at(Time mono) { return {mono, WorldConfig{}.start.wall}; }
Now wall_at(WallTime wall) { return {WorldConfig{}.start.mono, wall}; }

struct Wrap {
  std::string what;
  Now at;
};

// Of counters in the units and widths that programs keep time in.
const std::vector<Wrap>& wraps() {
  static const std::vector<Wrap> all = {
      {"mono: 2^31 ns", mono_at(Time(31s))},  // 30 s before it there is no time
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
  std::size_t taken_by(Index who, OpId put) const {
    REQUIRE(succeeded(who, put));
    return std::get<PutReport>(std::get<KadReport>(*result(who, put)->result)).acknowledged;
  }
  std::size_t copies(Index who, OpId get) const {
    REQUIRE(succeeded(who, get));
    return std::get<GetReport>(std::get<KadReport>(*result(who, get)->result)).copies;
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
    CHECK(w.taken_by(0, put) == kNodes - 1);

    REQUIRE(w.publish(0, "news", "past it"));
    const OpId past = w.get(kNodes - 1, "/v/before");
    w.run_to(5s);
    REQUIRE(w.publish(0, "news", "after it"));
    const OpId after = w.get(kNodes - 1, "/v/before");
    const OpId anew = w.put(1, "/v/after", "value");
    w.run_to(60s);
    for (World::Index i = 1; i < kNodes; ++i) CHECK(w.all_heard(i) == "past itafter it");
    for (const OpId op : {past, after}) CHECK(w.copies(kNodes - 1, op) == kNodes - 1);
    CHECK(w.taken_by(1, anew) == kNodes - 1);
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
    const Time start = w.now().mono;
    const OpId op = w.get(0, "/v/nobody");
    w.run_for(11s);
    CHECK(w.ended_at(0, op) - start == kDefaultDeadline);
    CHECK(w.result(0, op)->result.error().code == Errc::timeout);
  }
}

}  // namespace kadmesh
