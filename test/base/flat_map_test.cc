#include "base/flat_map.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "base/rng.h"

namespace kadmesh {
namespace {

using Entries = std::vector<std::pair<int, std::string>>;

Entries entries(const auto& map) {
  Entries all;
  for (const auto& [key, value] : map) all.emplace_back(key, value);
  return all;
}

}  // namespace

TEST_CASE("flat map: whatever is done to it, it holds what a std::map would") {
  FlatMap<int, std::string> flat;
  std::map<int, std::string> tree;
  Rng luck(1);
  for (int i = 0; i < 5000; ++i) {
    const int key = static_cast<int>(luck.below(60));
    const std::string value = std::to_string(i);
    switch (luck.below(4)) {
      case 0:
        CHECK(flat.try_emplace(key, value).second == tree.try_emplace(key, value).second);
        break;
      case 1:
        flat[key] = value, tree[key] = value;
        break;
      case 2:
        CHECK(flat.erase(key) == tree.erase(key));
        break;
      default:
        CHECK(flat.contains(key) == tree.contains(key));
        if (tree.contains(key)) CHECK(flat.at(key) == tree.at(key));
    }
    CHECK(flat.size() == tree.size());
  }
  CHECK(entries(flat) == entries(tree));
}

TEST_CASE("flat map: a value stays where it is while others come and go") {
  FlatMap<int, std::string> map;
  const std::string& value = map[50] = "here";
  for (int key = 0; key < 100; ++key) map[key];
  for (int key = 0; key < 50; ++key) map.erase(key);
  CHECK(&map.at(50) == &value);
  CHECK(value == "here");
}

TEST_CASE("flat map: erasing gives the entry behind") {
  FlatMap<int, std::string> map;
  for (int key = 0; key < 5; ++key) map[key];
  const auto next = map.erase(map.find(2));
  CHECK(next->first == 3);
  const auto last = map.erase(map.find(4));
  CHECK(last == map.end());
}

}  // namespace kadmesh
