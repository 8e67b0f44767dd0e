#include "kad/trail.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

using What = WalkStep::What;

struct Walking {
  Trail trail{peer(0), KadId::of(peer(9))};

  std::vector<WalkStep> steps() {
    std::vector<WalkStep> all;
    while (auto step = trail.poll()) all.push_back(*std::move(step));
    return all;
  }
  void answers(Time now, std::uint32_t who, std::initializer_list<std::uint32_t> named) {
    std::vector<KadPeer> closer;
    for (const std::uint32_t number : named) closer.push_back({peer(number), {}});
    trail.answered(now, peer(who), closer);
  }
};

}  // namespace

TEST_CASE("trail: who was asked, when, what for, and how near it is") {
  Walking walk;
  walk.trail.asked(at(2s), peer(1), KadType::get_value, at(3s));
  const auto steps = walk.steps();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].what == What::asked);
  CHECK(steps[0].when == at(2s));
  CHECK(steps[0].peer == peer(1));
  CHECK(steps[0].question == "GET_VALUE");
  CHECK(steps[0].shared == common_prefix(KadId::of(peer(1)), KadId::of(peer(9))));
}

TEST_CASE("trail: a name is heard once, from who said it first, and never our own or one asked") {
  Walking walk;
  walk.trail.asked(at(0s), peer(1), KadType::find_node, kNever);
  walk.trail.asked(at(0s), peer(2), KadType::find_node, kNever);
  walk.steps();
  walk.answers(at(1s), 1, {3, 2, 0, 3});
  walk.answers(at(2s), 2, {3, 4});
  const auto steps = walk.steps();
  REQUIRE(steps.size() == 4);
  CHECK(steps[1].what == What::heard);
  CHECK(steps[1].peer == peer(3));
  CHECK(steps[1].from == peer(1));
  CHECK(steps[3].peer == peer(4));
  CHECK(steps[3].from == peer(2));
}

TEST_CASE("trail: who is silent stalls once; who has answered does not") {
  Walking walk;
  walk.trail.asked(at(0s), peer(1), KadType::find_node, at(1s));
  walk.trail.asked(at(0s), peer(2), KadType::find_node, at(1s));
  walk.trail.asked(at(0s), peer(3), KadType::put_value, kNever);
  walk.answers(at(500ms), 1, {});
  walk.steps();
  walk.trail.on_time(at(999ms));
  CHECK(walk.steps().empty());
  walk.trail.on_time(at(1s));
  walk.trail.on_time(at(2s));
  const auto steps = walk.steps();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].what == What::stalled);
  CHECK(steps[0].peer == peer(2));
}

TEST_CASE("trail: a liar's endless names are told of up to a bound") {
  Walking walk;
  for (std::uint32_t i = 0; i < kMostCandidates; ++i)
    walk.answers(at(1s), 1, {2 * i + 10, 2 * i + 11});
  std::size_t heard = 0;
  for (const WalkStep& step : walk.steps()) heard += step.what == What::heard;
  CHECK(heard == kMostCandidates - 1);  // and ourselves
}

}  // namespace kadmesh
