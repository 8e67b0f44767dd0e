#include "sim/world.h"

#include <set>

#include "scene.h"
#include "store/memory_store.h"

namespace kadmesh {
namespace {

LinkConfig rough() {
  LinkConfig link;
  link.latency = PairLatency{Lognormal{40ms, 500}};
  link.jitter = 5ms;
  link.most_segment = 1000;
  link.loss_ppm = 1000;
  return link;
}

}  // namespace

TEST_CASE("world: the same seed plays the same run, another seed another") {
  const auto play = [](std::uint64_t seed) {
    Scene w({.seed = seed, .link = rough()});
    w.nodes(10);
    w.run_for(10s);
    return std::pair(w.trace_hash(), w.turns());
  };
  CHECK(play(1) == play(1));
  CHECK(play(1).first != play(2).first);
}

TEST_CASE("world: one more draw in one node is no other's luck") {
  const auto play = [](bool one_more) {
    Scene w;
    w.nodes(3);
    w.run_for(5s);
    // Somebody whom the others do not know draws once more.
    const auto loner = w.add(w.default_config(0));
    if (one_more) w.command(loner, [](Node&, Turn t) { return t.rng.next(); });
    std::vector<std::uint64_t> others;
    w.on_turn([&](const TurnRecord& r) {
      if (r.node != loner) others.push_back(r.done);
    });
    w.run_for(60s);
    return others;
  };
  CHECK(play(false) == play(true));
}

TEST_CASE("world: who is added later changes nobody's identity or luck") {
  Scene few, many;
  few.nodes(3);
  many.nodes(9);
  for (World::Index i = 0; i < 3; ++i) {
    CHECK(few.addr(i) == many.addr(i));
    const auto draw = [&](World& w) {
      return w.command(i, [](Node&, Turn t) { return t.rng.next(); });
    };
    CHECK((draw(few) == draw(many)) == true);
  }
}

TEST_CASE("world: fifty nodes join, and what one puts another gets") {
  Scene w;
  w.nodes(50);
  w.run_for(10s);
  CHECK(w.all([&](World::Index i) { return w.joined(i); }));
  const OpId put = w.put(7, "/v/key", "value");
  w.run_for(5s);
  CHECK(w.succeeded(7, put));
  const OpId get = w.get(41, "/v/key");
  w.run_for(5s);
  CHECK(w.got(41, get) == "value");
  CHECK(w.quiesce().empty());
}

TEST_CASE("world: every turn is recorded, each once, and filtered by node and kind") {
  Scene w;
  w.nodes(2);
  std::vector<TurnRecord> all, some;
  const TurnFilter filter{{1}, {TurnKind::bytes}};
  w.on_turn([&](const TurnRecord& record) {
    all.push_back(record);
    if (filter.wants(record)) some.push_back(record);
  });
  const std::uint64_t before = w.turns();
  w.run_for(10s);
  CHECK(all.size() == w.turns() - before);
  REQUIRE_FALSE(some.empty());
  for (const TurnRecord& record : some) CHECK(record.size > 0);
  CHECK(to_text(some.front()).find(" n1 bytes c") != std::string::npos);
  CHECK(to_text(some.front()).find('\n') == std::string::npos);
}

TEST_CASE("world: reports that are not kept can be watched") {
  WorldConfig config;
  config.keep_reports = false;
  Scene w(config);
  std::size_t seen = 0;
  w.on_report([&](World::Index, const Report&) { ++seen; });
  w.nodes(2);
  w.run_for(5s);
  CHECK(seen > 4);
  CHECK(w.reports(0).empty());
}

TEST_CASE("partition: messages stay on their side, and pass again when it is healed") {
  Scene w;
  w.nodes(6);
  w.run_for(5s);
  w.subscribe_all("news");
  w.run_for(5s);
  w.partition({{0, 1, 2}});
  REQUIRE(w.publish(1, "news", "left"));
  w.run_for(20s);
  for (const World::Index i : {0u, 2u}) CHECK(w.heard(i, "left") == 1);
  for (const World::Index i : {3u, 4u, 5u}) CHECK(w.heard(i, "left") == 0);
  w.heal();
  w.run_for(2min);
  REQUIRE(w.publish(1, "news", "all"));
  w.run_for(5s);
  CHECK(w.all([&](World::Index i) { return i == 1 || w.heard(i, "all") == 1; }));
}

TEST_CASE("freeze: takes nothing in until it thaws, and then all in order") {
  Scene w;
  w.nodes(3);
  w.subscribe_all("news");
  w.run_for(5s);
  w.freeze(1);
  for (const char* words : {"a", "b", "c", "d", "e"}) {
    REQUIRE(w.publish(0, "news", words));
    w.run_for(100ms);
  }
  const std::uint64_t before = w.turns();
  std::size_t turns = 0;
  w.on_turn([&](const TurnRecord& record) { turns += record.node == 1; });
  w.run_for(3s);
  CHECK(turns == 0);
  CHECK(w.turns() > before);
  w.thaw(1);
  w.run_for(1s);
  CHECK(turns > 0);
  CHECK(w.joined(1));
  CHECK(w.all_heard(1) == "abcde");
}

TEST_CASE("slow: a turn takes its time, and what comes meanwhile waits") {
  const auto answer_time = [](Duration turn) {
    Scene w;
    w.nodes(2);
    w.run_for(5s);
    w.slow(0, {.turn = turn});
    const OpId op = w.start(
        1, [&](Node& n, Turn t, Time by) { return n.ping(t, w.node(0).identity().peer_id(), by); });
    const Time start = w.now().mono;
    w.run_for(5s);
    REQUIRE(w.succeeded(1, op));
    return w.ended_at(1, op) - start;
  };
  CHECK(answer_time(0ms) < 50ms);
  CHECK(answer_time(100ms) > 90ms);
}

TEST_CASE("slow: what is nobody's any more costs nothing") {
  Scene w;
  w.nodes(2);
  w.run_for(5s);
  for (int i = 0; i < 100; ++i) w.drift_clock(0, 0);  // each sets its timer again
  bool woken = false;
  w.on_turn([&](const TurnRecord& r) { woken |= r.node == 0 && r.kind == TurnKind::timer; });
  REQUIRE(w.run_until([&] { return woken; }, 5min));
  w.slow(0, {.turn = 100ms});
  const OpId op =
      w.start(1, [&](Node& n, Turn t, Time by) { return n.ping(t, w.peer(0), by); }, 60s);
  const Time start = w.now().mono;
  w.run_for(60s);
  REQUIRE(w.succeeded(1, op));
  CHECK(w.ended_at(1, op) - start < 5s);
}

TEST_CASE("slow: a process that is started again does not wait for what the old one was about") {
  Scene w;
  w.nodes(2);
  w.run_for(5s);
  w.slow(1, {.turn = 1h});
  w.start(0, [&](Node& n, Turn t, Time by) { return n.ping(t, w.peer(1), by); });
  w.run_for(1s);
  w.kill(1);
  w.slow(1, {.turn = 1ms});
  w.restart(1);
  CHECK(w.run_until([&] { return w.joined(1); }, 5min));
}

TEST_CASE("kill: what a slow node was to hear of its store is forgotten once") {
  Scene w({.store_latency = 10ms});
  w.nodes(2);
  w.run_for(5s);
  w.slow(1, {.turn = 50ms});
  for (int i = 0; i < 30; ++i) w.put(1, "/v/" + std::to_string(i), "value");
  std::size_t told = 0;
  w.on_turn([&](const TurnRecord& r) { told += r.node == 1 && r.kind == TurnKind::stored; });
  REQUIRE(w.run_until([&] { return told == 5; }, 1min));
  w.kill(1);
  w.restart(1);
  w.slow(1, {});
  w.run_for(10s);
  const OpId put = w.put(1, "/v/key", "value");
  w.run_for(5s);
  CHECK(w.succeeded(1, put));
}

TEST_CASE("crash: nobody is told; the machine comes back with or without what it had stored") {
  for (const StoreFate fate : {StoreFate::kept, StoreFate::lost}) {
    Scene w;
    w.nodes(2);
    w.run_for(5s);
    const OpId put = w.put(0, "/v/key", "value");
    w.run_for(5s);
    REQUIRE(w.succeeded(0, put));
    w.crash(1);
    w.run_for(1s);
    CHECK(w.joined(0));
    w.restart(1, fate);
    CHECK((w.store(1).rows() > 0) == (fate == StoreFate::kept));
    w.run_for(2min);
    CHECK(w.joined(0));
    CHECK(w.joined(1));
  }
}

TEST_CASE("stores: a factory makes them, and is told what the node finds") {
  std::vector<std::pair<std::size_t, StoreFate>> asked;
  WorldConfig config;
  config.make_store = [&](std::size_t node, StoreFate fate) {
    asked.emplace_back(node, fate);
    return std::make_unique<MemoryStore>(StoreLimits{});
  };
  Scene w(config);
  w.nodes(2);
  w.kill(1);
  w.restart(1, StoreFate::reopened);
  w.kill(1);
  w.restart(1);
  CHECK(asked ==
        decltype(asked){{0, StoreFate::lost}, {1, StoreFate::lost}, {1, StoreFate::reopened}});
}

TEST_CASE(
    "stores: an answer may be late or bad; nothing overtakes it, and it ends with the process") {
  const auto play = [](StoreTrouble trouble) {
    Scene w({.store_trouble = trouble});
    w.nodes(2);
    std::vector<std::uint64_t> told;
    w.on_turn([&](const TurnRecord& r) {
      if (r.node == 1 && r.kind == TurnKind::stored) told.push_back(r.about);
    });
    w.run_for(10s);
    for (int i = 0; i < 100; ++i) w.put(1, "/v/" + std::to_string(i), "value", 1h);
    w.run_for(5s);
    const std::size_t soon = told.size();
    w.run_for(5min);
    CHECK(std::ranges::is_sorted(told));
    const std::size_t rows = w.store(1).rows();
    w.put(1, "/v/last", "value");
    w.run_for(1ms);
    w.kill(1);
    w.restart(1);
    w.trouble_stores({});
    w.run_for(20s);
    const OpId put = w.put(1, "/v/key", "value");
    w.run_for(5s);
    CHECK(w.succeeded(1, put));
    return std::pair(rows, soon);
  };
  const auto [all, at_once] = play({});
  const auto [late, soon] = play({.latest = 20s, .late_ppm = 500'000});
  CHECK(late == all);
  CHECK(soon < at_once);
  CHECK(play({.io_ppm = 300'000}).first < all);
}

namespace {

// Answers a save with a row, of which nobody takes notice.
struct Talker : Store {
  explicit Talker(bool talks) : talks_(talks) {}
  std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) override {
    std::vector<StoreResult> out = store_.run(now, std::move(batch));
    if (talks_ && out.front() && out.front()->empty()) out.front()->push_back(Row{});
    return out;
  }
  std::size_t rows() const override { return store_.rows(); }
  std::size_t bytes() const override { return store_.bytes(); }

 private:
  MemoryStore store_{StoreLimits{}};
  bool talks_;
};

}  // namespace

TEST_CASE("trace: what a store answered is hashed, whatever the node makes of it") {
  const auto play = [](bool talks) {
    WorldConfig config;
    config.make_store = [&](std::size_t, StoreFate) { return std::make_unique<Talker>(talks); };
    Scene w(config);
    w.nodes(1);
    std::uint64_t first = 0;
    w.on_turn([&](const TurnRecord& r) {
      if (r.kind == TurnKind::stored && first == 0) first = r.digest;
    });
    w.run_for(1s);
    w.put(0, "/v/key", "value");
    w.run_for(10s);
    CHECK(first != 0);
    return first;
  };
  CHECK(play(false) == play(false));
  CHECK(play(false) != play(true));
}

TEST_CASE("clocks: each node has its own; one that is set wrong, or runs wrong, never goes back") {
  Scene w;
  const auto early = w.add_listening(w.default_config(0), {.clock = Now{Time(5s), WallTime(100s)}});
  const auto fast = w.add_listening(w.default_config(1), {.drift_ppb = 100'000'000});
  std::vector<Time> shown;
  w.on_turn([&](const TurnRecord& r) {
    if (r.node == fast) shown.push_back(w.now(fast).mono);
  });
  const Now before = w.now(fast);
  w.run_for(100s);
  CHECK(w.now(early).mono == Time(105s));
  CHECK(w.now(early).wall == WallTime(200s));
  CHECK(w.now(fast).mono - before.mono == 110s);
  w.jump_clock(fast, -1h);
  CHECK(w.now(fast).wall - before.wall == 110s - 1h);
  w.drift_clock(fast, -100'000'000);
  w.run_for(100s);
  CHECK(w.now(fast).mono - before.mono == 200s);
  CHECK(std::ranges::is_sorted(shown));
  CHECK(w.joined(fast));
}

TEST_CASE("clocks: a timer fires when its own clock says so, whatever its pace") {
  for (const std::int32_t drift : {-99'999'999, -1, 0, 1, 7, 99'999'999}) {
    NodeClock clock(Time(1h), {Time(3s), WallTime(0s)});
    clock.set_drift(Time(1h), drift);
    for (const Duration wait : {Duration(1), Duration(999), Duration(1h), Duration(10'000h)}) {
      const Time due = Time(3s) + wait, then = clock.when(due);
      CHECK(clock.at(then).mono >= due);
      CHECK(clock.at(then - Duration(1)).mono < due);
    }
    CHECK(clock.when(kNever) == kNever);
  }
}

TEST_CASE("calls: run when they are due, in order") {
  Scene w;
  std::string order;
  w.at(w.now().mono + 2s, [&] { order += 'c'; });
  w.at(w.now().mono + 1s, [&] {
    order += 'a';
    w.at(w.now().mono, [&] { order += 'b'; });
  });
  w.run_for(1s);
  CHECK(order == "ab");
  w.run_for(1s);
  CHECK(order == "abc");
}

TEST_CASE("nat: a node behind one joins by dialing out; with a forwarded port it is found, too") {
  Scene w;
  w.nodes(3);
  NodeOptions hidden, open;
  hidden.host.nat = w.add_nat(NatConfig::symmetric());
  open.host.nat = w.add_nat(NatConfig::full_cone());
  open.forwarded = 4001;
  const auto inside = w.add_listening(w.default_config(3), hidden);
  const auto found = w.add_listening(w.default_config(4), open);
  w.run_for(10s);
  CHECK(w.joined(inside));
  CHECK(w.joined(found));
  const OpId dial = w.connect(inside, found), back = w.connect(found, inside);
  w.run_for(15s);
  CHECK(w.succeeded(inside, dial));
  CHECK(w.succeeded(found, back));  // over the connection that is there
}

TEST_CASE("quiesce: whoever does not let go is named") {
  Scene w(3);
  w.nodes(3);
  w.run_for(5s);
  CHECK(w.quiesce().empty());
  CHECK(w.network().live() == 0);
  w.at(w.now().mono + 30s, [&] { w.restart(1); });  // that shutdown which we do not get
  CHECK(w.quiesce().starts_with("seed 3, node 1: "));
}

}  // namespace kadmesh
