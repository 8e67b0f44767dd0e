// What the router makes of messages that a peer was asked for afterwards, and what it keeps for
// those who ask.
#include "refusal.h"
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

// Joined "t", and so have the peers 1 to 3; what they were told so far is forgotten.
struct Latecomer : Router {
  explicit Latecomer(GossipConfig config = {}) : Router(std::move(config)) {
    subscribe_us();
    for (std::size_t n = 1; n <= 3; ++n) member(n), told(n);
  }
  Result<Backfilled> hears_of(ByteView encoded, const Topic& topic = "t") {
    auto result = gossip.on_backfilled(turn(), id(1), topic, encoded);
    subscribe_us();  // which changes nothing, and drains
    return result;
  }
};

GossipConfig manual() {
  GossipConfig config;
  config.manual_validation = true;
  return config;
}
GossipConfig keeping() {
  GossipConfig config;
  config.keeps = true;
  return config;
}

}  // namespace

TEST_CASE("backfilled: delivered with a mark, and neither forwarded nor told of") {
  Latecomer late;
  CHECK(late.hears_of(signed_message(9, "old")) == Backfilled::taken);
  REQUIRE(late.delivered.size() == 1);
  CHECK(late.delivered[0].backfilled);
  CHECK(late.delivered[0].received_from == id(1));
  CHECK(as_text(late.delivered[0].message.data) == "old");
  late.heartbeat();
  for (std::size_t n = 1; n <= 3; ++n) {
    const Told told = late.told(n);
    CHECK(told.messages.empty());
    CHECK(told.ihave.empty());
  }
}

TEST_CASE("backfilled: delivered once, whichever way it comes first and however often") {
  Latecomer late;
  const Bytes early = signed_message(9, "by the mesh", 1), old = signed_message(9, "old", 2);
  late.message(2, early);
  CHECK(late.hears_of(early) == Backfilled::duplicate);
  CHECK(late.hears_of(old) == Backfilled::taken);
  CHECK(late.hears_of(old) == Backfilled::duplicate);
  late.message(2, old);
  CHECK(late.delivered.size() == 2);
  CHECK_FALSE(late.delivered[0].backfilled);
}

TEST_CASE("backfilled: what the mesh brings a moment later is forwarded, once") {
  Latecomer late;
  const Bytes fresh = signed_message(9, "fresh");
  CHECK(late.hears_of(fresh) == Backfilled::taken);
  late.message(1, fresh);
  CHECK(late.told(1).messages.empty());
  CHECK(late.told(2).messages.size() == 1);
  CHECK(late.told(3).messages.size() == 1);
  late.message(2, fresh);
  CHECK(late.told(3).messages.empty());
  CHECK(late.delivered.size() == 1);
}

TEST_CASE("backfilled: a forgery under the id of what came before is not forwarded") {
  Latecomer late;
  CHECK(late.hears_of(signed_message(9, "fresh")) == Backfilled::taken);
  Bytes forged = signed_message(9, "forged");
  forged.back() ^= 1;
  late.message(1, forged);
  CHECK(late.told(2).messages.empty());
  late.message(1, signed_message(9, "fresh"));
  CHECK(late.told(2).messages.size() == 1);
}

TEST_CASE(
    "backfilled: refused is what a live one would be refused for, and what was not asked for") {
  Latecomer late;
  CHECK(refusal_of(late.hears_of(signed_message(9, "x", 1, "other"))) == Errc::protocol);
  CHECK(refusal_of(late.hears_of(gossip::encode_message({id(9), text_bytes("x"), number(1), "t"},
                                                        nullptr))) == Errc::protocol);
  Bytes forged = signed_message(9, "x");
  forged.back() ^= 1;
  CHECK(refusal_of(late.hears_of(forged)) == Errc::auth);
  CHECK(refusal_of(late.hears_of(text_bytes("no message"))) == Errc::malformed);
  CHECK(refusal_of(late.hears_of(signed_message(9, std::string(1024 * 1024 - 1000, 'x')))) ==
        Errc::limit);
  CHECK(refusal_of(late.hears_of(Bytes(gossip::kMostEncoded + 1))) == Errc::limit);
  CHECK(refusal_of(late.hears_of(signed_message(9, "x", 1, "other"), "other")) == Errc::invalid);
  CHECK(late.delivered.empty());
  CHECK(late.hears_of(signed_message(9, "x")) == Backfilled::taken);
}

TEST_CASE("backfilled: our own of this life are known; those of an earlier one are news") {
  Latecomer late(keeping());
  late.publish("mine");
  REQUIRE(late.kept.size() == 1);
  late.pass(GossipConfig{}.seen_ttl + 2s);
  CHECK(late.hears_of(late.kept[0].message) == Backfilled::duplicate);
  CHECK(late.hears_of(signed_message(0, "before the restart")) == Backfilled::taken);
  REQUIRE(late.delivered.size() == 1);
  CHECK(as_text(late.delivered[0].message.data) == "before the restart");
}

TEST_CASE("backfilled: validators are asked, and their number at once is bounded") {
  Latecomer late(manual());
  CHECK(late.hears_of(signed_message(9, "old")) == Backfilled::taken);
  REQUIRE(late.asked.size() == 1);
  CHECK(late.delivered.empty());
  late.judge(late.asked[0].id, Verdict::accept);
  REQUIRE(late.delivered.size() == 1);
  CHECK(late.delivered[0].backfilled);
  CHECK(late.told(2).messages.empty());
  for (std::size_t n = 0; n < gossip::kMostValidating; ++n)
    CHECK(late.hears_of(signed_message(10 + n, "old")) == Backfilled::taken);
  const Bytes more = signed_message(9, "one more", 2);
  CHECK(late.hears_of(more) == Backfilled::no_room);
  for (const GossipValidate& asked : late.asked) late.judge(asked.id, Verdict::ignore);
  CHECK(late.hears_of(more) == Backfilled::taken);
}

TEST_CASE("keeping: what was accepted is kept as it was signed, from whom and how it came") {
  Latecomer late(keeping());
  const Bytes live = signed_message(9, "live", 1), old = signed_message(9, "old", 2);
  late.message(1, live);
  late.message(2, live);
  CHECK(late.hears_of(old) == Backfilled::taken);
  const Receipt receipt = late.publish("mine").value();
  REQUIRE(late.kept.size() == 3);
  CHECK(late.kept[0].message == live);
  CHECK(late.kept[0].id == id_of(live));
  CHECK(late.kept[1].message == old);
  CHECK(late.kept[2].id == receipt.id);
  CHECK(id_of(late.kept[2].message) == receipt.id);
}

TEST_CASE("keeping: what is published to nobody is kept where we subscribe, and nowhere else") {
  Router alone(keeping());
  CHECK(refusal_of(alone.publish("too early")) == Errc::no_peers);
  alone.subscribe_us();
  CHECK(alone.publish("hello").value().peers.empty());
  REQUIRE(alone.kept.size() == 1);
  CHECK(alone.kept[0].topic == "t");
  Router forgetful;
  forgetful.subscribe_us();
  CHECK(refusal_of(forgetful.publish("hello")) == Errc::no_peers);
  CHECK(forgetful.kept.empty());
}

TEST_CASE("keeping: what a validator does not accept is not kept") {
  GossipConfig config = keeping();
  config.manual_validation = true;
  Latecomer late(config);
  late.message(1, signed_message(9, "bad", 1));
  late.message(1, signed_message(9, "good", 2));
  late.judge(late.asked[0].id, Verdict::reject);
  late.judge(late.asked[1].id, Verdict::accept);
  REQUIRE(late.kept.size() == 1);
  CHECK(late.kept[0].id == id_of(signed_message(9, "good", 2)));
}

}  // namespace kadmesh
