// What scores do in the router: who is grafted, pruned, heard, served and met.
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

struct Judged : Router {
  explicit Judged(std::size_t members, GossipConfig config = {}) : Router(std::move(config)) {
    subscribe_us();
    for (std::size_t n = 1; n <= members; ++n) member(n);
    for (std::size_t n = 1; n <= members; ++n) told(n);
  }
  void score(std::size_t n, double score) {
    CHECK(gossip.set_application_score(turn(), id(n), score).has_value());
  }
};

Bytes forged(std::uint8_t number) {
  Bytes message = signed_message(9, "lie", number);
  message.back() ^= 1;
  return message;
}

}  // namespace

TEST_CASE("score: forgeries count squared, and drive who sends them out of the mesh") {
  Judged net(6);
  REQUIRE(net.in_mesh(1));
  net.message(1, forged(1));
  CHECK(net.gossip.score(id(1)) == -10);
  net.message(1, forged(2));
  CHECK(net.gossip.score(id(1)) == -40);
  net.heartbeat();
  CHECK_FALSE(net.in_mesh(1));
  CHECK(net.gossip.why(id(1), net.now).find("its score was below zero") != std::string::npos);
}

TEST_CASE("score: who was first to bring messages earns by them") {
  Judged net(2);
  for (std::uint8_t n = 1; n <= 5; ++n) {
    const Bytes message = signed_message(9, "news", n);
    net.message(1, message), net.message(2, message);
  }
  CHECK(net.gossip.score(id(1)) == 5);
  CHECK(net.gossip.score(id(2)) == 0);
}

TEST_CASE("score: a GRAFT of who is below zero is refused, and nobody is named to it") {
  GossipConfig config;
  config.exchange_peers = 16;
  Judged net(3, config);
  net.member(7);
  net.score(7, -1);
  net.heartbeat();
  net.told(7);
  CHECK_FALSE(net.in_mesh(7));
  net.pass(2min);
  CHECK_FALSE(net.in_mesh(7));
  net.told(7);
  net.graft(7);
  const Told told = net.told(7);
  REQUIRE(told.prune.size() == 1);
  CHECK(told.prune[0].peers.empty());
}

TEST_CASE("px: nobody with a negative score is named") {
  GossipConfig config;
  config.exchange_peers = 16;
  Judged net(3, config);
  net.score(2, -1);
  net.unsubscribe_us();
  const auto named = net.told(1).prune.at(0).peers;
  REQUIRE(named.size() == 1);
  CHECK(named[0].peer == id(3));
}

TEST_CASE("px: what a peer below the threshold names is passed over") {
  Judged net(2);
  gossip::Rpc rpc;
  rpc.prune.push_back({"t", 60, {{id(30), {}}}});
  net.say(1, rpc);
  CHECK(net.met.empty());
  net.score(2, 10);
  net.say(2, rpc);
  CHECK(net.met.size() == 1);
}

TEST_CASE("score: RPCs of who is below the graylist threshold are passed over") {
  Judged net(2);
  net.score(1, -81);
  net.message(1, signed_message(9, "news"));
  gossip::Rpc rpc;
  rpc.subscriptions.push_back({true, "other"});
  rpc.ihave.push_back({"t", {{1}}});
  net.say(1, rpc);
  CHECK(net.delivered.empty());
  CHECK(net.told(1).iwant.empty());
  CHECK(net.view("other").subscribers.size() == 1);
  CHECK(net.gossip.stats().graylisted == 2);
}

TEST_CASE("direct: their RPCs are taken whatever their score") {
  GossipConfig config;
  config.direct = {Multiaddr::from_text("/ip4/10.0.0.1/tcp/1/p2p/" + id(1).text()).value()};
  Judged net(2, config);
  net.score(1, -1000);
  net.message(1, signed_message(9, "news"));
  CHECK(net.delivered.size() == 1);
}

TEST_CASE("score: below the gossip threshold nobody is told, asked or served") {
  GossipConfig config;
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  Judged net(2, config);
  net.score(1, -11);
  const Bytes news = signed_message(9, "news");
  net.message(2, news);
  net.heartbeat();
  CHECK(net.told(1).ihave.empty());
  CHECK(net.told(2).ihave.size() == 1);
  net.iwant(1, {id_of(news)});
  net.ihave(1, {{1}});
  const Told told = net.told(1);
  CHECK(told.messages.empty());
  CHECK(told.iwant.empty());
}

TEST_CASE("score: below the publish threshold nobody gets what we publish, flooded or not") {
  for (const bool flood : {true, false}) {
    GossipConfig config;
    config.flood_publish = flood;
    Router net(config);
    for (std::size_t n = 1; n <= 3; ++n) net.member(n);
    REQUIRE(net.gossip.set_application_score(net.turn(), id(2), -51));
    CHECK(net.publish("news").value().peers.size() == 2);
    CHECK(net.told(2).messages.empty());
  }
}

TEST_CASE("score: a GRAFT within a backoff counts one, within ten seconds of it two") {
  GossipConfig config;
  config.scoring->params.behaviour_threshold = 0;
  Judged net(1, config);
  net.prune(1, 60);
  net.pass(11s);
  net.graft(1);
  const double one = net.gossip.score(id(1));
  CHECK(one == -10);
  net.graft(1);  // the backoff has begun anew
  CHECK(net.gossip.score(id(1)) == -90);
}

TEST_CASE("score: a promise that is not kept within three seconds counts against who made it") {
  GossipConfig config;
  config.scoring->params.behaviour_threshold = 0;
  Judged net(2, config);
  const Bytes kept = signed_message(9, "kept");
  net.ihave(1, {{1}, {2}, {3}});
  net.ihave(2, {id_of(kept)});
  net.message(2, kept);
  net.pass(5s);
  CHECK(net.gossip.score(id(1)) < -5);
  CHECK(net.gossip.score(id(1)) >= -10);  // one of the three
  CHECK(net.gossip.score(id(2)) > 0);
}

TEST_CASE("score: what is invalid counts squared against everybody who brought it") {
  GossipConfig config;
  config.manual_validation = true;
  Judged net(3, config);
  const Bytes bad = signed_message(9, "bad");
  net.message(1, bad), net.message(2, bad);
  net.judge(net.asked.at(0).id, Verdict::reject);
  net.message(3, bad);
  for (std::size_t n = 1; n <= 3; ++n) CHECK(net.gossip.score(id(n)) == -10);
}

TEST_CASE("score: what is ignored, or not judged in time, counts against nobody") {
  GossipConfig config;
  config.manual_validation = true;
  Judged net(2, config);
  net.message(1, signed_message(9, "dull", 1)), net.message(1, signed_message(9, "late", 2));
  net.judge(net.asked.at(0).id, Verdict::ignore);
  net.pass(11s);
  CHECK(net.gossip.stats().ignored == 2);
  CHECK(net.gossip.score(id(1)) == 0);
}

TEST_CASE("score: pruning to D keeps the best") {
  GossipConfig config;
  config.d_out = 0;
  Judged net(0, config);
  for (std::size_t n = 1; n <= 12; ++n) net.member(n), net.graft(n);
  REQUIRE(net.mesh_size() == 12);
  for (std::size_t n = 9; n <= 12; ++n) net.score(n, static_cast<double>(n));
  net.heartbeat();
  CHECK(net.mesh_size() == config.d);
  for (std::size_t n = 9; n <= 12; ++n) CHECK(net.in_mesh(n));
}

TEST_CASE("mesh: where the median is below the threshold two above it are grafted once a minute") {
  Judged net(9);
  REQUIRE(net.mesh_size() >= 5);
  std::size_t outside = 0;
  for (std::size_t n = 1; n <= 9; ++n)
    if (!net.in_mesh(n)) net.score(n, 4), ++outside;
  REQUIRE(outside >= 3);
  const std::size_t before = net.mesh_size();
  net.pass(58s);
  CHECK(net.mesh_size() == before);
  net.pass(3s);
  CHECK(net.mesh_size() == before + 2);
}

TEST_CASE("score: why tells it by component") {
  Judged net(2);
  net.message(1, signed_message(9, "news"));
  net.message(1, forged(2));
  net.score(1, 3);
  const std::string why = net.gossip.why(id(1), net.now);
  CHECK(why.find("score -6.00, t -9.00 (P2 1.00, P4 -10.00), application (P5) 3.00") !=
        std::string::npos);
}

TEST_CASE(
    "score: more peers at an address than the threshold count squared, but on the allow list") {
  const auto at = [](std::string_view addr) {
    GossipConfig config;
    config.scoring->params.colocation_weight = -5;
    Router net(config);
    net.subscribe_us();
    const Multiaddr home = Multiaddr::from_text(addr).value();
    for (std::size_t n = 1; n <= 12; ++n)
      net.gossip.on_connected(net.turn(), id(n), {&home, 1}, false);
    return net.gossip.score(id(1));
  };
  CHECK(at("/ip4/10.9.9.9/tcp/1") == -20);
  CHECK(at("/ip4/127.0.0.1/tcp/1") == 0);
}

TEST_CASE("H40: who forwards nothing leaves the mesh where deliveries are measured") {
  GossipConfig config;
  TopicScoreParams& topic = config.scoring->params.topics["t"];
  topic.time_in_mesh_weight = 0.1, topic.time_in_mesh_cap = 10;
  topic.mesh_deliveries_weight = -1, topic.mesh_deliveries_threshold = 5;
  topic.mesh_deliveries_activation = 5s;
  Judged net(5, config);
  for (std::uint8_t n = 1; n <= 40; ++n) {
    const Bytes news = signed_message(9, "news", n);
    for (std::size_t from = 2; from <= 5; ++from) net.message(from, news);
    if (n % 4 == 0) net.heartbeat();
  }
  CHECK_FALSE(net.in_mesh(1));
  CHECK(net.gossip.why(id(1), net.now).find("its score was below zero") != std::string::npos);
  CHECK(net.in_mesh(2));
}

TEST_CASE("score: without scoring nobody is judged") {
  GossipConfig config;
  config.scoring.reset();
  Judged net(2, config);
  for (std::uint8_t n = 1; n < 9; ++n) net.message(1, forged(n));
  net.heartbeat();
  CHECK(net.in_mesh(1));
  CHECK(net.gossip.set_application_score(net.turn(), id(1), 1) == fail(Errc::invalid));
}

// --- promises
namespace {

GossipConfig every_promise_counts() {
  GossipConfig config;
  config.scoring->params.behaviour_threshold = 0;
  return config;
}

}  // namespace

TEST_CASE("score: two who promise the same in turns are both blamed") {
  Judged net(2, every_promise_counts());
  for (int i = 0; i < 20; ++i) {
    net.ihave(i % 2 == 0 ? 1 : 2, {{1}});
    net.pass(500ms);
  }
  CHECK(net.gossip.score(id(1)) < 0);
  CHECK(net.gossip.score(id(2)) < 0);
}

TEST_CASE("score: an RPC that tells of twenty topics makes one promise") {
  GossipConfig config = every_promise_counts();
  Router net(config);
  gossip::Rpc rpc;
  for (std::uint8_t n = 0; n < 20; ++n) {
    const Topic topic = "t" + std::to_string(n);
    net.subscribe_us(topic);
    rpc.ihave.push_back({topic, {{n}}});
  }
  net.join(1);
  net.say(1, rpc);
  net.pass(4s);
  CHECK(net.gossip.score(id(1)) < 0);
  CHECK(net.gossip.score(id(1)) >= -10);
}

TEST_CASE("H46: who keeps a promise is not blamed for what we drop ourselves") {
  GossipConfig config = every_promise_counts();
  config.most_message = 10;
  Judged net(1, config);
  const Bytes ours = signed_message(0, "old"), large = signed_message(9, "more than ten bytes");
  for (const Bytes& message : {ours, large}) {
    net.ihave(1, {id_of(message)});
    net.message(1, message);
  }
  net.pass(5s);
  CHECK(net.gossip.score(id(1)) == 0);
}

TEST_CASE("H46: a form that other stacks take and we do not is nobody's fault") {
  Judged net(1);
  net.message(1, gossip::encode_message({id(9), text_bytes("x"), {1, 2, 3}, "t"}, &key(9)));
  CHECK(net.gossip.stats().rejected == 1);
  CHECK(net.gossip.score(id(1)) == 0);
}

TEST_CASE("H46: of two messages with one id who brings the good one is not blamed for the other") {
  GossipConfig config;
  config.manual_validation = true;
  Judged net(2, config);
  net.message(1, signed_message(9, "bad", 1));
  net.message(2, signed_message(9, "good", 1));
  net.judge(net.asked.at(0).id, Verdict::reject);
  CHECK(net.gossip.score(id(1)) == -10);
  CHECK(net.gossip.score(id(2)) == 0);
}

// --- who is fed
TEST_CASE("floodsub: below the publish threshold nothing goes to it") {
  Judged net(1);
  net.member(2, false, "/floodsub/1.0.0");
  net.score(2, -51);
  net.message(1, signed_message(9, "news"));
  REQUIRE(net.publish("ours"));
  CHECK(net.told(2).messages.empty());
}

TEST_CASE("fanout: who falls below the publish threshold is replaced") {
  GossipConfig config;
  config.flood_publish = false;
  Router net(config);
  for (std::size_t n = 1; n <= 7; ++n) net.member(n);
  const Receipt first = net.publish("one").value();
  REQUIRE(first.peers.size() == config.d);
  const PeerId out = first.peers.front().peer;
  REQUIRE(net.gossip.set_application_score(net.turn(), out, -51));
  net.heartbeat();
  const Receipt second = net.publish("two").value();
  CHECK(second.peers.size() == config.d);
  CHECK(std::ranges::count(second.peers, out, &Receipt::Peer::peer) == 0);
}

TEST_CASE("outbox: who is below the publish threshold is not the first subscriber") {
  GossipConfig config;
  config.outbox = 1;
  Router net(config);
  net.join(1);
  REQUIRE(net.gossip.set_application_score(net.turn(), id(1), -51));
  REQUIRE(net.publish("news"));
  net.subscribe(1);
  CHECK(net.told(1).messages.empty());
  net.member(2);
  CHECK(net.told(2).messages.size() == 1);
}

}  // namespace kadmesh
