// v1.3: what a peer says that it can do, and the one extension: partial messages.
#include <set>

#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::string_view kV13 = "/meshsub/1.3.0";

GossipConfig with_parts() {
  GossipConfig config;
  config.partial_messages = true;
  return config;
}

// Joined "t" for whole messages and parts.
struct Net : Router {
  explicit Net(PartialUse ours = {.requests = true, .supports = true},
               GossipConfig config = with_parts())
      : Router(std::move(config)) {
    CHECK(gossip.subscribe(turn(), "t", ours).has_value());
  }
  void member_with(std::size_t n, PartialUse use, bool extension = true) {
    connect(n);
    open(n, kV13);
    gossip::Rpc hello;
    if (extension) hello.extensions = gossip::Extensions{.partial_messages = true};
    hello.subscriptions.push_back({true, "t", use});
    say(n, hello);
    told(n);
  }
  void part(std::size_t n, std::uint8_t group, const Topic& topic = "t") {
    gossip::Rpc rpc;
    rpc.partial = PartialMessage{topic, {group}, {1}, {2}};
    say(n, rpc);
  }
  Result<Sent> send(std::size_t n, Bytes message, Bytes metadata) {
    return send_parts(n, {"t", {7}, std::move(message), std::move(metadata)});
  }
};

constexpr PartialUse kBoth{.requests = true, .supports = true}, kGives{.supports = true};

}  // namespace

TEST_CASE("extensions: ours are in the first RPC of a stream to a peer of v1.3, and in no other") {
  Router router(with_parts());
  router.connect(1), router.open(1, kV13);
  CHECK(router.told(1).extensions.has_value());
  router.subscribe_us();
  CHECK_FALSE(router.told(1).extensions.has_value());
  router.connect(2), router.open(2, "/meshsub/1.2.0");
  CHECK_FALSE(router.told(2).extensions.has_value());
  router.break_stream(1), router.open(1, kV13);
  CHECK(router.told(1).extensions.has_value());
}

TEST_CASE("extensions: who supports none says nothing of them") {
  Router router;
  router.connect(1), router.open(1, kV13);
  CHECK(router.told(1).nothing());
}

TEST_CASE("extensions: those of a peer hold until its next stream") {
  GossipConfig config = with_parts();
  config.scoring.reset();
  Net net(kBoth, config);
  net.member_with(1, kBoth, false);
  gossip::Rpc again;
  again.extensions = gossip::Extensions{.partial_messages = true};
  net.say(1, again);  // too late on this stream
  CHECK(net.send(1, {1}, {}) == fail(Errc::no_peers));
  net.gossip.on_stream_accepted(net.turn(), id(1));
  net.say(1, again);
  CHECK(net.send(1, {1}, {}).has_value());
}

TEST_CASE("partial: who requests parts gets parts and metadata, and no whole message") {
  Net net;
  net.member_with(1, kBoth), net.member_with(2, {});
  const Receipt receipt = net.publish("whole").value();
  REQUIRE(receipt.peers.size() == 1);
  CHECK(receipt.peers[0].peer == id(2));
  net.message(2, signed_message(9, "forwarded"));
  CHECK(net.told(1).messages.empty());
  CHECK(net.send(1, {4}, {5}).has_value());
  const Told told = net.told(1);
  REQUIRE(told.parts.size() == 1);
  CHECK(told.parts[0].message == Bytes{4});
  CHECK(told.parts[0].metadata == Bytes{5});
}

TEST_CASE("partial: a GRAFT takes back nothing of what a SUBSCRIBE said") {
  Net net;
  for (std::size_t n = 1; n <= 6; ++n) net.member_with(n, kBoth);
  REQUIRE_FALSE(net.in_mesh(6));
  net.graft(6);
  REQUIRE(net.in_mesh(6));
  CHECK(net.gossip.partial_peers("t").size() == 6);
}

TEST_CASE("partial: who can send parts and requests none gets metadata, and whole messages") {
  Net net;
  net.member_with(1, kGives), net.member_with(2, {});
  CHECK(net.gossip.partial_peers("t") == std::vector<PartialPeer>{{id(1), false}});
  CHECK(net.send(1, {4}, {5}).has_value());
  const Told told = net.told(1);
  CHECK(told.parts.at(0).message.empty());
  CHECK(told.parts.at(0).metadata == Bytes{5});
  net.message(2, signed_message(9, "whole"));
  CHECK(net.told(1).messages.size() == 1);
}

TEST_CASE(
    "partial: without the extension on both sides whole messages go, whatever a SUBSCRIBE says") {
  Net net;
  net.member_with(1, kBoth, false);
  CHECK(net.gossip.partial_peers("t").empty());
  CHECK(net.send(1, {4}, {5}) == fail(Errc::no_peers));
  REQUIRE(net.publish("whole"));
  CHECK(net.told(1).messages.size() == 1);
  net.part(1, 3);
  CHECK(net.parts.empty());
}

TEST_CASE("partial: who subscribes without parts is sent whole messages by us") {
  Net net(PartialUse{});
  net.member_with(1, kBoth);
  REQUIRE(net.publish("whole"));
  CHECK(net.told(1).messages.size() == 1);
}

TEST_CASE("partial: a node that is not configured for parts subscribes to whole messages only") {
  Router router;
  CHECK(router.gossip.subscribe(router.turn(), "t", kBoth) == fail(Errc::invalid));
  Router other(with_parts());
  CHECK(other.gossip.subscribe(other.turn(), "t", {.requests = true}) == fail(Errc::invalid));
}

TEST_CASE("partial: parts of a joined topic reach the application, others nobody") {
  Net net;
  net.member_with(1, kBoth);
  net.part(1, 3);
  net.part(1, 3, "elsewhere");
  REQUIRE(net.parts.size() == 1);
  CHECK(net.parts[0].from == id(1));
  CHECK(net.parts[0].parts.group == Bytes{3});
  CHECK(net.parts[0].parts.metadata == Bytes{2});
}

TEST_CASE("partial: no IDONTWANT goes to who sends us parts") {
  Net net;
  net.member_with(1, kBoth), net.member_with(2, {}), net.member_with(3, {});
  net.message(2, signed_message(9, std::string(2000, 'x')));
  CHECK(net.told(1).idontwant.empty());
  CHECK(net.told(3).idontwant.size() == 1);
}

TEST_CASE("partial: at a heartbeat others are told of a group by its metadata, and not by IHAVE") {
  GossipConfig config = with_parts();
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  struct Apart : Router {
    using Router::Router;
  } net(config);
  REQUIRE(net.gossip.subscribe(net.turn(), "t", kBoth));
  for (const std::size_t n : {1U, 2U}) {
    net.connect(n), net.open(n, kV13);
    gossip::Rpc hello;
    hello.extensions = gossip::Extensions{.partial_messages = true};
    hello.subscriptions.push_back({true, "t", kBoth});
    net.say(n, hello);
    net.told(n);
  }
  REQUIRE(net.gossip.send_partial(net.turn(), id(1), {"t", {7}, {}, {5}}));
  REQUIRE(net.publish("seen"));
  net.heartbeat();
  REQUIRE(net.offers.size() == 1);
  CHECK(net.offers[0].group == Bytes{7});
  CHECK(net.offers[0].peers == std::vector<PeerId>{id(2)});
  CHECK(net.told(2).ihave.empty());
  net.heartbeat();
  CHECK(net.offers.size() == 1);  // each is told once
}

TEST_CASE("H44: a peer begins eight groups, and all peers 255 of a topic") {
  Net net;
  for (std::size_t n = 1; n <= 40; ++n) {
    net.member_with(n, kBoth);
    for (std::uint8_t group = 0; group < 9; ++group) {
      gossip::Rpc rpc;
      rpc.partial = PartialMessage{"t", {static_cast<std::uint8_t>(n), group}, {1}, {}};
      net.say(n, rpc);
    }
  }
  std::map<PeerId, std::set<Bytes>> begun;
  std::set<Bytes> all;
  for (const GossipPart& part : net.parts) {
    if (all.insert(part.parts.group).second) begun[part.from].insert(part.parts.group);
  }
  for (const auto& [peer, groups] : begun) CHECK(groups.size() <= gossip::kMostGroupsOfPeer);
  CHECK(all.size() == gossip::kMostGroupsOfTopic);
}

TEST_CASE("H44: groups that peers began are gone three heartbeats later, and with the peer") {
  Net net;
  net.member_with(1, kBoth);
  for (std::uint8_t group = 0; group < 8; ++group) net.part(1, group);
  net.part(1, 100);
  CHECK(net.parts.size() == 8);
  for (int i = 0; i < 5; ++i) net.heartbeat();
  net.part(1, 100);
  CHECK(net.parts.size() == 9);
  for (std::uint8_t group = 0; group < 9; ++group) net.part(1, group);
  const std::size_t before = net.parts.size();
  net.leave(1);
  net.member_with(1, kBoth);
  net.part(1, 200);
  CHECK(net.parts.size() == before + 1);
}

}  // namespace kadmesh
