#include "base/signature_memo.h"
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

GossipConfig with(void (*change)(GossipConfig&)) {
  GossipConfig config;
  change(config);
  return config;
}
GossipConfig no_flood() {
  return with([](auto& c) { c.flood_publish = false; });
}
GossipConfig unsigned_ones() {
  return with([](auto& c) {
    c.policy = SignaturePolicy::strict_no_sign;
    c.message_id = sha256_message_id;
  });
}
GossipConfig manual() {
  return with([](auto& c) { c.manual_validation = true; });
}

// Joined "t", and so have the peers 1 to `members`; what they were told so far is forgotten.
struct Talk : Router {
  explicit Talk(std::size_t members = 3, GossipConfig config = {}) : Router(std::move(config)) {
    subscribe_us();
    for (std::size_t n = 1; n <= members; ++n) member(n), told(n);
  }
};

std::size_t count(const Receipt& receipt, Sent sent) {
  return static_cast<std::size_t>(std::ranges::count(receipt.peers, sent, &Receipt::Peer::sent));
}

}  // namespace

// --- publishing
TEST_CASE("publish: with flooding everybody who subscribes gets it, and the receipt names them") {
  Talk talk(8);
  const Receipt receipt = talk.publish("hello").value();
  REQUIRE(receipt.peers.size() == 8);
  CHECK(count(receipt, Sent::queued) == 8);
  CHECK(std::ranges::count(receipt.peers, true, &Receipt::Peer::mesh) == 5);
  for (std::size_t n = 1; n <= 8; ++n) CHECK(talk.told(n).messages.size() == 1);
}

TEST_CASE("publish: without flooding the mesh gets it, filled up to D from other subscribers") {
  Talk talk(9, no_flood());
  CHECK(talk.mesh_size() == 5);
  const Receipt receipt = talk.publish("hello").value();
  CHECK(receipt.peers.size() == 6);
  CHECK(std::ranges::count(receipt.peers, true, &Receipt::Peer::mesh) == 5);
}

TEST_CASE("publish: everybody's frame is the same bytes, encoded once") {
  Talk talk(3);
  talk.frames.clear();
  REQUIRE(talk.publish("hello").has_value());
  REQUIRE(talk.frames.size() == 3);
  CHECK(talk.frames[0] == talk.frames[1]);
  CHECK(talk.frames[0] == talk.frames[2]);
}

TEST_CASE("publish: numbers start at the wall clock, grow by one, and the signature verifies") {
  Talk talk(1);
  REQUIRE(talk.publish("a").has_value());
  REQUIRE(talk.publish("b").has_value());
  std::vector<std::string> numbers;
  for (std::size_t i = talk.frames.size() - 2; i < talk.frames.size(); ++i) {
    ByteView in(*talk.frames[i]);
    FrameReader reader(Gossip::most_rpc());
    const Bytes rpc = reader.next(in).value().value();
    const auto message = gossip::decode_message(gossip::decode_rpc(rpc)->publish[0]).value();
    CHECK(message.from == id(0));
    CHECK(gossip::check_signature(message, SignaturePolicy::strict_sign));
    numbers.push_back(to_hex(message.seqno));
  }
  CHECK(numbers == std::vector<std::string>{"000000003b9aca00", "000000003b9aca01"});
}

TEST_CASE("publish: nobody to send to is an error that counts who is there") {
  Talk talk(0);
  talk.join(1), talk.join(2);
  const auto receipt = talk.publish("hello");
  REQUIRE(receipt == fail(Errc::no_peers));
  CHECK(receipt.error().detail == "nobody to send to on this topic: connected 2, subscribed 0");
  CHECK(talk.gossip.stats().cached == 0);
}

TEST_CASE("publish: what is too large, or has no topic, is refused before anything is sent") {
  Talk talk(1, with([](auto& c) { c.most_message = 10; }));
  CHECK(talk.publish("0123456789").has_value());
  const auto refused = talk.publish("0123456789a");
  CHECK(refused == fail(Errc::limit));
  CHECK(refused.error().detail == "11 bytes of data, most is 10");
  CHECK(talk.publish("x", "") == fail(Errc::invalid));
  CHECK(talk.told(1).messages.size() == 1);
}

TEST_CASE("publish: while a stream opens, what is published waits behind the hello") {
  Talk talk(0);
  talk.connect(1);
  talk.subscribe(1);
  const Receipt receipt = talk.publish("early").value();
  CHECK(count(receipt, Sent::queued) == 1);
  CHECK(talk.told(1).nothing());
  talk.frames.clear();
  talk.open(1);
  REQUIRE(talk.frames.size() == 2);
  const Told told = talk.told(1);
  CHECK(told.subscriptions.size() == 1);
  CHECK(told.messages == std::vector<std::string>{"early"});
}

TEST_CASE("publish: what waits for a stream is bounded, and the receipt says what was not kept") {
  Talk talk(0);
  talk.connect(1);
  talk.subscribe(1);
  for (std::size_t i = 0; i < gossip::kEarlyFrames; ++i)
    REQUIRE(count(talk.publish("a").value(), Sent::queued) == 1);
  CHECK(count(talk.publish("a").value(), Sent::dropped_full) == 1);
  CHECK(talk.gossip.stats().dropped == 1);
  talk.open(1);
  CHECK(talk.told(1).messages.size() == gossip::kEarlyFrames);
}

TEST_CASE("publish: the receipt says who has no stream of ours") {
  Talk talk(2);
  talk.break_stream(1);
  const Receipt receipt = talk.publish("hello").value();
  CHECK(count(receipt, Sent::no_stream) == 1);
  CHECK(count(receipt, Sent::queued) == 1);
}

// --- fanout
TEST_CASE("fanout: who publishes without joining keeps the same D for a minute") {
  Router router(no_flood());
  for (std::size_t n = 1; n <= 9; ++n) router.member(n);
  REQUIRE(router.publish("a").has_value());
  const auto fanout = router.view().fanout;
  CHECK(fanout.size() == 6);
  router.pass(59s);
  const Receipt again = router.publish("b").value();
  for (const auto& to : again.peers) CHECK(std::ranges::count(fanout, to.peer) == 1);
  router.pass(59s);
  CHECK(router.view().fanout == fanout);
  router.pass(2s);
  CHECK(router.view().fanout.empty());
}

TEST_CASE("fanout: the heartbeat replaces who has left") {
  Router router(no_flood());
  for (std::size_t n = 1; n <= 9; ++n) router.member(n);
  REQUIRE(router.publish("a").has_value());
  for (std::size_t n = 1; n <= 3; ++n) router.leave(n);
  router.heartbeat();
  CHECK(router.view().fanout.size() == 6);
}

TEST_CASE("fanout: who joins takes the fanout for the mesh") {
  Router router(no_flood());
  for (std::size_t n = 1; n <= 20; ++n) router.member(n);
  REQUIRE(router.publish("a").has_value());
  const auto fanout = router.view().fanout;
  router.subscribe_us();
  CHECK(router.view().mesh == fanout);
  CHECK(router.view().fanout.empty());
}

// --- receiving
TEST_CASE("receive: a message is delivered once and goes to the mesh, not back nor to its author") {
  Talk talk(4);
  const Bytes message = signed_message(1, "news");
  talk.message(2, message);
  REQUIRE(talk.delivered.size() == 1);
  CHECK(talk.delivered[0].received_from == id(2));
  CHECK(talk.delivered[0].message.from == id(1));
  CHECK(as_text(talk.delivered[0].message.data) == "news");
  CHECK(talk.delivered[0].id == id_of(message));
  CHECK(talk.told(1).nothing());
  CHECK(talk.told(2).nothing());
  CHECK(talk.told(3).messages.size() == 1);
  CHECK(talk.told(4).messages.size() == 1);
  talk.message(3, message);
  CHECK(talk.delivered.size() == 1);
  CHECK(talk.gossip.stats().duplicates == 1);
}

TEST_CASE("receive: a forwarded message keeps its bytes, and its frame is shared") {
  Talk talk(4);
  Bytes message = signed_message(9, "news");
  talk.frames.clear();
  talk.message(1, message);
  REQUIRE(talk.frames.size() == 3);
  CHECK(talk.frames[0] == talk.frames[1]);
  CHECK(talk.frames[0] == talk.frames[2]);
  CHECK(*talk.frames[0] == gossip::message_frame(message));
}

TEST_CASE(
    "receive: what belongs to no topic of ours, or is ours, or is unsigned, is not delivered") {
  Talk talk(2);
  talk.message(1, signed_message(1, "elsewhere", 1, "u"));
  talk.message(1, signed_message(0, "our own"));
  talk.message(1, gossip::encode_message({id(1), text_bytes("x"), number(1), "t"}, nullptr));
  talk.message(1, gossip::encode_message({id(1), text_bytes("x"), number(1), "t"}, &key(2)));
  CHECK(talk.delivered.empty());
  CHECK(talk.gossip.stats().rejected == 2);
  CHECK(talk.told(2).nothing());
}

TEST_CASE("receive: a forgery does not make us deaf to the true message") {
  Talk talk(2);
  talk.message(1, gossip::encode_message({id(9), text_bytes("lie"), number(1), "t"}, &key(1)));
  talk.message(2, signed_message(9, "truth", 1));
  REQUIRE(talk.delivered.size() == 1);
  CHECK(as_text(talk.delivered[0].message.data) == "truth");
}

TEST_CASE("receive: messages larger than our own limit are refused") {
  Talk talk(2, with([](auto& c) { c.most_message = 10; }));
  talk.message(1, signed_message(1, "0123456789a"));
  CHECK(talk.delivered.empty());
  CHECK(talk.gossip.stats().rejected == 1);
}

TEST_CASE("receive: a peer that has left says nothing any more") {
  Talk talk(2);
  talk.leave(1);
  talk.message(1, signed_message(1, "ghost"));
  CHECK(talk.delivered.empty());
}

TEST_CASE("anonymous: messages carry no author, and the same data is the same message") {
  Talk talk(2, unsigned_ones());
  REQUIRE(talk.publish("data").has_value());
  CHECK(talk.publish("data") == fail(Errc::invalid));
  ByteView in(*talk.frames.back());
  FrameReader reader(Gossip::most_rpc());
  const Bytes rpc = reader.next(in).value().value();
  const auto message = gossip::decode_message(gossip::decode_rpc(rpc)->publish[0]).value();
  CHECK(gossip::check_signature(message, SignaturePolicy::strict_no_sign));
  talk.message(1, gossip::encode_message({std::nullopt, text_bytes("other"), {}, "t"}, nullptr));
  REQUIRE(talk.delivered.size() == 1);
  CHECK_FALSE(talk.delivered[0].message.from.has_value());
  talk.message(1, signed_message(1, "signed"));
  CHECK(talk.delivered.size() == 1);
}

// --- manual validation
TEST_CASE("validation: nothing is delivered or forwarded until the application accepts it") {
  Talk talk(3, manual());
  talk.message(1, signed_message(1, "news"));
  REQUIRE(talk.asked.size() == 1);
  CHECK(talk.delivered.empty());
  CHECK(talk.told(2).nothing());
  talk.judge(talk.asked[0].id, Verdict::accept);
  CHECK(talk.delivered.size() == 1);
  CHECK(talk.told(2).messages.size() == 1);
  CHECK(talk.told(1).nothing());
  talk.judge(talk.asked[0].id, Verdict::accept);
  CHECK(talk.delivered.size() == 1);
}

TEST_CASE("validation: what is rejected or ignored goes nowhere, and does not come again") {
  Talk talk(3, manual());
  for (const Verdict verdict : {Verdict::reject, Verdict::ignore}) {
    const Bytes message = signed_message(1, "bad", verdict == Verdict::reject ? 1 : 2);
    talk.message(1, message);
    talk.judge(talk.asked.back().id, verdict);
    talk.message(2, message);
  }
  CHECK(talk.asked.size() == 2);
  CHECK(talk.delivered.empty());
  CHECK(talk.told(2).nothing());
  CHECK(talk.gossip.stats().rejected == 1);
  CHECK(talk.gossip.stats().cached == 0);
}

TEST_CASE("validation: without a verdict by its deadline a message is ignored") {
  Talk talk(3, manual());
  talk.message(1, signed_message(1, "slow"));
  REQUIRE(talk.asked.size() == 1);
  CHECK(talk.asked[0].deadline == after(talk.now, gossip::kValidationTimeout));
  talk.pass(gossip::kValidationTimeout);
  CHECK(talk.gossip.stats().validating == 0);
  talk.judge(talk.asked[0].id, Verdict::accept);
  CHECK(talk.delivered.empty());
}

TEST_CASE("validation: what waits for verdicts is bounded, and a later copy has its chance") {
  Talk talk(2, manual());
  for (std::size_t i = 0; i < gossip::kMostValidating; ++i) {
    GossipMessage message{id(1), {}, number(0), "t"};
    message.seqno[6] = static_cast<std::uint8_t>(i >> 8);
    message.seqno[7] = static_cast<std::uint8_t>(i);
    talk.message(1, gossip::encode_message(message, &key(1)));
  }
  CHECK(talk.gossip.stats().validating == gossip::kMostValidating);
  const Bytes late = gossip::encode_message({id(2), {}, number(1), "t"}, &key(2));
  talk.message(1, late);
  CHECK(talk.gossip.stats().unjudged == 1);
  talk.judge(talk.asked[0].id, Verdict::ignore);
  talk.message(2, late);
  CHECK(talk.asked.size() == gossip::kMostValidating + 1);
}

// --- budgets
TEST_CASE("budget: forwarded messages stop first, then our own; control still goes") {
  Talk talk(2);
  talk.reads = false;
  const std::string large(512 * 1024, 'x');
  for (std::uint8_t i = 1; i <= 8; ++i) talk.message(1, signed_message(9, large, i));
  CHECK(talk.told(2).messages.size() == 3);
  const Receipt receipt = talk.publish(large).value();
  CHECK(std::ranges::count_if(receipt.peers, [](const auto& p) {
          return p.peer == id(2) && p.sent == Sent::queued;
        }) == 1);
  while (count(talk.publish(large).value(), Sent::dropped_full) == 0) {
  }
  talk.told(2);
  talk.subscribe_us("u");
  CHECK(talk.told(2).subscriptions.size() == 1);
}

TEST_CASE("budget: a peer that takes nothing is reported once, and again after it has caught up") {
  Talk talk(1);
  talk.reads = false;
  const std::string large(1000 * 1000, 'x');
  for (int i = 0; i < 6; ++i) REQUIRE(talk.publish(large).has_value());
  CHECK(talk.slow == std::vector<PeerId>{id(1)});
  CHECK(talk.gossip.why(id(1), talk.now) == "stream open, 3 frames dropped; t: in the mesh");
  talk.gossip.on_sent(talk.turn(), id(1), 10'000'000);
  for (int i = 0; i < 6; ++i) REQUIRE(talk.publish(large).has_value());
  CHECK(talk.slow.size() == 2);
}

TEST_CASE("budget: what a peer has taken makes room again") {
  Talk talk(1);
  const std::string large(1000 * 1000, 'x');
  for (int i = 0; i < 20; ++i) CHECK(count(talk.publish(large).value(), Sent::queued) == 1);
}

// --- simulations
TEST_CASE("receive: routers that share a memo verify a message once, and a forged one never") {
  const auto memo = std::make_shared<SignatureMemo>();
  GossipConfig sharing;
  sharing.signatures = memo;
  Talk one(1, sharing), other(1, sharing);
  const Bytes honest = signed_message(1, "news");
  const Bytes forged = gossip::encode_message({id(1), text_bytes("lie"), number(2), "t"}, &key(2));
  for (Talk* talk : {&one, &other}) {
    talk->message(1, honest);
    talk->message(1, forged);
    CHECK(talk->gossip.stats().delivered == 1);
    CHECK(talk->gossip.stats().rejected == 1);
  }
  CHECK(memo->size() == 1);
  CHECK(memo->hits() == 1);
}

}  // namespace kadmesh
