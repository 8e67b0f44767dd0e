#include "kadsim/value.h"

#include "kadsim/toml_file.h"
#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

Table parsed(const char* text) {
  auto table = parse_toml(text, "x.toml");
  REQUIRE_MESSAGE(table, (table ? "" : table.error().detail));
  return *std::move(table);
}

TEST_CASE("value: keys stay in the order of the file, each with its line") {
  const Table table = parsed("zebra = 1\n\napple = \"x\"\n[mid]\nk = true\n");
  REQUIRE(table.size() == 3);
  CHECK(table[0].key == "zebra");
  CHECK(table[1].key == "apple");
  CHECK(table[1].value.line == 3);
  CHECK(find(*table[2].value.as<Table>(), "k")->line == 5);
}

TEST_CASE("value: what is written reads back as the same") {
  const char* text =
      "name = \"a \\\"b\\\" \\\\ \\u0001\"\nnodes = 3\nshare = 0.5\nwhole = 2.0\n"
      "list = [1, \"two\", [true, false]]\n\n[link]\nlatency = {uniform = [\"1ms\", \"2ms\"]}\n\n"
      "[[step]]\nat = \"0s\"\n\n[[step]]\n\"odd key\" = 1\n";
  const std::string once = to_toml(parsed(text));
  CHECK(once == text);
  CHECK(to_toml(parsed(once.c_str())) == once);
}

TEST_CASE("value: a setting replaces, adds, and makes tables on the way") {
  Table table = parsed("nodes = 3\n[gossip]\nd = 6\n");
  REQUIRE(set(table, "nodes", {std::int64_t{5}, 0}));
  REQUIRE(set(table, "gossip.d", {std::int64_t{8}, 0}));
  REQUIRE(set(table, "link.jitter", {std::string("1ms"), 0}));
  CHECK(to_toml(table) == "nodes = 5\n\n[gossip]\nd = 8\n\n[link]\njitter = \"1ms\"\n");
}

TEST_CASE("value: a number names one of a list's tables") {
  Table table = *parse_toml("[[step]]\nat = \"1s\"\n[[step]]\nat = \"2s\"\n", "x.toml");
  REQUIRE(set(table, "step.1.at", {std::string("3s"), 0}));
  CHECK(to_toml(table).find("3s") != std::string::npos);
  CHECK(to_toml(table).find("2s") == std::string::npos);
  for (const char* path :
       {"step.2.at", "step.at", "step.1", "step.-1.at", "step.1x.at", "step..at"})
    CHECK_MESSAGE(refusal_of(set(table, path, {true, 0})) == Errc::invalid, path);
  CHECK(set(table, "step.at", {true, 0}).error().detail.find("a list of 2: one of them is like") !=
        std::string::npos);
}

TEST_CASE("value: a setting below what is no table is refused") {
  Table table = parsed("nodes = 3\n");
  CHECK(refusal_of(set(table, "nodes.d", {true, 0})) == Errc::invalid);
  CHECK(refusal_of(set(table, "", {true, 0})) == Errc::invalid);
  CHECK(refusal_of(set(table, "a..b", {true, 0})) == Errc::invalid);
}

TEST_CASE("toml: an error names the file and the line") {
  const auto broken = parse_toml("a = 1\nb = = 2\n", "x.toml");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().detail.starts_with("x.toml:2: "));
  const auto date = parse_toml("a = 1979-05-27\n", "x.toml");
  REQUIRE_FALSE(date);
  CHECK(date.error().detail.find("x.toml:1: ") == 0);
}

TEST_CASE("toml: a value of the command line is TOML, or else a text") {
  CHECK(*parse_value("8").as<std::int64_t>() == 8);
  CHECK(*parse_value("true").as<bool>());
  CHECK(parse_value("[1, 2]").as<List>()->size() == 2);
  CHECK(*parse_value("20ms").as<std::string>() == "20ms");
  CHECK(*parse_value("1\nother = 2").as<std::string>() == "1\nother = 2");
}

TEST_CASE("value: what is nested too deep is refused before anybody follows it") {
  const auto said = [](const std::string& text) {
    const auto table = parse_toml(text, "x.toml");
    return table ? std::string() : table.error().detail;
  };
  std::string key = "a";
  for (int i = 0; i < 32; ++i) key += i % 2 == 0 ? ".b" : " . \"c.c\"";
  CHECK(said("[" + key + "]\n") == "");
  CHECK(said("k = 1\n[" + key + ".x]\n") == "x.toml:2: a key of more than 32 dots");
  CHECK(said("k = { " + key + ".x = 1 }\n") == "x.toml:1: a key of more than 32 dots");
  CHECK(said("s = \"" + std::string(40, '.') + "\"\n") == "");
  CHECK(said("k = " + std::string(63, '[') + std::string(63, ']') + "\n") == "");
  CHECK(said("k = " + std::string(80, '[') + std::string(80, ']') + "\n") ==
        "x.toml:1: nested deeper than 64");
}

}  // namespace
}  // namespace kadmesh::kadsim
