#include "kadsim/messages.h"

#include <doctest/doctest.h>

namespace kadmesh::kadsim {
namespace {

const Population kThree{3, {"alice", "bob", "carl"}};

struct Space : Messages {
  Space() : Messages(3) {
    for (NodeIndex node : {0U, 1U, 2U}) subscribed("space", node, 0s);
  }
  void say(const char* id, Duration at) { published(id, "space", "said", 0, at); }
  Delivery all(std::optional<Duration> within = {}) const {
    return judge({"", "", within, {}}, kThree);
  }
};

TEST_CASE("messages: due at every subscriber but the author") {
  Space space;
  space.say("m", 1s);
  CHECK(space.all().due == 2);
  space.delivered("m", 1, 0, 1100ms);
  CHECK(space.all().got == 1);
  CHECK(space.all().missing == "message 1 of alice missing at carl");
  space.delivered("m", 2, 1, 1300ms);
  CHECK(space.all().got == 2);
  CHECK(space.all().slowest == 300ms);
}

TEST_CASE("messages: hops are those of whoever handed it on, and one more") {
  Space space;
  space.say("m", 1s);
  space.delivered("m", 1, 0, 2s);
  space.delivered("m", 2, 1, 3s);
  CHECK(space.hops().bins() == std::map<std::uint64_t, std::uint64_t>{{1, 1}, {2, 1}});
}

TEST_CASE("messages: late is not within, and a second time is told") {
  Space space;
  space.say("m", 1s);
  space.delivered("m", 1, 0, 2500ms);
  space.delivered("m", 2, 0, 1500ms);
  CHECK(space.all(1s).got == 1);
  CHECK(space.all(1s).late == 1);
  space.delivered("m", 2, 0, 3s);
  CHECK(space.delivered_twice() == 1);
  CHECK(space.all().twice == 1);
}

TEST_CASE("messages: nothing is due at who came later, left, or was down meanwhile") {
  Space space;
  space.down(1);
  space.say("m", 1s);
  space.up(1, 2s);
  CHECK(space.all().due == 1);
  space.unsubscribed("space", 2);
  CHECK(space.all().due == 0);
  space.subscribed("space", 2, 3s);
  CHECK(space.all().due == 0);
}

TEST_CASE("messages: a judgement is of a label, a topic and some nodes") {
  Space space;
  space.say("m", 1s);
  space.published("n", "space", "other", 1, 2s);
  CHECK(space.judge({"said", "", {}, {}}, kThree).messages == 1);
  CHECK(space.judge({"space", "", {}, {}}, kThree).messages == 2);
  CHECK(space.judge({"said", "elsewhere", {}, {}}, kThree).messages == 0);
  CHECK(space.judge({"", "", {}, {false, false, true}}, kThree).due == 2);
}

}  // namespace
}  // namespace kadmesh::kadsim
