// Messages for which there is nobody yet, and what an application may set for the others.
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

GossipConfig with_outbox(std::size_t most) {
  GossipConfig config;
  config.outbox = most;
  return config;
}

}  // namespace

TEST_CASE("outbox: what nobody subscribes to yet goes to the first who does, in order") {
  Router router(with_outbox(3));
  router.join(1);
  const Receipt receipt = router.publish("one").value();
  CHECK(receipt.waiting);
  CHECK(receipt.peers.empty());
  REQUIRE(router.publish("two"));
  REQUIRE(router.publish("elsewhere", "other"));
  router.subscribe(1);
  CHECK(router.told(1).messages == std::vector<std::string>{"one", "two"});
  CHECK(router.gossip.stats().outbox == 1);
  router.member(2);
  CHECK(router.told(2).messages.empty());
}

TEST_CASE("outbox: what went out of it is repaired like any other message") {
  Router router(with_outbox(1));
  const MessageId sent = router.publish("one").value().id;
  router.member(1), router.member(2);
  router.iwant(2, {sent});
  CHECK(router.told(2).messages == std::vector<std::string>{"one"});
}

TEST_CASE("outbox: beyond its room the publisher is told at once, and nothing that waits is lost") {
  Router router(with_outbox(2));
  REQUIRE(router.publish("one"));
  REQUIRE(router.publish("two"));
  CHECK(router.publish("three") == fail(Errc::no_peers));
  router.member(1);
  CHECK(router.told(1).messages.size() == 2);
}

TEST_CASE("outbox: what waited in vain is reported") {
  Router router(with_outbox(2));
  const MessageId lost = router.publish("one").value().id;
  router.pass(30s);
  REQUIRE(router.publish("two"));
  router.pass(31s);
  REQUIRE(router.unsent.size() == 1);
  CHECK(router.unsent[0].id == lost);
  router.member(1);
  CHECK(router.told(1).messages == std::vector<std::string>{"two"});
}

TEST_CASE("outbox: what a subscriber has no room for goes to the next one") {
  Router router(with_outbox(400));
  for (int n = 0; n < 400; ++n) REQUIRE(router.publish("item " + std::to_string(n)));
  router.connect(1);
  router.subscribe(1);  // its stream is not open yet: kEarlyFrames wait for it
  CHECK(router.gossip.stats().outbox == 400 - gossip::kEarlyFrames);
  router.open(1);
  CHECK(router.gossip.stats().outbox == 0);
  CHECK(router.told(1).messages.size() == 400);
}

TEST_CASE("message id: a topic may have a function of its own") {
  GossipConfig config;
  config.message_ids["by data"] = sha256_message_id;
  Router router(config);
  router.subscribe_us(), router.subscribe_us("by data");
  router.join(1);
  router.message(1, signed_message(9, "same", 1)), router.message(1, signed_message(9, "same", 2));
  CHECK(router.delivered.size() == 2);
  router.message(1, signed_message(9, "same", 3, "by data"));
  router.message(1, signed_message(9, "same", 4, "by data"));
  CHECK(router.delivered.size() == 3);
}

TEST_CASE("subscriptions: a filter keeps topics of peers from being noted, but not joined ones") {
  GossipConfig config;
  config.topic_filter = [](const Topic& topic) { return topic == "good"; };
  Router router(config);
  router.subscribe_us("joined");
  router.join(1);
  for (const char* topic : {"good", "bad", "joined"}) router.subscribe(1, topic);
  CHECK(router.view("good").subscribers.size() == 1);
  CHECK(router.view("bad").subscribers.empty());
  CHECK(router.view("joined").subscribers.size() == 1);
}

TEST_CASE("validation: with rising numbers an author's older message is ignored") {
  GossipConfig config;
  config.rising_seqnos = true;
  Router router(config);
  router.subscribe_us();
  router.join(1);
  router.message(1, signed_message(9, "two", 2)), router.message(1, signed_message(9, "one", 1));
  router.message(1, signed_message(8, "other's", 1));
  router.message(1, signed_message(9, "three", 3));
  REQUIRE(router.delivered.size() == 3);
  CHECK(router.gossip.stats().ignored == 1);
}

TEST_CASE("validation: a validator that is asked at once decides before anything is forwarded") {
  GossipConfig config;
  config.validator = [](const PeerId&, const GossipMessage& message) {
    if (as_text(message.data) == "bad") return Verdict::reject;
    return as_text(message.data) == "dull" ? Verdict::ignore : Verdict::accept;
  };
  Router router(config);
  router.subscribe_us();
  router.member(1), router.member(2);
  router.told(2);
  std::uint8_t number = 0;
  for (const char* data : {"bad", "dull", "good"})
    router.message(1, signed_message(9, data, ++number));
  REQUIRE(router.delivered.size() == 1);
  CHECK(router.told(2).messages == std::vector<std::string>{"good"});
  CHECK(router.gossip.stats().rejected == 1);
  CHECK(router.gossip.stats().ignored == 1);
}

}  // namespace kadmesh
