#include "kadsim/shrink.h"

#include <doctest/doctest.h>

#include "kadsim/quantities.h"
#include "kadsim/toml_file.h"

namespace kadmesh::kadsim {
namespace {

std::string steps(int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out.append("[[step]]\nat = \"").append(std::to_string(i)).append("s\"\nrepeat = 8\n");
  return out;
}
Table scenario(int count) {
  return *parse_toml("nodes = 100\nduration = \"60s\"\n[link]\nloss = \"1%\"\n" + steps(count),
                     "x");
}
const List& steps_of(const Table& table) {
  static const List kNone;
  const Value* list = find(table, "step");
  return list ? *list->as<List>() : kNone;
}
bool has(const Table& table, const char* at) {
  for (const Value& step : steps_of(table))
    if (*find(*step.as<Table>(), "at")->as<std::string>() == at) return true;
  return false;
}
std::int64_t nodes(const Table& table) { return *find(table, "nodes")->as<std::int64_t>(); }

TEST_CASE("shrink: what does not matter goes, what matters stays") {
  // Fails with steps 3 and 11, on seven nodes or more, whatever else there is.
  const Try attempt = [](const Table& table) {
    return has(table, "3s") && has(table, "11s") && nodes(table) >= 7;
  };
  const Shrunk least = shrink(scenario(20), attempt, 1000);
  CHECK(steps_of(least.scenario).size() == 2);
  CHECK(attempt(least.scenario));
  CHECK(nodes(least.scenario) == 7);
  CHECK(find(least.scenario, "link") == nullptr);
  CHECK(*find(least.scenario, "duration")->as<std::string>() == "1s");
  CHECK(*find(*steps_of(least.scenario)[0].as<Table>(), "repeat")->as<std::int64_t>() == 1);
  CHECK(least.tried < 200);
}

TEST_CASE("shrink: it stops at its bound, with the smallest so far") {
  std::size_t runs = 0;
  const Try attempt = [&](const Table&) {
    ++runs;
    return true;
  };
  const Shrunk least = shrink(scenario(20), attempt, 5);
  CHECK(runs == 5);
  CHECK(least.tried == 5);
  CHECK(steps_of(least.scenario).size() < 20);
}

TEST_CASE("shrink: a scenario in which all matters stays as it is") {
  const Table whole = scenario(5);
  const std::string text = to_toml(whole);
  const Try attempt = [&](const Table& table) { return to_toml(table) == text; };
  CHECK(to_toml(shrink(whole, attempt, 1000).scenario) == text);
}

}  // namespace
}  // namespace kadmesh::kadsim
