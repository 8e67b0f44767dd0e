#include "kad/write_lines.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

WriteLines::Line line(std::size_t number) {
  return {Kind::value,
          {static_cast<std::uint8_t>(number / 256), static_cast<std::uint8_t>(number)}};
}

}  // namespace

TEST_CASE("write lines: who comes behind another is served when that one leaves") {
  WriteLines lines;
  CHECK(lines.join(line(1), KadInboundId{1}, peer(1)) == true);
  CHECK(lines.join(line(1), KadInboundId{2}, peer(2)) == false);
  CHECK(lines.join(line(2), KadInboundId{3}, peer(3)) == true);
  CHECK_FALSE(lines.next());
  lines.leave(line(1), KadInboundId{1});
  CHECK(lines.next() == KadInboundId{2});
}

TEST_CASE("write lines: all of them together have an end, and who leaves makes room") {
  WriteLines lines;
  std::uint64_t id = 0;
  for (; id < kMostInLines; ++id)
    REQUIRE(lines.join(line(id), KadInboundId{id}, peer(static_cast<std::uint32_t>(id))));
  CHECK_FALSE(lines.join(line(id), KadInboundId{id}, peer(1)));
  lines.leave(line(7), KadInboundId{7});
  CHECK(lines.join(line(id), KadInboundId{id}, peer(1)) == true);
}

}  // namespace kadmesh
