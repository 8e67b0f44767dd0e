#include "kadsim/messages.h"

#include <doctest/doctest.h>

namespace kadmesh::kadsim {
namespace {

const Population kThree{3, {"alice", "bob", "carl"}};

struct Space : Messages {
  Space() : Messages(3) {
    for (NodeIndex node : {0U, 1U, 2U}) {
      born(node);
      subscribed("space", node);
    }
  }
  void say(const char* id, Duration at) { published({id, "space", "said", 0, 7}, at); }
  void come(const char* id, NodeIndex node, NodeIndex from, Duration at) {
    delivered({id, "space", 0, 7, from}, node, at);
  }
  Delivery all(std::optional<Duration> within = {}) const {
    return judge({"", "", within, {}}, kThree);
  }
};

TEST_CASE("messages: due at every subscriber but the author") {
  Space space;
  space.say("m", 1s);
  CHECK(space.all().due == 2);
  space.come("m", 1, 0, 1100ms);
  CHECK(space.all().got == 1);
  CHECK(space.all().missing == "message 1 of alice missing at carl");
  space.come("m", 2, 1, 1300ms);
  CHECK(space.all().got == 2);
  CHECK(space.all().slowest == 300ms);
}

TEST_CASE("messages: hops are those of whoever handed it on, and one more") {
  Space space;
  space.say("m", 1s);
  space.come("m", 1, 0, 2s);
  space.come("m", 2, 1, 3s);
  CHECK(space.hops().bins() == std::map<std::uint64_t, std::uint64_t>{{1, 1}, {2, 1}});
}

TEST_CASE("messages: late is not within, and a second time is told") {
  Space space;
  space.say("m", 1s);
  space.come("m", 1, 0, 2500ms);
  space.come("m", 2, 0, 1500ms);
  CHECK(space.all(1s).got == 1);
  CHECK(space.all(1s).late == 1);
  space.come("m", 2, 0, 3s);
  CHECK(space.delivered_twice() == 1);
  CHECK(space.all().twice == 1);
}

TEST_CASE("messages: a new life may hear of it again, once") {
  Space space;
  space.say("m", 1s);
  space.come("m", 1, 0, 2s);
  space.down(1, 3s);
  space.born(1);
  space.come("m", 1, 0, 4s);
  CHECK(space.delivered_twice() == 0);
  CHECK(space.deliveries() == 1);
  space.down(1, 5s);
  space.up(1);  // stood still: the same life
  space.come("m", 1, 0, 6s);
  CHECK(space.delivered_twice() == 1);
}

TEST_CASE("messages: who is due is fixed when it is published") {
  Space space;
  space.down(1, 0s);
  space.say("m", 1s);
  space.up(1);
  CHECK(space.all().due == 1);
  CHECK(space.all().subscribers == 2);
  space.subscribed("elsewhere", 1);
  space.down(2, 12s);  // had its time
  space.unsubscribed("space", 2, 13s);
  CHECK(space.all().due == 1);
  CHECK(space.all().missing == "message 1 of alice missing at carl");
}

TEST_CASE("messages: who goes before it had the time drops out") {
  Space space;
  space.say("m", 1s);
  space.down(2, 3s);
  space.born(2);
  space.unsubscribed("space", 1, 4s);
  CHECK(space.all().due == 0);
  CHECK(space.all().subscribers == 2);
  CHECK(space.all(1s).due == 2);
}

TEST_CASE("messages: what nobody sent like that is told") {
  const auto unsent = [](const Messages::Arrival& arrival) {
    Space space;
    space.say("m", 1s);
    space.delivered(arrival, 2, 2s);
    CHECK(space.deliveries() == (space.unsent(kThree).empty() ? 1 : 0));
    return space.unsent(kThree);
  };
  CHECK(unsent({"m", "space", 0, 7, 1}).empty());
  CHECK(unsent({"m", "space", std::nullopt, 7, {}}).empty());  // not signed
  CHECK(unsent({"n", "space", 0, 7, 1}) ==
        "carl got one at 2s which has an id that no message has");
  CHECK(unsent({"m", "other", 0, 7, 1}) == "carl got one at 2s which was sent on another topic");
  CHECK(unsent({"m", "space", 1, 7, 1}) == "carl got one at 2s which somebody else sent");
  CHECK(unsent({"m", "space", Messages::kStranger, 7, 1}).ends_with("somebody else sent"));
  CHECK(unsent({"m", "space", 0, 8, 1}) == "carl got one at 2s whose data was another");
}

TEST_CASE("messages: a judgement is of a label, a topic and some nodes") {
  Space space;
  space.say("m", 1s);
  space.published({"n", "space", "other", 1, 8}, 2s);
  CHECK(space.judge({"said", "", {}, {}}, kThree).messages == 1);
  CHECK(space.judge({"space", "", {}, {}}, kThree).messages == 2);
  CHECK(space.judge({"said", "elsewhere", {}, {}}, kThree).messages == 0);
  CHECK(space.judge({"", "", {}, {false, false, true}}, kThree).due == 2);
}

}  // namespace
}  // namespace kadmesh::kadsim
