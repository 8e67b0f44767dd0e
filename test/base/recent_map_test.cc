#include "base/recent_map.h"

#include <doctest/doctest.h>

#include <string>

namespace kadmesh {

TEST_CASE("recent map: with one too many, who was touched longest ago is gone") {
  RecentMap<int, std::string> map(2);
  map.touch(1).value = "one";
  CHECK_FALSE(map.touch(2, "two").gone);
  CHECK(map.touch(1, "other").value == "one");
  const auto gone = map.touch(3, "three").gone;
  REQUIRE(gone);
  CHECK(gone->first == 2);
  CHECK(gone->second == "two");
  CHECK(map.find(2) == nullptr);
  CHECK(*map.find(1) == "one");
  CHECK(*map.find(3) == "three");
  CHECK(map.size() == 2);
}

TEST_CASE("recent map: to look is not to touch") {
  RecentMap<int, int> map(2);
  map.touch(1);
  map.touch(2);
  CHECK(map.find(1) != nullptr);
  CHECK(map.touch(3).gone->first == 1);
}

}  // namespace kadmesh
