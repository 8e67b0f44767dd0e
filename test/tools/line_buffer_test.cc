#include "kadnode/line_buffer.h"

#include <doctest/doctest.h>

namespace kadmesh::kadnode {
namespace {

constexpr std::size_t kMost = 8;

// What has come out so far; "!" for a line that was too long.
std::string taken(LineBuffer& buffer) {
  std::string all;
  while (const auto line = buffer.next()) all += (*line ? **line : "!") + ";";
  return all;
}
std::string fed(LineBuffer& buffer, std::string_view piece) {
  buffer.add(piece);
  return taken(buffer);
}

TEST_CASE("line buffer: lines come out whole, however they arrive") {
  LineBuffer buffer(kMost);
  CHECK(fed(buffer, "on") == "");
  CHECK(fed(buffer, "e\n\ntwo\nth") == "one;;two;");
  CHECK(fed(buffer, "ree\n") == "three;");
  CHECK_FALSE(buffer.last());
}

TEST_CASE("line buffer: the last line may lack its newline") {
  LineBuffer buffer(kMost);
  CHECK(fed(buffer, "one\ntwo") == "one;");
  CHECK(buffer.last() == "two");
  CHECK_FALSE(buffer.last());
}

TEST_CASE("line buffer: the limit is exact") {
  LineBuffer buffer(kMost);
  CHECK(fed(buffer, "12345678\n") == "12345678;");
  CHECK(fed(buffer, "123456789\nx\n") == "!;x;");
  CHECK(fed(buffer, "12345678") == "");
  CHECK(buffer.last() == "12345678");
}

TEST_CASE("line buffer: a line that is too long is said once and passed over") {
  LineBuffer buffer(kMost);
  CHECK(fed(buffer, "123456789") == "!;");
  for (int i = 0; i < 100; ++i) CHECK(fed(buffer, "123456789") == "");
  CHECK_FALSE(buffer.last());
  CHECK(fed(buffer, "9\nnext\n") == "next;");
  CHECK(fed(buffer, "123456789") == "!;");
}

TEST_CASE("line buffer: every byte but the newline is part of a line") {
  LineBuffer buffer(kMost);
  buffer.add(std::string_view("a\0\r\xff\n", 5));
  CHECK(**buffer.next() == std::string_view("a\0\r\xff", 4));
}

}  // namespace
}  // namespace kadmesh::kadnode
