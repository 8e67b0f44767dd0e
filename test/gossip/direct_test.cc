// Explicit peers, peers who know floodsub alone, and what one who prunes says of others.
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

Multiaddr home(std::size_t n) {
  return Multiaddr::from_text("/ip4/10.0.0." + std::to_string(n) + "/tcp/4001/p2p/" + id(n).text())
      .value();
}
GossipConfig with_direct(std::initializer_list<std::size_t> peers) {
  GossipConfig config;
  for (const std::size_t n : peers) config.direct.push_back(home(n));
  return config;
}

constexpr std::string_view kFloodsub = "/floodsub/1.0.0";

}  // namespace

TEST_CASE("direct: who is not there is dialed at the first heartbeat, and every five minutes") {
  Router router(with_direct({1, 2}));
  router.join(2);
  router.heartbeat();
  CHECK(router.to_dial == std::vector<PeerId>{id(1)});
  router.pass(4min + 50s);
  CHECK(router.to_dial.size() == 1);
  router.pass(15s);
  CHECK(router.to_dial.size() == 2);
}

TEST_CASE("direct: an address without its peer is refused by name") {
  GossipConfig config;
  config.direct.push_back(home(1).without_peer());
  CHECK(check(config).error().detail.find("/p2p") != std::string::npos);
}

TEST_CASE("direct: they are in no mesh and get every message of their topics") {
  Router router(with_direct({1}));
  router.subscribe_us();
  router.member(1), router.member(2), router.member(3);
  CHECK_FALSE(router.in_mesh(1));
  CHECK(router.told(1).graft.empty());
  const Bytes message = signed_message(9, "news");
  router.message(2, message);
  CHECK(router.told(1).messages == std::vector<std::string>{"news"});
  CHECK(router.told(3).messages.size() == 1);
}

TEST_CASE("direct: they are held, and get what comes while our stream to them opens") {
  Router router(with_direct({1}));
  router.subscribe_us();
  router.connect(1);
  CHECK(router.held[id(1)] == 1);
  router.subscribe(1);
  router.member(2);
  router.message(2, signed_message(9, "news"));
  router.open(1);
  CHECK(router.told(1).messages == std::vector<std::string>{"news"});
  router.subscribe(1, "t", false);
  CHECK(router.held[id(1)] == 1);
}

TEST_CASE("direct: without flooding they get what we publish besides the mesh") {
  GossipConfig config = with_direct({1});
  config.flood_publish = false;
  Router router(config);
  router.subscribe_us();
  for (std::size_t n = 1; n <= 9; ++n) router.member(n);
  const Receipt receipt = router.publish("news").value();
  CHECK(receipt.peers.size() == GossipConfig{}.d + 1);
  CHECK(router.told(1).messages.size() == 1);
}

TEST_CASE("direct: no IHAVE goes to them") {
  Router router(with_direct({1}));
  for (std::size_t n = 1; n <= 2; ++n) router.member(n);
  REQUIRE(router.publish("news"));
  router.gossip.config();
  router.told(1), router.told(2);
  router.subscribe_us();
  router.member(3);
  router.message(3, signed_message(9, "more"));
  router.heartbeat();
  CHECK(router.told(1).ihave.empty());
}

TEST_CASE("mesh: an explicit peer's GRAFT is answered by a PRUNE") {
  Router router(with_direct({1}));
  router.subscribe_us();
  router.member(1);
  router.told(1);
  router.graft(1);
  const Told told = router.told(1);
  REQUIRE(told.prune.size() == 1);
  CHECK(told.prune[0].peers.empty());
  CHECK_FALSE(router.in_mesh(1));
  CHECK(router.gossip.why(id(1), router.now).find("explicit peer") != std::string::npos);
}

TEST_CASE("floodsub: who speaks nothing else gets each message of its topics, and no control") {
  Router router;
  router.subscribe_us();
  router.member(1, false, kFloodsub);
  router.member(2);
  const Told hello = router.told(1);
  CHECK(hello.subscriptions.size() == 1);
  CHECK(hello.graft.empty());
  CHECK_FALSE(router.in_mesh(1));
  router.message(2, signed_message(9, "news"));
  router.heartbeat();
  router.unsubscribe_us();
  const Told told = router.told(1);
  CHECK(told.messages == std::vector<std::string>{"news"});
  CHECK(told.ihave.empty());
  CHECK(told.prune.empty());
  CHECK(told.subscriptions.size() == 1);
}

TEST_CASE("floodsub: who subscribes before our stream is open leaves the mesh when it opens") {
  Router router;
  router.subscribe_us();
  router.connect(1);
  router.subscribe(1);
  CHECK(router.in_mesh(1));
  router.open(1, kFloodsub);
  CHECK_FALSE(router.in_mesh(1));
  router.member(2);
  router.message(2, signed_message(9, "news"));
  CHECK(router.told(1).messages.size() == 1);
}

TEST_CASE("floodsub: it is offered behind the mesh's protocols") {
  const auto protocols = GossipConfig{}.protocols;
  CHECK(protocols.front() == "/meshsub/1.3.0");
  CHECK(protocols.back() == kFloodsub);
}

// --- peer exchange
namespace {

struct Exchange : Router {
  static GossipConfig config() {
    GossipConfig config;
    config.exchange_peers = 3;
    return config;
  }
  Exchange() : Router(config()) {
    subscribe_us();
    for (std::size_t n = 1; n <= 6; ++n) member(n);
    for (std::size_t n = 1; n <= 6; ++n) {
      gossip.on_record(turn(), id(n), text_bytes("record of " + std::to_string(n)));
      told(n);
    }
  }
};

}  // namespace

TEST_CASE("px: who is pruned for room is told of others, with their records") {
  Exchange net;
  net.unsubscribe_us();
  const auto named = net.told(1).prune.at(0).peers;
  REQUIRE(named.size() == 3);
  for (const gossip::Exchanged& other : named) {
    CHECK(other.peer != id(1));
    CHECK(as_text(other.record).starts_with("record of "));
  }
}

TEST_CASE("px: no peers go out for an early GRAFT, or to v1.0") {
  Exchange net;
  net.prune(1, 60);
  net.graft(1);
  CHECK(net.told(1).prune.at(0).peers.empty());
  net.member(7, false, "/meshsub/1.0.0");
  net.graft(7);
  net.told(7);
  net.unsubscribe_us();
  CHECK(net.told(7).prune.at(0).peers.empty());
}

TEST_CASE("px: who speaks only floodsub is neither named nor told") {
  Router router(Exchange::config());
  router.subscribe_us();
  router.member(1), router.member(2, false, kFloodsub);
  router.unsubscribe_us();
  CHECK(router.told(1).prune.at(0).peers.empty());
  CHECK(router.told(2).prune.empty());
}

TEST_CASE("px: of those whom a PRUNE names sixteen whom we do not know are met") {
  GossipConfig config;
  config.scoring->thresholds.accept_px = 0;
  Router router(config);
  router.subscribe_us();
  router.member(1), router.member(2);
  gossip::Rpc rpc;
  rpc.prune.push_back({"t", 60, {}});
  rpc.prune[0].peers = {{id(0), {}}, {id(2), {}}};
  for (std::size_t n = 10; n < 40; ++n) rpc.prune[0].peers.push_back({id(n), {1}});
  router.say(1, rpc);
  CHECK(router.met.size() == gossip::kMostMet);
  for (const GossipMeet& meet : router.met) {
    CHECK(meet.peer != id(0));
    CHECK(meet.peer != id(2));
    CHECK(meet.named_by == id(1));
  }
}

TEST_CASE("px: a PRUNE of a topic that we have not joined introduces nobody") {
  GossipConfig config;
  config.scoring->thresholds.accept_px = 0;
  Router router(config);
  router.join(1);
  gossip::Rpc rpc;
  rpc.prune.push_back({"elsewhere", 60, {{id(9), {}}}});
  router.say(1, rpc);
  CHECK(router.met.empty());
}

}  // namespace kadmesh
