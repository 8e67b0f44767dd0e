#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

MessageId made_up(std::uint32_t n) {
  MessageId id = text_bytes("made up ");
  for (int shift = 0; shift < 32; shift += 8) id.push_back(static_cast<std::uint8_t>(n >> shift));
  return id;
}
std::vector<MessageId> many(std::uint32_t from, std::uint32_t count) {
  std::vector<MessageId> out;
  for (std::uint32_t n = from; n < from + count; ++n) out.push_back(made_up(n));
  return out;
}

// Joined "t" with the mesh cut, so that the members 1 to `members` are told by IHAVE alone.
struct Repair : Router {
  explicit Repair(std::size_t members) : Router(cut()) {
    subscribe_us();
    for (std::size_t n = 1; n <= members; ++n) member(n), told(n);
  }
  static GossipConfig cut() {
    GossipConfig config;
    config.d = config.d_lo = config.d_hi = config.d_out = 0;
    config.flood_publish = false;
    return config;
  }
  std::size_t told_of_something(std::size_t members) {
    std::size_t count = 0;
    for (std::size_t n = 1; n <= members; ++n) count += told(n).ihave.empty() ? 0U : 1U;
    return count;
  }
};

}  // namespace

TEST_CASE("repair: at each of three heartbeats Dlazy others are told what we have") {
  Repair repair(20);
  const MessageId id = repair.publish("x").value().id;
  for (int heartbeat = 0; heartbeat < 3; ++heartbeat) {
    repair.heartbeat();
    CHECK(repair.told_of_something(20) == 6);
  }
  repair.heartbeat();
  CHECK(repair.told_of_something(20) == 0);
}

TEST_CASE("repair: of many others a quarter is told") {
  Repair repair(40);
  REQUIRE(repair.publish("x").has_value());
  repair.heartbeat();
  CHECK(repair.told_of_something(40) == 10);
}

TEST_CASE("repair: the mesh is not told, and neither is who takes no stream") {
  Router router;
  router.subscribe_us();
  for (std::size_t n = 1; n <= 7; ++n) router.member(n), router.told(n);
  router.break_stream(7);
  REQUIRE(router.mesh_size() == 5);
  REQUIRE(router.publish("x").has_value());
  router.heartbeat();
  for (std::size_t n = 1; n <= 5; ++n) CHECK(router.told(n).ihave.empty());
  CHECK(router.told(6).ihave.size() == 1);
  CHECK(router.told(7).ihave.empty());
}

TEST_CASE("repair: all topics are told of in one RPC, for peers take ten in a heartbeat") {
  Repair repair(1);
  for (int i = 0; i < 30; ++i) {
    const Topic topic = "topic " + std::to_string(i);
    repair.subscribe(1, topic);
    REQUIRE(repair.publish("x", topic).has_value());
  }
  repair.told(1);
  repair.heartbeat();
  const Told told = repair.told(1);
  CHECK(told.ihave.size() == 30);
  CHECK(told.rpcs == 1);
}

TEST_CASE("repair: what is asked for comes, three times to one peer and no more") {
  Repair repair(2);
  const MessageId id = repair.publish("x").value().id;
  for (int i = 0; i < 5; ++i) repair.iwant(1, {id, made_up(1)});
  CHECK(repair.told(1).messages.size() == gossip::kMostServed);
  repair.iwant(2, {id});
  CHECK(repair.told(2).messages.size() == 1);
}

TEST_CASE("repair: a message is served for five heartbeats") {
  Repair repair(1);
  const MessageId id = repair.publish("x").value().id;
  for (int i = 0; i < 4; ++i) repair.heartbeat();
  repair.iwant(1, {id});
  CHECK(repair.told(1).messages.size() == 1);
  repair.heartbeat();
  repair.iwant(1, {id});
  CHECK(repair.told(1).messages.empty());
}

TEST_CASE("repair: what we lack is asked for, what we have seen is not") {
  Repair repair(2);
  const Bytes message = signed_message(9, "seen");
  repair.message(1, message);
  repair.ihave(2, {id_of(message), made_up(1)});
  CHECK(repair.told(2).iwant == std::vector<MessageId>{made_up(1)});
}

TEST_CASE("repair: an IHAVE for a topic that we have not joined is passed over") {
  Repair repair(1);
  repair.ihave(1, {made_up(1)}, "u");
  CHECK(repair.told(1).nothing());
  CHECK(repair.gossip.stats().asking == 0);
}

TEST_CASE("repair: who promised and does not bring it does not keep the next from being asked") {
  Repair repair(2);
  repair.ihave(1, {made_up(1)});
  CHECK(repair.told(1).iwant.size() == 1);
  repair.ihave(2, {made_up(1)});
  CHECK(repair.told(2).nothing());
  repair.pass(gossip::kAskAnother);
  repair.ihave(1, {made_up(1)});
  CHECK(repair.told(1).nothing());
  repair.ihave(2, {made_up(1)});
  CHECK(repair.told(2).iwant.size() == 1);
}

TEST_CASE("repair: the same peer is asked again after three seconds") {
  Repair repair(1);
  repair.ihave(1, {made_up(1)});
  repair.told(1);
  repair.pass(gossip::kAskAgain);
  repair.ihave(1, {made_up(1)});
  CHECK(repair.told(1).iwant.size() == 1);
}

TEST_CASE("repair: a message that comes is no longer asked for") {
  Repair repair(2);
  const Bytes message = signed_message(9, "wanted");
  repair.ihave(1, {id_of(message)});
  CHECK(repair.gossip.stats().asking == 1);
  repair.message(1, message);
  CHECK(repair.gossip.stats().asking == 0);
  CHECK(repair.delivered.size() == 1);
}

TEST_CASE("repair: what is wanted while our stream still opens is asked for behind the hello") {
  Repair repair(0);
  repair.connect(1);
  repair.subscribe(1);
  repair.ihave(1, {made_up(1)});
  repair.open(1);
  CHECK(repair.told(1).iwant.size() == 1);
}

// --- floods
TEST_CASE("H37: of an IHAVE flood ten RPCs are looked at in a heartbeat") {
  Repair repair(1);
  for (std::uint32_t i = 0; i < 50; ++i) repair.ihave(1, many(i, 1));
  CHECK(repair.told(1).iwant.size() == gossip::kMostIHaves);
  repair.heartbeat();
  repair.ihave(1, many(100, 1));
  CHECK(repair.told(1).iwant.size() == 1);
}

TEST_CASE("H37: a peer makes us ask for 5000 ids in a heartbeat") {
  Repair repair(1);
  for (std::uint32_t rpc = 0; rpc < 9; ++rpc) {
    gossip::Rpc have;
    have.ihave.push_back({"t", many(1'000'000 + rpc * 800, 800)});
    repair.say(1, have);
  }
  CHECK(repair.told(1).iwant.size() == gossip::kMostAsked);
  repair.pass(5s);
  CHECK(repair.gossip.stats().asking == 0);
}

TEST_CASE("H37: peers who promise all they can and bring nothing keep no other from being asked") {
  Repair repair(5);
  for (std::uint32_t beat = 0; beat < 3; ++beat) {
    if (beat > 0) repair.heartbeat();
    for (std::uint32_t n = 1; n <= 4; ++n)
      for (std::uint32_t rpc = 0; rpc < 10; ++rpc)
        repair.ihave(n, many(beat * 1'000'000 + n * 10'000 + rpc * 500, 500));
  }
  REQUIRE(repair.gossip.stats().asking == gossip::kMostAsking);
  repair.ihave(1, {made_up(7)});
  repair.ihave(5, {made_up(8)});
  CHECK(std::ranges::count(repair.told(1).iwant, made_up(7)) == 0);
  CHECK(repair.told(5).iwant == std::vector<MessageId>{made_up(8)});
  repair.pass(10s);
  CHECK(repair.gossip.stats().asking == 0);
}

TEST_CASE("H37: with what many peers promise at once, few more than 60000 ids are asked for") {
  Repair repair(13);
  for (std::uint32_t n = 1; n <= 13; ++n)
    for (std::uint32_t rpc = 0; rpc < 10; ++rpc) repair.ihave(n, many(n * 10'000 + rpc * 500, 300));
  CHECK(repair.gossip.stats().asking == 13 * 10 * 300);
  repair.heartbeat();
  for (std::uint32_t n = 1; n <= 13; ++n)
    for (std::uint32_t rpc = 0; rpc < 10; ++rpc)
      repair.ihave(n, many(1'000'000 + n * 10'000 + rpc * 500, 300));
  const std::size_t asking = repair.gossip.stats().asking;
  CHECK(asking >= gossip::kMostAsking);
  CHECK(asking < 2 * gossip::kMostAsking);
}

TEST_CASE("H37: who promises, leaves and comes again keeps no other from being asked") {
  Repair repair(2);
  for (std::uint32_t life = 0; life < 30; ++life) {
    for (std::uint32_t rpc = 0; rpc < 10; ++rpc)
      repair.ihave(1, many(life * 10'000 + rpc * 500, 500));
    repair.leave(1);
    repair.join(1);
  }
  CHECK(repair.gossip.stats().asking <= 2 * gossip::kMostAsking);
  repair.ihave(2, {made_up(1'000'007)});
  CHECK(repair.told(2).iwant == std::vector<MessageId>{made_up(1'000'007)});
}

TEST_CASE("repair: what somebody who left had promised is asked of the next at once") {
  Repair repair(2);
  repair.ihave(1, {made_up(1)});
  repair.leave(1);
  repair.ihave(2, {made_up(1)});
  CHECK(repair.told(2).iwant == std::vector<MessageId>{made_up(1)});
}

TEST_CASE("repair: who takes no stream of ours is asked for nothing") {
  Repair repair(1);
  repair.break_stream(1);
  repair.ihave(1, {made_up(1)});
  CHECK(repair.gossip.stats().asking == 0);
}

TEST_CASE("H38: an IWANT flood costs three copies and then nothing") {
  Repair repair(1);
  const MessageId id = repair.publish("x").value().id;
  gossip::Rpc want;
  want.iwant.assign(1'000, id);
  repair.say(1, want);
  CHECK(repair.told(1).messages.size() == gossip::kMostServed);
}

TEST_CASE("H37: a flood of IDONTWANT is bounded like the rest, and changes nothing") {
  Repair repair(1);
  Bytes ids;
  for (int i = 0; i < 5'001; ++i) append(ids, Bytes{0x0a, 0x01, 0x07});
  Bytes dont_want{0x2a}, control{0x1a};
  put_frame(dont_want, ids);
  put_frame(control, dont_want);
  repair.say_raw(1, control);
  REQUIRE(repair.faults.size() == 1);
  CHECK(repair.faults[0].why == Error{Errc::limit, {}});
}

}  // namespace kadmesh
