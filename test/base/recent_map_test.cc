#include "base/recent_map.h"

#include <doctest/doctest.h>

#include <string>

namespace kadmesh {

TEST_CASE("recent map: with one too many, who was touched longest ago is gone") {
  RecentMap<int, std::string> map(2);
  map.touch(1) = "one";
  map.touch(2, "two");
  CHECK_FALSE(map.displace());
  CHECK(map.touch(1, "other") == "one");
  map.touch(3) = "three";
  CHECK(map.displace() == 2);
  CHECK(map.find(2) == nullptr);
  CHECK(*map.find(1) == "one");
  CHECK(*map.find(3) == "three");
  CHECK(map.size() == 2);
}

TEST_CASE("recent map: to look is not to touch") {
  RecentMap<int, int> map(1);
  map.touch(1) = 10;
  map.touch(2) = 20;
  CHECK(map.find(1) != nullptr);
  CHECK(map.displace() == 1);
}

}  // namespace kadmesh
