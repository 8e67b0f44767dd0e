#include "kadsim/sweep.h"

#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

RunResult run(std::uint64_t seed, const char* variant = "", bool passed = true) {
  RunResult out{.scenario = "x", .variant = variant, .seed = seed, .nodes = 3, .duration = 1s};
  out.trace_hash = seed;
  out.events = 10 * seed;
  out.verdicts = {{"holds", passed, passed ? "" : "took 612 ms"}};
  out.delivery_latency.add(1000 * seed);
  return out;
}
Sweep sweep(std::vector<RunResult> runs) {
  Sweep out{"x", "about", "my x.toml", {"nodes=3"}, "name = \"x\"\n", {"", "k=8"}, std::move(runs)};
  sort(out);
  return out;
}
std::string bytes(const Sweep& of) {
  std::string out = to_csv(of);
  for (const RunResult& run : of.runs) out.append(to_json(run, false)).append("\n");
  return out;
}

TEST_CASE("sweep: merged shards are the whole") {
  const Sweep whole = sweep({run(1), run(2), run(3), run(1, "k=8"), run(2, "k=8"), run(3, "k=8")});
  const Sweep odd = sweep({run(1), run(3), run(2, "k=8")});
  const Sweep even = sweep({run(3, "k=8"), run(2), run(1, "k=8")});
  CHECK(bytes(*merge({odd, even})) == bytes(whole));
  CHECK(bytes(*merge({even, odd})) == bytes(whole));
  CHECK(seeds_text(*merge({odd, even})) == "1..3");
}

TEST_CASE("sweep: a run that is there twice counts once, and two results of it are an error") {
  CHECK(merge({sweep({run(1)}), sweep({run(1), run(2)})})->runs.size() == 2);
  CHECK(refusal_of(merge({sweep({run(1)}), sweep({run(1, "", false)})})) == Errc::malformed);
}

TEST_CASE("sweep: different scenarios do not merge") {
  Sweep other = sweep({run(2)});
  other.source = "name = \"y\"\n";
  CHECK(refusal_of(merge({sweep({run(1)}), other})) == Errc::invalid);
  CHECK(refusal_of(merge({})) == Errc::invalid);
}

TEST_CASE("sweep: a failing run comes with the command that plays it again") {
  const RunResult failing = run(17, "k=8", false);
  CHECK(run_command(sweep({failing}), failing) ==
        "kadsim run 'my x.toml' --seed 17 --set nodes=3 --set k=8");
  CHECK(failure_line(failing) == "holds (took 612 ms)");
}

TEST_CASE("sweep: what a foreign sweep says cannot leave the words of a command") {
  RunResult failing = run(17, "", false);
  Sweep foreign = sweep({failing});
  foreign.file = "-rf";
  foreign.settings = {"nodes=3; reboot", "a=$(reboot)"};
  CHECK(run_command(foreign, failing) ==
        "kadsim run ./-rf --seed 17 --set 'nodes=3; reboot' --set 'a=$(reboot)'");
}

TEST_CASE("sweep: no cell of its table is a formula, or has a control character") {
  RunResult failing = run(17, "", false);
  failing.verdicts = {{"=cmd|' /C calc'!A0\x1b[2J\n", false, ""}};
  const std::string csv = to_csv(sweep({failing}));
  CHECK(csv.find(",\"'=cmd|' /C calc'!A0?[2J?\",") != std::string::npos);
}

TEST_CASE("sweep: each variant has its own figures, over all its seeds") {
  const auto all = by_variant(sweep({run(1), run(2), run(3), run(4, "k=8", false)}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].passed == 3);
  CHECK(all[0].figures.at("events").median == 20);
  CHECK(all[0].figures.at("events").most == 30);
  CHECK(all[0].delivery_latency.count() == 3);
  CHECK(all[1].failed == 1);
}

TEST_CASE("sweep: what was exact adds up over the seeds") {
  RunResult first = run(1), second = run(2);
  first.operations["closest"] = {.started = 5, .succeeded = 5, .exact = 3, .compared = 4};
  second.operations["closest"] = {.started = 5, .succeeded = 5, .exact = 4, .compared = 4};
  const auto all = by_variant(sweep({first, second}));
  CHECK(all.at(0).operations.at("closest").exact == 7);
  CHECK(all.at(0).operations.at("closest").compared == 8);
  CHECK(figures(first).at("closest_exact") == 0.75);
}

TEST_CASE("sweep: seeds with gaps are not shown as a range") {
  CHECK(seeds_text(sweep({run(1), run(5)})) == "2 of 1..5");
  CHECK(seeds_text(sweep({run(4)})) == "4");
}

}  // namespace
}  // namespace kadmesh::kadsim
