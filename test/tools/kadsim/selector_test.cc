#include "kadsim/selector.h"

#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

using Nodes = std::vector<NodeIndex>;
const Population kTen{10, {"alice", "bob"}};

Nodes pick(const std::vector<std::string>& terms,
           const Nodes& pool = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, std::uint64_t seed = 1) {
  const auto selector = Selector::parse(terms, kTen);
  REQUIRE_MESSAGE(selector, (selector ? "" : selector.error().detail));
  Rng rng(seed);
  return selector->pick(pool, rng);
}

TEST_CASE("selector: names, numbers, ranges and shares") {
  CHECK(pick({"bob"}) == Nodes{1});
  CHECK(pick({"7"}) == Nodes{7});
  CHECK(pick({"2..4"}) == Nodes{2, 3, 4});
  CHECK(pick({"8.."}) == Nodes{8, 9});
  CHECK(pick({"first 2", "last 10%"}) == Nodes{0, 1, 9});
  CHECK(pick({"all", "!alice", "!3.."}) == Nodes{1, 2});
}

TEST_CASE("selector: what reaches beyond the nodes there are is left out") {
  CHECK(pick({"7..99"}) == Nodes{7, 8, 9});
  CHECK(pick({"first 99"}).size() == 10);
  CHECK(pick({"random 99"}).size() == 10);
}

TEST_CASE("selector: a draw is of the pool, without those that are named or left out") {
  CHECK(pick({"random 2"}, {4, 5}) == Nodes{4, 5});
  CHECK(pick({"random 5", "!4"}, {4, 5}) == Nodes{5});
  CHECK(pick({"random 3"}) == pick({"random 3"}));
  CHECK(pick({"random 3"}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1) !=
        pick({"random 3"}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 2));
}

TEST_CASE("selector: what names nobody is refused") {
  for (const char* text :
       {"zoe", "", "10", "random", "random x", "first -1", "!!bob", "!random 2", "3..x"})
    CHECK_MESSAGE(refusal_of(Selector::parse({text}, kTen)) == Errc::invalid, text);
  CHECK(refusal_of(Selector::parse({"!bob"}, kTen)) == Errc::invalid);
  CHECK(refusal_of(Selector::parse({}, kTen)) == Errc::invalid);
}

}  // namespace
}  // namespace kadmesh::kadsim
