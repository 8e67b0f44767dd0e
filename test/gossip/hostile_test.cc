#include "gossip/backoff.h"
#include "gossip/message_cache.h"
#include "gossip/seen_cache.h"
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

MessageId numbered(std::size_t n) { return text_bytes("message " + std::to_string(n)); }

auto frame_of(std::size_t size) { return std::make_shared<const Bytes>(size); }

}  // namespace

TEST_CASE("H33: GRAFTs for endless unknown topics create nothing") {
  Router router;
  router.join(1);
  for (int i = 0; i < 1'000; ++i) router.graft(1, "unknown " + std::to_string(i));
  const GossipStats stats = router.gossip.stats();
  CHECK(stats.topics == 0);
  CHECK(stats.backoffs == 0);
  CHECK(router.told(1).nothing());
}

TEST_CASE("H33: PRUNEs, UNSUBSCRIBEs and messages for unknown topics create nothing") {
  Router router;
  router.join(1);
  for (int i = 0; i < 100; ++i) {
    const Topic topic = "unknown " + std::to_string(i);
    router.prune(1, 60, topic);
    router.subscribe(1, topic, false);
    router.message(1, signed_message(1, "x", 1, topic));
  }
  const GossipStats stats = router.gossip.stats();
  CHECK(stats.topics + stats.backoffs + stats.seen + stats.cached == 0);
}

TEST_CASE("H34: endless unique subscriptions are noted up to a bound, and freed with the peer") {
  Router router;
  router.join(1);
  for (int i = 0; i < 1'000; ++i) router.subscribe(1, "topic " + std::to_string(i));
  CHECK(router.gossip.stats().topics == gossip::kMostTopicsOfPeer);
  router.leave(1);
  CHECK(router.gossip.stats().topics == 0);
}

TEST_CASE("H34: subscribing and leaving over and over leaves nothing behind") {
  Router router;
  router.join(1);
  for (int i = 0; i < 1'000; ++i) {
    router.subscribe(1, "topic " + std::to_string(i));
    router.subscribe(1, "topic " + std::to_string(i), false);
  }
  CHECK(router.gossip.stats().topics == 0);
}

TEST_CASE("H34: a topic that we have joined is noted however many others a peer names before") {
  Router router;
  router.subscribe_us("zebra");
  router.join(1);
  for (int i = 0; i < 300; ++i) router.subscribe(1, "topic " + std::to_string(i));
  router.subscribe(1, "zebra");
  CHECK(router.in_mesh(1, "zebra"));
}

TEST_CASE("H35, H36: an RPC that breaks a bound faults its stream and changes nothing") {
  Router router;
  router.subscribe_us();
  router.join(1);
  Bytes rpc;
  for (int i = 0; i < 600; ++i) append(rpc, from_hex("0a050801120161").value());
  router.say_raw(1, rpc);
  REQUIRE(router.faults.size() == 1);
  CHECK(router.faults[0].peer == id(1));
  CHECK(router.faults[0].why.code == Errc::limit);
  CHECK(router.gossip.stats().topics == 1);
}

TEST_CASE("H45: the seen cache keeps so many and so long, and the oldest leave first") {
  gossip::SeenCache seen(120s, 3);
  const auto numbered = [](std::size_t n) { return SipHash{static_cast<std::uint8_t>(n)}; };
  for (std::size_t n = 1; n <= 3; ++n) CHECK(seen.add(numbered(n), Time(std::chrono::seconds(n))));
  CHECK_FALSE(seen.add(numbered(1), Time(4s)));
  CHECK(seen.add(numbered(4), Time(4s)));
  CHECK(seen.size() == 3);
  CHECK_FALSE(seen.contains(numbered(1)));
  seen.expire(Time(122s));
  CHECK_FALSE(seen.contains(numbered(2)));
  CHECK(seen.contains(numbered(3)));
  seen.expire(Time(1h));
  CHECK(seen.size() == 0);
}

TEST_CASE("H45: the router forgets what it has seen after seen_ttl, and only then") {
  Router router;
  router.subscribe_us();
  router.member(1);
  router.message(1, signed_message(9, "x"));
  router.pass(119s);
  CHECK(router.gossip.stats().seen == 1);
  router.pass(2s);
  CHECK(router.gossip.stats().seen == 0);
}

TEST_CASE("H45: the message cache is bounded in messages and in bytes, the oldest leave first") {
  gossip::MessageCache cache(5, 3, SipKey{});
  for (std::size_t n = 0; n <= gossip::kMostCached; ++n) cache.put(numbered(n), "t", frame_of(1));
  CHECK(cache.size() == gossip::kMostCached);
  CHECK(cache.serve(numbered(0), id(1)) == nullptr);
  CHECK(cache.serve(numbered(1), id(1)) != nullptr);
  gossip::MessageCache heavy(5, 3, SipKey{});
  for (std::size_t n = 0; n < 100; ++n) {
    heavy.put(numbered(n), "t", frame_of(1024 * 1024));
    if (n % 30 == 0) heavy.shift();
  }
  CHECK(heavy.size() == 64);
}

TEST_CASE("H45: of the message cache only the newest windows are told, by topic") {
  gossip::MessageCache cache(3, 2, SipKey{});
  cache.put(numbered(1), "a", frame_of(1));
  cache.shift();
  cache.put(numbered(2), "b", frame_of(1));
  cache.put(numbered(2), "a", frame_of(1));  // known: stays what and where it was
  CHECK(cache.told()["a"] == std::vector<MessageId>{numbered(1)});
  CHECK(cache.told()["b"] == std::vector<MessageId>{numbered(2)});
  cache.shift();
  CHECK_FALSE(cache.told().contains("a"));
  CHECK(cache.serve(numbered(1), id(1)) != nullptr);
  cache.shift();
  CHECK(cache.serve(numbered(1), id(1)) == nullptr);
}

// Without scores there is nothing to lose; what must hold is that nothing is taken away either.
TEST_CASE("H46: honest duplicates cost their senders neither the mesh nor the stream") {
  Router router;
  router.subscribe_us();
  for (std::size_t n = 1; n <= 3; ++n) router.member(n);
  const Bytes message = signed_message(9, "x");
  for (int i = 0; i < 100; ++i)
    for (std::size_t n = 1; n <= 3; ++n) router.message(n, message);
  CHECK(router.mesh_size() == 3);
  CHECK(router.faults.empty());
  CHECK(router.delivered.size() == 1);
  CHECK(router.gossip.stats().duplicates == 299);
}

TEST_CASE("H38: backoffs are bounded in number") {
  gossip::Backoff backoff(2, 1s);
  for (std::size_t n = 1; n <= 3; ++n)
    backoff.add("t", id(n), Time(10s), gossip::PruneCause::they_pruned);
  CHECK(backoff.size() == 2);
  CHECK(backoff.stands("t", id(2), Time(9s)));
  CHECK_FALSE(backoff.stands("t", id(2), Time(10s)));
  CHECK(backoff.bars("t", id(2), Time(10s)));
  backoff.add("t", id(2), Time(5s), gossip::PruneCause::we_left);
  CHECK(backoff.find("t", id(2))->until == Time(10s));
  backoff.expire(Time(11s));
  CHECK(backoff.size() == 0);
}

TEST_CASE("H38: PRUNEs of who is in no mesh of ours are not remembered") {
  Router router;
  for (int n = 0; n < 20; ++n) router.subscribe_us("t" + std::to_string(n));
  router.join(1);
  for (int n = 0; n < 20; ++n) router.prune(1, 60, "t" + std::to_string(n));
  CHECK(router.gossip.stats().backoffs == 0);
}

TEST_CASE("mesh: who leaves a topic and prunes us in the same RPC is remembered") {
  Router router;
  router.subscribe_us();
  router.member(1);
  REQUIRE(router.in_mesh(1));
  gossip::Rpc rpc;
  rpc.subscriptions.push_back({false, "t"});
  rpc.prune.push_back({"t", 10, {}});
  router.say(1, rpc);
  CHECK(router.gossip.stats().backoffs == 1);
}

TEST_CASE("H43: a peer that never lets our stream open leaves nothing behind either") {
  Router router;
  router.subscribe_us();
  for (std::size_t n = 1; n <= 50; ++n) {
    router.connect(n);
    router.subscribe(n), router.graft(n), router.graft(n, "u");
    REQUIRE(router.publish("x").has_value());
    router.break_stream(n);
    router.leave(n);
  }
  const GossipStats stats = router.gossip.stats();
  CHECK(stats.peers == 0);
  CHECK(stats.topics == 1);
  for (const auto& [peer, held] : router.held) CHECK(held == 0);
}

}  // namespace kadmesh
