// The score function by numbers, after go-libp2p-pubsub's score_test.go (named at each).
#include "gossip/score_presets.h"
#include "scored.h"

namespace kadmesh {
using namespace testing;

// TestScoreTimeInMesh
TEST_CASE("score P1: whole quanta in the mesh count, as of the last refresh") {
  TopicScoreParams topic = still_topic();
  topic.weight = 0.5;
  topic.time_in_mesh_weight = 3;
  topic.time_in_mesh_quantum = 2s;
  Scored s(only(topic));
  s.connect(1);
  CHECK(s.score(1) == 0);
  s.graft(1);
  s.wait(9s);
  CHECK(s.score(1) == 0.5 * 3 * 4);
  s.pass(10s);
  CHECK(s.score(1) == 6);
  s.wait(0s);
  CHECK(s.score(1) == 0.5 * 3 * 9);
  s.prune(1);
  CHECK(s.score(1) == 0);
}

// TestScoreTimeInMeshCap
TEST_CASE("score P1: time in the mesh is capped, and begins anew with a GRAFT") {
  TopicScoreParams topic = still_topic();
  topic.time_in_mesh_weight = 1;
  topic.time_in_mesh_cap = 10;
  Scored s(only(topic));
  s.join(1);
  s.wait(40s);
  CHECK(s.score(1) == 10);
  s.graft(1);  // it is there already
  CHECK(s.score(1) == 10);
  s.prune(1);
  s.graft(1);
  s.wait(3s);
  CHECK(s.score(1) == 3);
}

// TestScoreFirstMessageDeliveries
TEST_CASE("score P2: who brings a message first is rewarded, in the mesh or not") {
  TopicScoreParams topic = still_topic();
  topic.weight = 2;
  topic.first_deliveries_weight = 3;
  Scored s(only(topic));
  s.join(1);
  s.connect(2);
  const std::size_t last = s.bring(1, 4);
  s.duplicate(2, last);
  CHECK(s.score(1) == 2 * 3 * 4);
  CHECK(s.score(2) == 0);
  s.bring(2, 1);
  CHECK(s.score(2) == 6);
}

// TestScoreFirstMessageDeliveriesCap
TEST_CASE("score P2: first deliveries are capped when they are counted") {
  TopicScoreParams topic = still_topic();
  topic.first_deliveries_weight = 1;
  topic.first_deliveries_cap = 50;
  Scored s(only(topic));
  s.join(1);
  s.bring(1, 100);
  CHECK(s.score(1) == 50);
  s.wait(1s);
  CHECK(s.score(1) == 25);
}

// TestScoreFirstMessageDeliveriesDecay
TEST_CASE("score P2: first deliveries decay each interval, and are 0 at the end") {
  TopicScoreParams topic = still_topic();
  topic.first_deliveries_weight = 1;
  Scored s(only(topic));
  s.join(1);
  s.bring(1, 64);
  s.wait(1s);
  CHECK(s.score(1) == 32);
  s.pass(999ms);
  s.wait(0s);  // no interval has passed
  CHECK(s.score(1) == 32);
  s.wait(1ms);
  CHECK(s.score(1) == 16);
  for (int i = 0; i < 10; ++i) s.wait(1s);
  CHECK(s.score(1) == 1.0 / 64);
  s.wait(1s);  // 1/128 is below decay_to_zero
  CHECK(s.score(1) == 0);
}

// TestScoreMeshMessageDeliveries
TEST_CASE("score P3: who brings too little in the mesh pays the square of what is missing") {
  TopicScoreParams topic = still_topic();
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_threshold = 20;
  topic.mesh_deliveries_window = 10ms;
  topic.mesh_deliveries_activation = 2s;
  Scored s(only(topic));
  for (std::size_t n = 1; n <= 4; ++n) s.join(n);
  s.wait(2s);
  CHECK(s.score(3) == 0);  // not longer than activation yet
  for (std::size_t i = 0; i < 40; ++i) {
    const std::size_t message = s.bring(1, 1);
    s.pass(10ms);
    s.duplicate(2, message);
    s.pass(1ms);
    s.duplicate(3, message);
    if (i < 30) s.accept(4, i), s.duplicate(4, message);
  }
  s.wait(1s);  // the counters halve
  CHECK(s.score(1) == 0);
  CHECK(s.score(2) == 0);
  CHECK(s.score(3) == -20 * 20);
  CHECK(s.score(4) == -5 * 5);
}

TEST_CASE("score P3: what a peer brings while a message is validated counts as near-first") {
  TopicScoreParams topic = still_topic();
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_threshold = 2;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.join(1), s.join(2), s.join(3);
  s.wait(1500ms);
  for (std::size_t message = 1; message <= 2; ++message) {
    s.validate(message);
    s.duplicate(2, message);
    s.duplicate(2, message);  // twice the same
    s.duplicate(1, message);  // its own
    s.pass(100ms);            // of validation
    s.accept(1, message);
    s.duplicate(1, message);  // its own
  }
  CHECK(s.topic(1).p2.value == 2);
  s.wait(300ms);
  CHECK(s.score(1) == -1);  // both counters were 2
  CHECK(s.score(2) == -1);
  CHECK(s.score(3) == -4);
}

TEST_CASE("score P3: what a peer brings outside the mesh does not count") {
  TopicScoreParams topic = still_topic();
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_threshold = 4;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.connect(1);
  s.bring(1, 8);
  s.graft(1);
  s.wait(2s);
  CHECK(s.score(1) == -16);
}

// TestScoreMeshMessageDeliveriesDecay
TEST_CASE("score P3: deliveries decay below the threshold") {
  TopicScoreParams topic = still_topic();
  topic.mesh_deliveries_weight = -0.5;
  topic.mesh_deliveries_threshold = 20;
  topic.mesh_deliveries_cap = 80;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.join(1);
  s.bring(1, 200);
  s.wait(1500ms);
  CHECK(s.score(1) == 0);  // 40
  s.wait(1s);
  CHECK(s.score(1) == 0);  // 20
  s.wait(1s);
  CHECK(s.score(1) == -0.5 * 10 * 10);
  s.wait(1s);
  CHECK(s.score(1) == -0.5 * 15 * 15);
}

// TestScoreMeshFailurePenalty
TEST_CASE("score P3b: the deficit at the time of a prune sticks, and P3 ends there") {
  TopicScoreParams topic = still_topic();
  topic.mesh_failure_weight = -1;
  topic.mesh_deliveries_weight = -10;
  topic.mesh_deliveries_threshold = 20;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.join(1), s.join(2), s.join(3);
  s.bring(1, 100);
  s.prune(3);  // before activation
  CHECK(s.score(3) == 0);
  s.wait(2s);
  CHECK(s.score(2) == -10 * 400);
  s.prune(1), s.prune(2), s.prune(2);
  CHECK(s.score(1) == 0);
  CHECK(s.score(2) == -400);
  s.wait(1s);
  CHECK(s.score(2) == -200);
}

// TestScoreInvalidMessageDeliveries
TEST_CASE("score P4: invalid messages cost the square of their number") {
  TopicScoreParams topic = still_topic();
  topic.weight = 0.5;
  topic.invalid_weight = -2;
  Scored s(only(topic));
  s.connect(1);
  s.invalid(1, 10);
  CHECK(s.score(1) == -0.5 * 2 * 100);
  s.scores.invalid(id(1), "unscored");
  s.scores.invalid(id(9), "t");
  CHECK(s.score(1) == -100);
  CHECK(s.score(9) == 0);
}

// TestScoreInvalidMessageDeliveriesDecay
TEST_CASE("score P4: the number of invalid messages decays, not its square") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.join(1);
  s.invalid(1, 16);
  s.wait(1s);
  CHECK(s.score(1) == -64);
  s.wait(1s);
  CHECK(s.score(1) == -16);
}

// TestScoreRejectMessageDeliveries
TEST_CASE("score P4: a message that was ignored costs nobody anything") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.connect(1), s.connect(2);
  s.validate(1);
  s.duplicate(2, 1);
  s.ignore(1);
  s.duplicate(2, 1);
  s.reject(1, 1);  // too late
  CHECK(s.scores.deliveries() == 1);
  CHECK(s.score(1) == 0);
  CHECK(s.score(2) == 0);
}

// TestScoreRejectMessageDeliveries
TEST_CASE("score P4: a rejected message is everybody's who sends it, before and after") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  for (std::size_t n = 1; n <= 4; ++n) s.connect(n);
  s.validate(1);
  s.duplicate(2, 1), s.duplicate(2, 1);
  s.reject(1, 1);
  s.reject(1, 1);  // it is judged already
  CHECK(s.score(1) == -1);
  CHECK(s.score(2) == -1);
  s.duplicate(3, 1), s.duplicate(3, 1);
  CHECK(s.score(3) == -4);
  CHECK(s.score(4) == 0);
  s.accept(4, 1);
  CHECK(s.view(4).topics.empty());
}

TEST_CASE(
    "score P4: a copy that came before its topic was scored is held against its sender, too") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(nothing());
  s.connect(1), s.connect(2);
  const SipHash message{1};
  s.scores.validating(message, s.now);
  s.scores.duplicate(message, "u", id(2), s.now);
  CHECK(s.scores.set_topic("u", topic).has_value());
  s.scores.rejected(message, "u", id(1));
  CHECK(s.score(1) == -1);
  CHECK(s.score(2) == -1);
}

// TestScoreRejectMessageDeliveries, "clear the delivery record"
TEST_CASE("score P4: a message that comes anew after its record's time is judged anew") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.connect(1), s.connect(2);
  s.validate(1);
  s.ignore(1);
  CHECK(s.scores.deliveries() == 1);
  s.wait(120s);
  CHECK(s.scores.deliveries() == 0);
  s.duplicate(2, 1);  // of what is not known any more
  s.validate(1);
  s.duplicate(2, 1);
  s.reject(1, 1);
  CHECK(s.score(1) == -1);
  CHECK(s.score(2) == -1);
}

TEST_CASE("score P4: who sent a message when it was here before is not judged with it now") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.connect(1), s.connect(2), s.connect(3);
  s.validate(1), s.validate(2);
  s.duplicate(2, 1);
  s.ignore(2);
  s.wait(60s);
  s.validate(1), s.validate(2);
  s.wait(60s);  // the first records would be gone
  s.duplicate(3, 1), s.duplicate(3, 2);
  s.reject(1, 1), s.reject(1, 2);
  CHECK(s.score(1) == -4);
  CHECK(s.score(2) == 0);
  CHECK(s.score(3) == -4);
}

// TestScoreApplicationScore
TEST_CASE("score P5: the application's score counts by its weight, and stays") {
  ScoreParams params = nothing();
  params.application_weight = 0.5;
  Scored s(params);
  CHECK(s.scores.set_application(id(1), 7));
  CHECK(s.score(1) == 0);  // it is not there
  s.connect(1);
  CHECK(s.score(1) == 3.5);
  for (int i = -100; i < 100; ++i) {
    CHECK(s.scores.set_application(id(1), i));
    CHECK(s.score(1) == 0.5 * i);
  }
  s.leave(1);
  s.connect(1);
  CHECK(s.score(1) == 49.5);
  CHECK(s.scores.set_application(id(1), 0));
  CHECK(s.score(1) == 0);
  CHECK(!s.scores.set_application(id(1), std::numeric_limits<double>::quiet_NaN()));
  CHECK(!s.scores.set_application(id(1), -2e12));
  CHECK(s.score(1) == 0);
}

// TestScoreIPColocation
TEST_CASE("score P6: more peers on an address than allowed pay for their number") {
  ScoreParams params = nothing();
  params.colocation_weight = -1;
  params.colocation_threshold = 1;
  Scored s(params);
  s.connect(1, {"/ip4/1.2.3.4/tcp/1"});
  s.connect(2, {"/ip4/2.3.4.5/tcp/1"});
  CHECK(s.score(2) == 0);
  s.connect(3, {"/ip4/2.3.4.5/tcp/9", "/ip4/3.4.5.6/tcp/1", "/ip4/2.3.4.5/tcp/8"});
  s.connect(4, {"/ip6/::ffff:2.3.4.5/tcp/1"});
  CHECK(s.score(1) == 0);
  for (std::size_t n = 2; n <= 4; ++n) CHECK(s.score(n) == -4);
  s.leave(2);  // it is retained, and still there
  CHECK(s.score(3) == -4);
  s.wait(1h);
  CHECK(s.score(3) == -1);
  s.scores.moved(id(4), addresses({"/ip4/9.9.9.9/tcp/1"}));
  CHECK(s.score(3) == 0);
  CHECK(s.scores.groups() == 4);
}

TEST_CASE("score P6: of IPv6 the address and its /64 count, of relays nothing") {
  ScoreParams params = nothing();
  params.colocation_weight = -1;
  params.colocation_threshold = 1;
  Scored s(params);
  s.connect(1, {"/ip6/2001:db8::1/tcp/1"});
  s.connect(2, {"/ip6/2001:db8::1/tcp/2"});
  CHECK(s.score(1) == -2);  // both on the address, both in the /64
  s.connect(3, {"/ip6/2001:db8::3/tcp/1"});
  CHECK(s.score(1) == -1 - 4);
  CHECK(s.score(3) == -4);
  s.connect(4, {"/ip6/2001:db8:0:1::1/tcp/1"});
  CHECK(s.score(4) == 0);
  const std::string relayed = "/ip6/2001:db8::3/tcp/1/p2p/" + id(9).text() + "/p2p-circuit";
  s.connect(5, {relayed, "/dns4/localhost/tcp/1"});
  CHECK(s.score(5) == 0);
  CHECK(s.score(3) == -4);
}

// TestScoreIPColocationWhitelist
TEST_CASE("score P6: peers in allowed blocks do not count, at first those of loopback") {
  ScoreParams params = nothing();
  params.colocation_weight = -1;
  params.colocation_threshold = 1;
  params.colocation_allowed.push_back(IpPrefix::from_text("2.3.0.0/16").value());
  Scored s(params);
  for (std::size_t n = 1; n <= 3; ++n) {
    s.connect(n, {"/ip4/2.3.4.5/tcp/1", "/ip4/127.0.0.1/tcp/1"});
    s.connect(10 + n, {"/ip4/2.4.4.5/tcp/1"});
  }
  CHECK(s.score(1) == 0);
  CHECK(s.score(11) == -4);
  CHECK(s.scores.groups() == 1);
}

// TestScoreBehaviourPenalty
TEST_CASE("score P7: penalties cost the square of what is above their threshold") {
  ScoreParams params = nothing();
  params.behaviour_weight = -1;
  params.behaviour_decay = 0.99;
  params.behaviour_threshold = 0;
  Scored s(params);
  s.scores.penalise(id(1), 1);
  CHECK(s.score(1) == 0);  // it is not there
  s.connect(1);
  CHECK(s.score(1) == 0);
  s.scores.penalise(id(1), 1);
  CHECK(s.score(1) == -1);
  s.scores.penalise(id(1), 1);
  CHECK(s.score(1) == -4);
  s.wait(1s);
  CHECK(s.score(1) == -3.9204);
}

TEST_CASE("score P7: what is not above the threshold is free") {
  ScoreParams params = nothing();
  params.behaviour_weight = -10;
  params.behaviour_threshold = 6;
  Scored s(params);
  s.connect(1);
  s.scores.penalise(id(1), 6);
  CHECK(s.score(1) == 0);
  s.leave(1);
  s.connect(1);  // coming back is no way out
  s.scores.penalise(id(1), 2);
  CHECK(s.score(1) == -40);
}

// rust-libp2p, test_slow_peer_is_downscored_on_publish
TEST_CASE("score: a peer that takes its messages too slowly pays for each above a threshold") {
  ScoreParams params = nothing();
  params.slow_weight = -0.5;
  params.slow_threshold = 2;
  Scored s(params);
  s.connect(1);
  for (int i = 0; i < 8; ++i) s.scores.too_slow(id(1));
  CHECK(s.score(1) == -3);
  s.wait(1s);
  CHECK(s.score(1) == -1);
}

// TestScoreRetention
TEST_CASE("score: a bad score is retained, does not decay meanwhile, and then is gone") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  ScoreParams params = only(topic);
  params.retain = 10s;
  Scored s(params);
  s.join(1);
  s.invalid(1, 4);
  s.leave(1);
  s.wait(9s);
  CHECK(s.score(1) == -16);
  CHECK(!s.view(1).connected);
  CHECK(s.scores.retained() == 1);
  s.wait(1s);
  CHECK(s.score(1) == 0);
  CHECK(s.scores.size() == 0);
}

TEST_CASE("score: who comes back goes on where it left, and decays again") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  ScoreParams params = only(topic);
  params.retain = 10s;
  Scored s(params);
  s.join(1);
  s.invalid(1, 4);
  s.leave(1), s.leave(1);
  s.wait(5s);
  s.connect(1);
  CHECK(s.scores.retained() == 0);
  CHECK(s.score(1) == -16);
  CHECK(!s.topic(1).in_mesh);
  s.wait(1s);
  CHECK(s.score(1) == -4);
  s.wait(1h);
  CHECK(s.scores.size() == 1);
}

TEST_CASE("score: what is good is forgotten with the connection, what is missing is not") {
  TopicScoreParams topic = still_topic();
  topic.first_deliveries_weight = 1;
  topic.mesh_deliveries_weight = topic.mesh_failure_weight = -1;
  topic.mesh_deliveries_threshold = 20;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.connect(1), s.connect(2), s.join(3);
  s.bring(1, 10);
  s.leave(1), s.leave(2);
  CHECK(s.scores.size() == 1);
  s.wait(2s);
  s.bring(3, 10);
  CHECK(s.score(3) == 10 - 100);
  s.leave(3);  // without its P2, and with P3b for P3
  CHECK(s.score(3) == -100);
}

// TestScoreRecapTopicParams
TEST_CASE("score: counters above a cap that is lowered fall to it") {
  TopicScoreParams topic = still_topic();
  topic.first_deliveries_weight = 10;
  topic.mesh_deliveries_activation = 1s;
  Scored s(only(topic));
  s.join(1), s.join(2);
  for (int i = 0; i < 100; ++i) s.duplicate(2, s.bring(1, 1));
  CHECK(s.topic(1).p2.value == 100);
  CHECK(s.score(1) == 1000);
  topic.first_deliveries_cap = 50;
  topic.mesh_deliveries_cap = 50;
  topic.mesh_deliveries_threshold = 50;
  topic.mesh_deliveries_weight = -1;
  CHECK(s.scores.set_topic("t", topic));
  CHECK(s.score(1) == 500);
  s.wait(2s);
  CHECK(s.topic(2).p3.value == 37.5 * 37.5);  // 50 halved twice
  topic.first_deliveries_decay = 1;
  CHECK(!s.scores.set_topic("t", topic));
}

// TestScoreResetTopicParams
TEST_CASE("score: a new weight applies to what was counted before") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.connect(1);
  s.invalid(1, 100);
  CHECK(s.score(1) == -10'000);
  topic.invalid_weight = -10;
  CHECK(s.scores.set_topic("t", topic));
  CHECK(s.score(1) == -100'000);
}

TEST_CASE("score: what is earned in topics is capped, what is paid is not") {
  ScoreParams params = nothing();
  params.topics.clear();
  params.default_topic = still_topic();
  params.default_topic->first_deliveries_weight = 1;
  params.default_topic->invalid_weight = -1;
  params.topic_score_cap = 15;
  Scored s(params);
  s.connect(1);
  for (std::size_t i = 0; i < 20; ++i)
    s.scores.delivered(Scored::digest(i), i % 2 == 0 ? "a" : "b", id(1), s.now);
  CHECK(s.score(1) == 15);
  CHECK(s.scores.set_application(id(1), 5));
  CHECK(s.score(1) == 20);
  for (int i = 0; i < 10; ++i) s.scores.invalid(id(1), "c");
  CHECK(s.score(1) == 20 - 100 + 5);
  REQUIRE(s.view(1).topics.size() == 3);
  CHECK(s.view(1).topics_score == -80);
}

TEST_CASE("score: a view tells every component, and what it is worth") {
  TopicScoreParams topic = still_topic();
  topic.weight = 2;
  topic.time_in_mesh_weight = 1;
  topic.first_deliveries_weight = 1;
  topic.mesh_deliveries_weight = topic.mesh_failure_weight = topic.invalid_weight = -1;
  topic.mesh_deliveries_threshold = 4;
  topic.mesh_deliveries_activation = 1s;
  ScoreParams params = only(topic);
  params.behaviour_weight = params.slow_weight = params.colocation_weight = -1;
  params.behaviour_threshold = 0;
  params.colocation_threshold = 1;
  Scored s(params);
  s.connect(1, {"/ip4/1.2.3.4/tcp/1"}), s.connect(2, {"/ip4/1.2.3.4/tcp/2"});
  s.graft(1);
  s.wait(2s);
  s.prune(1), s.graft(1);
  s.wait(2s);
  s.bring(1, 3), s.invalid(1, 2);
  s.scores.penalise(id(1), 3), s.scores.too_slow(id(1));
  REQUIRE(s.scores.set_application(id(1), 9));
  const TopicScoreView t = s.topic(1);
  CHECK((t.in_mesh && t.time_in_mesh == 2s));
  CHECK((t.p1.value == 2 && t.p1.score == 4));
  CHECK((t.p2.value == 3 && t.p2.score == 6));
  CHECK((t.p3.value == 1 && t.p3.score == -2));
  CHECK((t.p3b.value == 4 && t.p3b.score == -8));
  CHECK((t.p4.value == 4 && t.p4.score == -8));
  const ScoreView v = s.view(1);
  CHECK((v.application.score == 9 && v.colocation.score == -1));
  CHECK((v.behaviour.score == -9 && v.slow.score == -1));
  CHECK(v.topics_score == -8);
  CHECK(v.score == -10);
  CHECK(s.score(1) == -10);
}

TEST_CASE("score: what a machine slept through is made up for, within bounds") {
  TopicScoreParams topic = still_topic();
  topic.first_deliveries_weight = 1;
  topic.first_deliveries_decay = 0.99;
  Scored s(only(topic));
  s.connect(1), s.connect(2);
  s.bring(1, 100);
  s.wait(100s);
  CHECK(s.score(1) == doctest::Approx(100 * 0.36603).epsilon(0.001));  // 0.99^100
  s.bring(2, 100);
  s.wait(24h * 365);
  CHECK(s.score(2) == doctest::Approx(100 * 0.0763).epsilon(0.01));  // 0.99^256
  CHECK(s.scores.next_refresh() > s.now);
  CHECK(s.scores.next_refresh() <= after(s.now, 1s));
}

TEST_CASE("score: nothing is kept of a topic in which a peer has nothing") {
  Scored s(plain_scores().params);
  s.join(1);
  s.bring(1, 1);
  s.prune(1);
  CHECK(s.view(1).topics.size() == 1);
  s.wait(10min);
  s.wait(10min);
  s.wait(10min);
  CHECK(s.view(1).topics.empty());
}

TEST_CASE("score: so many bad peers are retained, the first to leave are forgotten") {
  ScoreParams params = nothing();
  params.behaviour_weight = -1;
  params.behaviour_threshold = 0;
  Scored s(params);
  for (std::size_t n = 1; n <= gossip::kMostRetained + 2; ++n) {
    const PeerId peer = PeerId::of_key(text_bytes(std::to_string(n)));
    s.scores.connected(peer, {});
    s.scores.penalise(peer, 1);
    s.pass(1ms);
    s.scores.disconnected(peer, s.now);
  }
  CHECK(s.scores.retained() == gossip::kMostRetained);
  CHECK(s.scores.size() == gossip::kMostRetained);
}

TEST_CASE("score: so many deliveries are remembered, the oldest are forgotten") {
  TopicScoreParams topic = still_topic();
  topic.invalid_weight = -1;
  Scored s(only(topic));
  s.connect(1), s.connect(2);
  for (std::size_t i = 0; i < gossip::kMostDeliveries; ++i) s.validate(i);
  CHECK(s.scores.deliveries() == gossip::kMostDeliveries);
  s.duplicate(2, gossip::kMostDeliveries - 1);  // for which the oldest goes
  CHECK(s.scores.deliveries() == gossip::kMostDeliveries);
  s.duplicate(2, 0);
  s.reject(1, 0);
  CHECK(s.score(2) == 0);
  s.reject(1, gossip::kMostDeliveries - 1);
  CHECK(s.score(2) == -1);
}

}  // namespace kadmesh
