// Histograms, series and the results made of them.
#include <doctest/doctest.h>

#include "kadsim/result.h"

namespace kadmesh::kadsim {
namespace {

TEST_CASE("histogram: small values are exact, larger ones within a 64th") {
  for (std::uint64_t value : {0UL, 1UL, 127UL}) CHECK(Histogram::bin_of(value) == value);
  for (std::uint64_t value : {128UL, 1000UL, 123'456'789UL, ~0UL}) {
    const std::uint64_t bin = Histogram::bin_of(value);
    CHECK(bin <= value);
    CHECK(value - bin <= value / 64);
    CHECK(Histogram::bin_of(bin) == bin);
  }
}

TEST_CASE("histogram: percentiles are the least value that so many do not exceed") {
  Histogram all;
  for (std::uint64_t i = 1; i <= 100; ++i) all.add(i);
  CHECK(all.percentile(50) == 50);
  CHECK(all.percentile(99) == 99);
  CHECK(all.percentile(100) == 100);
  CHECK(all.mean() == 50.5);
  CHECK(Histogram().percentile(50) == 0);
}

TEST_CASE("histogram: parts add up to the whole, in any order") {
  Histogram whole, odd, even;
  for (std::uint64_t i = 0; i < 5000; i += 7) {
    whole.add(i);
    (i % 2 == 0 ? even : odd).add(i);
  }
  Histogram a = odd, b = even;
  a.merge(even);
  b.merge(odd);
  CHECK(a.bins() == whole.bins());
  CHECK(b.bins() == whole.bins());
  CHECK(a.count() == whole.count());
}

TEST_CASE("series: a line a row, cells quoted where they must be") {
  Series series({"a", "b, c"});
  series.add(0s, {1, 0.5});
  series.add(1500ms, {2, 1e9});
  CHECK(series.to_csv() == "time_s,a,\"b, c\"\n0,1,0.5\n1.5,2,1e+09\n");
  CHECK(series.column("b, c") == std::vector<double>{0.5, 1e9});
  CHECK(series.column("d").empty());
  CHECK(csv_cell("say \"so\"") == "\"say \"\"so\"\"\"");
  CHECK(csv_cell("-1+2") == "\"'-1+2\"");
  CHECK(csv_cell("@x") == "\"'@x\"");
  CHECK(csv_cell("a-b") == "a-b");
}

RunResult some_run() {
  RunResult run{.scenario = "x", .variant = "kad.k=8", .seed = 7, .nodes = 3, .duration = 10s};
  run.trace_hash = 0xfedcba9876543210;
  run.events = 123;
  run.verdicts = {{"it holds", true, "took 3 ms"}, {"it also \"holds\"", false, ""}};
  run.operations["get"] = {.started = 4, .succeeded = 2, .lost = 1, .failures = {{"timeout", 1}}};
  run.operations["get"].latency.add(20'000, 2);
  run.published = 5;
  run.deliveries = 12;
  run.deliveries_made = run.deliveries_due = 10;
  run.duplicates = 3;
  run.delivery_latency.add(34'000, 10);
  run.buckets = {2, 1};
  run.tables = 3;
  return run;
}

TEST_CASE("result: what is written reads back as the same") {
  const RunResult run = some_run();
  const auto again = run_from_json(to_json(run, false));
  REQUIRE_MESSAGE(again, (again ? "" : again.error().detail));
  CHECK(to_json(*again, false) == to_json(run, false));
  CHECK(again->trace_hash == run.trace_hash);
  CHECK(again->verdicts == run.verdicts);
  CHECK(again->delivery_latency.bins() == run.delivery_latency.bins());
}

TEST_CASE("result: what is no result is refused, not believed") {
  for (const char* text : {"", "{}", "[1", "{\"scenario\": 3}", "null"}) {
    const auto read = run_from_json(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::malformed);
  }
}

TEST_CASE("result: one that is neither judged nor crashed is none") {
  RunResult run = some_run();
  run.verdicts.clear();
  const auto read = run_from_json(to_json(run, false));
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::malformed);
  run.crash = "killed";
  CHECK(run_from_json(to_json(run, false)));
}

TEST_CASE("printable: control characters are replaced, letters are not") {
  CHECK(printable("a\x1b[31m\r\n\x7f") == "a?[31m???");
  CHECK(printable("\xC2\x9B"
                  "1m \xC3\xA4 \xC2\xB5") == "?1m \xC3\xA4 \xC2\xB5");
}

TEST_CASE("result: it passes when every verdict did and nothing crashed") {
  RunResult run = some_run();
  CHECK_FALSE(run.passed());
  CHECK(run.failure() == "it also \"holds\"");
  CHECK(run.fails_as("it also \"holds\""));
  CHECK_FALSE(run.fails_as("it holds"));
  run.verdicts[1].passed = true;
  CHECK(run.passed());
  run.crash = "killed by signal 6";
  CHECK_FALSE(run.passed());
  CHECK(run.failure() == "killed by signal 6");
  CHECK(run.fails_as("killed by signal 6"));
}

TEST_CASE("result: figures leave out what was lost with its node") {
  const auto all = figures(some_run());
  CHECK(all.at("get_success") == doctest::Approx(2.0 / 3));
  CHECK(all.at("duplicates_per_delivery") == doctest::Approx(0.25));
  CHECK(all.at("delivered_share") == 1);
  CHECK(all.at("table_servers_mean") == 1);
}

}  // namespace
}  // namespace kadmesh::kadsim
