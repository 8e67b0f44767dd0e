#include "base/rng.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace kadmesh {

TEST_CASE("rng: the same seed gives the same draws") {
  Rng one(42), other(42), third(43);
  const auto draw = one.next();
  CHECK(draw == other.next());
  CHECK(draw != third.next());
}

TEST_CASE("rng: fill in pieces equals fill in one, across refills") {
  Rng whole(7), pieces(7);
  Bytes a(2000), b(2000);
  whole.fill(a);
  for (std::size_t i = 0; i < b.size(); i += 125) pieces.fill(std::span(b).subspan(i, 125));
  CHECK(a == b);
}

TEST_CASE("rng: a forked generator and its parent do not disturb each other") {
  Rng parent(1), twin(1);
  Rng child = parent.fork();
  [[maybe_unused]] Rng idle = twin.fork();
  for (int i = 0; i < 100; ++i) child.next();
  CHECK(parent.next() == twin.next());
}

TEST_CASE("rng: below reaches every value and never its bound") {
  Rng rng(3);
  std::vector<int> seen(6);
  for (int i = 0; i < 600; ++i) ++seen.at(rng.below(6));
  for (const int count : seen) CHECK(count > 50);
}

TEST_CASE("rng: shuffle keeps every item") {
  Rng rng(9);
  std::vector<int> items{1, 2, 3, 4, 5, 6, 7, 8};
  rng.shuffle(std::span(items));
  CHECK(items != std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8});
  std::ranges::sort(items);
  CHECK(items == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8});
}

}  // namespace kadmesh
