#include "kadnode/words.h"

#include <doctest/doctest.h>

namespace kadmesh::kadnode {
namespace {

Words words(std::string_view line) {
  auto split = split_words(line);
  REQUIRE(split);
  return *split;
}

TEST_CASE("words: quotes and backslashes as in a shell") {
  CHECK(words("a  b\tc\r") == Words{"a", "b", "c"});
  CHECK(words(R"(put '/v/a b' "c \"d\"" e\ f)") == Words{"put", "/v/a b", "c \"d\"", "e f"});
  CHECK(words(R"('a\b'"" x)") == Words{"a\\b", "x"});
  CHECK(words(R"(put k "")") == Words{"put", "k", ""});
}

TEST_CASE("words: an empty line and a comment have none") {
  CHECK(words("").empty());
  CHECK(words("   ").empty());
  CHECK(words("# get /v/x").empty());
  CHECK(words("get #1") == Words{"get", "#1"});
}

TEST_CASE("words: what is left open is refused") {
  for (const char* line : {"put 'x", "put \"x", "put x\\", "put \"x\\"}) {
    const auto split = split_words(line);
    REQUIRE_FALSE(split);
    CHECK(split.error().code == Errc::invalid);
  }
}

TEST_CASE("words: an error shows the beginning of what was typed") {
  CHECK(quoted("get") == "'get'");
  CHECK(quoted(std::string(65, 'x')) == "'" + std::string(64, 'x') + "...'");
}

}  // namespace
}  // namespace kadmesh::kadnode
