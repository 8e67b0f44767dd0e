#include "kadsim/options.h"
#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

Result<Invocation> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kadsim");
  return parse_arguments(static_cast<int>(arguments.size()), arguments.data());
}
template <class T>
T parsed(std::vector<const char*> arguments) {
  auto invocation = parse(std::move(arguments));
  REQUIRE_MESSAGE(invocation, (invocation ? "" : invocation.error().detail));
  REQUIRE(std::holds_alternative<T>(*invocation));
  return std::get<T>(*std::move(invocation));
}

TEST_CASE("kadsim options: run") {
  const auto run =
      parsed<RunOptions>({"run", "x.toml", "--seed", "7", "--nodes", "50", "--set", "gossip.d=8",
                          "--out", "/tmp/x", "--trace", "node=3", "--quiet"});
  CHECK(run.subject.file == "x.toml");
  CHECK(run.subject.settings == std::vector<std::string>{"nodes=50", "gossip.d=8"});
  CHECK(run.seed == 7);
  CHECK(run.trace == "node=3");
  CHECK(run.quiet);
  CHECK(parsed<RunOptions>({"run", "x.toml"}).seed == 1);
  CHECK_FALSE(parsed<RunOptions>({"run", "x.toml"}).trace.has_value());
  CHECK(parsed<RunOptions>({"run", "x.toml", "--trace", ""}).trace == "");
}

TEST_CASE("kadsim options: sweep, merge and shrink") {
  const auto sweep = parsed<SweepOptions>({"sweep", "x.toml", "--seeds", "1..1000", "--jobs", "8",
                                           "--shard", "2/4", "--vary", "gossip.d=4,6", "--vary",
                                           "nodes=10,20", "--limit", "30"});
  CHECK(sweep.seeds.last == 1000);
  CHECK(sweep.shard.of == 4);
  CHECK(sweep.variations.size() == 2);
  CHECK(sweep.limit == std::chrono::seconds(30));
  CHECK_FALSE(sweep.resume);
  CHECK(parsed<SweepOptions>({"sweep", "x.toml", "--resume"}).resume);
  CHECK(parsed<MergeOptions>({"merge", "a", "b", "--out", "c"}).folders.size() == 2);
  CHECK(parsed<ShrinkOptions>({"shrink", "x.toml", "--seed", "4"}).seed == 4);
}

TEST_CASE("kadsim options: what is wrong is told") {
  for (const std::vector<const char*>& typed : {std::vector<const char*>{},
                                                {"walk"},
                                                {"run"},
                                                {"run", "a", "b"},
                                                {"run", "a", "--seed", "x"},
                                                {"run", "a", "--seed", "-1"},
                                                {"run", "a", "--nodes", "0"},
                                                {"run", "a", "--set", "k"},
                                                {"run", "a", "--frob"},
                                                {"sweep", "a", "--seeds", "9..1"},
                                                {"sweep", "a", "--jobs", "0"},
                                                {"sweep", "a", "--shard", "3/2"},
                                                {"sweep", "a", "--vary", "k"},
                                                {"merge", "a"},
                                                {"merge", "--out", "x"},
                                                {"shrink", "a"},
                                                {"shrink", "a", "--seed", "1", "--tries", "0"}})
    CHECK(refusal_of(parse(typed)) == Errc::invalid);
}

TEST_CASE("kadsim options: help and version") {
  CHECK(parsed<PrintText>({"--version"}).text.starts_with("kadsim "));
  CHECK(parsed<PrintText>({"--help"}).text.find("EXIT STATUS") != std::string::npos);
  for (const char* command : {"run", "sweep", "merge", "shrink"})
    CHECK(
        parsed<PrintText>({command, "--help"}).text.starts_with("kadsim " + std::string(command)));
}

}  // namespace
}  // namespace kadmesh::kadsim
