#include "kadsim/plan.h"

#include <algorithm>
#include <set>

#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

TEST_CASE("plan: every seed under every combination, variant by variant") {
  const auto runs =
      plan({*parse_variation("kad.k=8,20"), *parse_variation("link.loss=1%,2%")}, {1, 3}, {});
  REQUIRE(runs);
  CHECK(runs->size() == 12);
  CHECK(runs->front() == PlannedRun{"kad.k=8 link.loss=1%", 1});
  CHECK(runs->back() == PlannedRun{"kad.k=20 link.loss=2%", 3});
}

TEST_CASE("plan: shards share no run and together have all") {
  const std::vector<Variation> variations{*parse_variation("nodes=5,6,7")};
  const auto whole = *plan(variations, {1, 10}, {});
  std::vector<PlannedRun> together;
  for (std::uint64_t i = 1; i <= 4; ++i)
    std::ranges::copy(*plan(variations, {1, 10}, {i, 4}), std::back_inserter(together));
  const auto order = [](const PlannedRun& run) { return std::pair(run.variant, run.seed); };
  std::ranges::sort(together, {}, order);
  CHECK(together == whole);
}

TEST_CASE("plan: more runs than anybody can wait for are refused") {
  CHECK(refusal_of(plan({*parse_variation("k=1,2")}, {1, kMostRuns}, {})) == Errc::limit);
}

TEST_CASE("plan: what is typed wrong is refused") {
  for (const char* text : {"", "a", "1..", "..5", "5..1", "1..99999999999", "-1..2"})
    CHECK_MESSAGE(refusal_of(parse_seeds(text)) == Errc::invalid, text);
  for (const char* text : {"", "1", "0/3", "4/3", "1/0", "a/b"})
    CHECK_MESSAGE(refusal_of(parse_shard(text)) == Errc::invalid, text);
  for (const char* text : {"", "k", "k=", "=1", "k=1,,2", "k=1, 2"})
    CHECK_MESSAGE(refusal_of(parse_variation(text)) == Errc::invalid, text);
}

TEST_CASE("plan: a variant becomes settings, and the options that make it again") {
  Table scenario;
  REQUIRE(apply_variant(scenario, "nodes=50 link.latency=20ms"));
  CHECK(to_toml(scenario) == "nodes = 50\n\n[link]\nlatency = \"20ms\"\n");
  CHECK(as_options("nodes=50 link.loss=2%") == "--set nodes=50 --set link.loss=2%");
  CHECK(as_options("").empty());
}

TEST_CASE("plan: a command can be pasted into a shell") {
  CHECK(shell_word("a/b-1.toml") == "a/b-1.toml");
  CHECK(shell_word("it's $HOME") == "'it'\\''s $HOME'");
  CHECK(shell_word("") == "''");
}

}  // namespace
}  // namespace kadmesh::kadsim
