// What a router tells of itself: its trace, event by event, and its figures.
#include <doctest/doctest.h>

#include "gossip/router.h"
#include "gossip/trace_format.h"

using namespace kadmesh;
using namespace kadmesh::testing;

namespace {

GossipConfig tracing() {
  GossipConfig config;
  config.trace = true;
  return config;
}

// The names of the events but RPCs.
std::vector<std::string> happened(Router& router) {
  static constexpr std::string_view kNames[] = {
      "published", "rejected", "duplicate", "delivered", "opened",  "closed", "",
      "",          "",         "joined",    "left",      "grafted", "pruned"};
  std::vector<std::string> out;
  for (const TraceEvent& event : std::exchange(router.events, {}))
    if (const std::string_view name = kNames[event.index()]; !name.empty()) out.emplace_back(name);
  return out;
}

template <class Event>
std::vector<Event> only(const std::vector<TraceEvent>& events) {
  std::vector<Event> out;
  for (const TraceEvent& event : events)
    if (const auto* one = std::get_if<Event>(&event)) out.push_back(*one);
  return out;
}

using Names = std::vector<std::string>;

std::uint64_t part(const RpcCounts& counts, RpcPart which) {
  return counts[static_cast<std::size_t>(which)];
}

}  // namespace

TEST_CASE("trace: who does not ask for it gets none") {
  Router router;
  router.subscribe_us();
  router.member(1);
  router.publish("hello");
  CHECK(router.events.empty());
}

TEST_CASE("trace: a peer and a topic come and go") {
  Router router(tracing());
  router.subscribe_us();
  CHECK(happened(router) == Names{"joined"});
  router.member(1);
  CHECK(happened(router) == Names{"opened", "grafted"});
  router.prune(1, 60);
  CHECK(happened(router) == Names{"pruned"});
  router.break_stream(1);
  CHECK(happened(router) == Names{"closed"});
  router.leave(1);  // its stream was closed already
  CHECK(happened(router) == Names{});
  router.member(2);
  happened(router);
  router.unsubscribe_us();
  CHECK(happened(router) == Names{"pruned", "left"});
  router.leave(2);
  CHECK(happened(router) == Names{"closed"});
}

TEST_CASE("trace: what becomes of messages") {
  Router router(tracing());
  router.subscribe_us();
  router.member(1);
  happened(router);
  const Bytes good = signed_message(5, "good");
  router.message(1, good);
  CHECK(happened(router) == Names{"delivered"});
  router.message(1, good);
  CHECK(happened(router) == Names{"duplicate"});
  Bytes forged = signed_message(5, "forged", 2);
  forged.back() ^= 1;
  router.message(1, forged);
  CHECK(happened(router) == Names{"rejected"});
  router.publish("ours");
  CHECK(happened(router) == Names{"published", "delivered"});
}

TEST_CASE("trace: why a message was refused is said in go's words, and who brought it") {
  Router router(tracing());
  router.subscribe_us();
  router.member(1);
  Bytes forged = signed_message(5, "forged");
  forged.back() ^= 1;
  router.message(1, forged);
  const auto rejected = only<traced::Rejected>(router.events);
  REQUIRE(rejected.size() == 1);
  CHECK(rejected[0].reason == "invalid signature");
  CHECK(rejected[0].from == id(1));
  CHECK(rejected[0].topic == "t");
  CHECK(rejected[0].id == testing::id_of(forged));
}

TEST_CASE("trace: RPCs with all that they are made of") {
  Router router(tracing());
  router.subscribe_us();
  router.member(1);
  router.events.clear();
  const Bytes message = signed_message(5, "data");
  gossip::Rpc rpc;
  rpc.publish.push_back(message);
  router.say(1, rpc);
  router.ihave(1, {number(9)});
  router.prune(1, 60);
  const auto received = only<traced::RpcReceived>(router.events);
  REQUIRE(received.size() == 3);
  REQUIRE(received[0].rpc.messages.size() == 1);
  CHECK(received[0].rpc.messages[0].id == testing::id_of(message));
  CHECK(received[0].rpc.messages[0].topic == "t");
  REQUIRE(received[1].rpc.ihave.size() == 1);
  CHECK(received[1].rpc.ihave[0].ids == std::vector<MessageId>{number(9)});
  REQUIRE(received[2].rpc.prune.size() == 1);
  const auto sent = only<traced::RpcSent>(router.events);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].peer == id(1));
  CHECK(sent[0].rpc.iwant == std::vector<MessageId>{number(9)});
}

TEST_CASE("trace: what cannot be read, and who is on the graylist, makes no events") {
  Router router(tracing());
  router.subscribe_us();
  router.member(1);
  router.events.clear();
  router.say_raw(1, Bytes{0x12, 0x00, 0x12, 0x00});  // two messages of nothing
  CHECK(happened(router) == Names{});
  CHECK(router.gossip.stats().rejected == 2);
  router.prune(1, 60);
  while (router.gossip.stats().graylisted == 0) router.graft(1);
  router.events.clear();
  router.graft(1);
  CHECK(router.events.empty());
}

TEST_CASE("trace: frames that a peer does not take are dropped, and said to be") {
  Router router(tracing());
  router.member(1);
  router.reads = false;
  const std::string large(512 * 1024, 'x');
  while (router.slow.empty()) REQUIRE(router.publish(large).has_value());
  const auto dropped = only<traced::RpcDropped>(router.events);
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0].peer == id(1));
  CHECK(dropped[0].rpc.messages.size() == 1);
  CHECK(router.gossip.stats().slowed == 1);
}

// --- as go's tracers write it
TEST_CASE("trace format: a protobuf behind its length, as pb/trace.proto has it") {
  const PeerId node = PeerId::from_bytes(Bytes{0, 1, 'n'}).value();
  const PeerId peer = PeerId::from_bytes(Bytes{0, 1, 'p'}).value();
  const TraceEvent event = traced::Grafted{peer, "t"};
  // type 11; peerID; timestamp 300; field 15: peerID, topic
  CHECK(trace_protobuf(node, WallTime(300ns), event) ==
        Bytes{0x14, 0x08, 0x0b, 0x12, 0x03, 0, 1,   'n',  0x18, 0xac, 0x02,
              0x7a, 0x08, 0x0a, 0x03, 0,    1, 'p', 0x12, 0x01, 't'});
}

TEST_CASE("trace format: a line of JSON, as encoding/json has it") {
  const PeerId node = PeerId::from_bytes(Bytes{0, 1, 'n'}).value();
  const PeerId peer = PeerId::from_bytes(Bytes{0, 1, 'p'}).value();
  CHECK(trace_json(node, WallTime(300ns), traced::Published{{1, 2, 3, 4}, "a \"b\"\n\xff"}) ==
        "{\"type\":0,\"peerID\":\"AAFu\",\"timestamp\":300,\"publishMessage\":"
        "{\"messageID\":\"AQIDBA==\",\"topic\":\"a \\\"b\\\"\\u000a\xef\xbf\xbd\"}}\n");
  TracedRpc rpc;
  rpc.subscriptions = {{true, "t"}};
  rpc.iwant = {{1, 2}, {3}};
  rpc.prune = {{"t", {peer}}};
  CHECK(trace_json(node, WallTime(), traced::RpcSent{peer, rpc}) ==
        "{\"type\":7,\"peerID\":\"AAFu\",\"timestamp\":0,\"sendRPC\":{\"sendTo\":\"AAFw\",\"meta\":"
        "{\"subscription\":[{\"subscribe\":true,\"topic\":\"t\"}],\"control\":"
        "{\"iwant\":[{\"messageIDs\":[\"AQI=\",\"Aw==\"]}],"
        "\"prune\":[{\"topic\":\"t\",\"peers\":[\"AAFw\"]}]}}}}\n");
}

// --- figures
TEST_CASE("stats: a topic's figures are exact") {
  Router router;
  router.subscribe_us();
  router.member(1);
  router.message(1, signed_message(5, "one"));
  router.message(1, signed_message(5, "one"));
  router.message(1, signed_message(5, "two", 2));
  Bytes forged = signed_message(5, "forged", 3);
  forged.back() ^= 1;
  router.message(1, forged);
  router.publish("ours");
  router.ihave(1, {number(9)});
  const TopicStats stats = router.view().stats;
  CHECK(stats.delivered == 2);
  CHECK(stats.duplicates == 1);
  CHECK(stats.published == 1);
  CHECK(stats.refused[static_cast<std::size_t>(Refusal::signature)] == 1);
  CHECK(stats.grafts == 1);
  CHECK(stats.iwant == 1);
  const GossipStats all = router.gossip.stats();
  CHECK(part(all.parts_in, RpcPart::publish) == 4);
  CHECK(part(all.parts_in, RpcPart::subscribe) == 1);
  CHECK(part(all.parts_in, RpcPart::ihave) == 1);
  CHECK(part(all.parts_out, RpcPart::publish) == 1);
  CHECK(part(all.parts_out, RpcPart::subscribe) == 1);
  CHECK(part(all.parts_out, RpcPart::graft) == 1);
  CHECK(part(all.parts_out, RpcPart::iwant) == 1);
  CHECK(all.penalties[static_cast<std::size_t>(Penalty::invalid_message)] == 1);
}

TEST_CASE("stats: a message that waits for its verdict counts its wait as delay") {
  GossipConfig config;
  config.manual_validation = true;
  Router router(std::move(config));
  router.subscribe_us();
  router.member(1);
  router.message(1, signed_message(5, "one"));
  router.pass(3s);
  router.judge(router.asked.at(0).id, Verdict::accept);
  const Histogram delay = router.gossip.stats().delay_ms;
  CHECK(delay.count() == 1);
  CHECK(delay.sum() == 3000);
}

TEST_CASE("stats: GRAFTs that should have waited are violations, and scores tell") {
  Router router;
  router.subscribe_us();
  router.member(1);
  router.prune(1, 60);
  for (int i = 0; i < 12; ++i) router.graft(1);
  const GossipStats stats = router.gossip.stats();
  const auto violations = stats.penalties[static_cast<std::size_t>(Penalty::graft_backoff)];
  CHECK(violations > 2);
  CHECK(violations + stats.graylisted == 12);  // from some on it is not listened to
  CHECK(stats.below_zero == 1);
  CHECK(stats.lowest_score < 0);
  CHECK(router.gossip.scores() == std::vector<double>{stats.lowest_score});
}
