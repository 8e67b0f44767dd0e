#include "base/deadlines.h"

#include <doctest/doctest.h>

#include <string>

namespace kadmesh {
namespace {

Time at(Duration since) { return Time(since); }

TEST_CASE("deadlines: the earliest expires first, each once") {
  Deadlines<std::string> deadlines;
  deadlines.set("late", at(3s));
  deadlines.set("early", at(1s));
  CHECK(deadlines.next() == at(1s));
  CHECK(deadlines.expire(at(1s) - 1ns) == std::nullopt);
  CHECK(deadlines.expire(at(5s)) == "early");
  CHECK(deadlines.expire(at(5s)) == "late");
  CHECK(deadlines.expire(at(5s)) == std::nullopt);
}

TEST_CASE("deadlines: of those that are equal the smaller key is first") {
  Deadlines<int> deadlines;
  for (const int key : {3, 1, 2}) deadlines.set(key, at(1s));
  for (const int key : {1, 2, 3}) CHECK(deadlines.expire(at(1s)) == key);
}

TEST_CASE("deadlines: a moved one leaves its old place") {
  Deadlines<int> deadlines;
  deadlines.set(1, at(1s));
  deadlines.set(1, at(9s));
  CHECK(deadlines.size() == 1);
  CHECK(deadlines.next() == at(9s));
  CHECK(deadlines.expire(at(8s)) == std::nullopt);
}

TEST_CASE("deadlines: cancelled and never are the same") {
  Deadlines<int> deadlines;
  deadlines.set(1, at(1s));
  deadlines.set(2, at(1s));
  deadlines.cancel(1);
  deadlines.cancel(7);
  deadlines.set(2, kNever);
  CHECK(deadlines.next() == kNever);
  CHECK(deadlines.expire(kNever) == std::nullopt);
  CHECK(deadlines.size() == 0);
}

}  // namespace
}  // namespace kadmesh
