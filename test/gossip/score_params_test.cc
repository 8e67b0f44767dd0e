#include <cmath>
#include <functional>
#include <limits>

#include "gossip/score_presets.h"
#include "scored.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
std::string broken(const std::function<void(T&)>& change) {
  T value;
  change(value);
  const auto checked = check(value);
  return checked ? "none" : checked.error().detail;
}
std::string of_topic(const std::function<void(TopicScoreParams&)>& change) {
  return broken<TopicScoreParams>(change);
}
std::string of_peer(const std::function<void(ScoreParams&)>& change) {
  return broken<ScoreParams>(change);
}
std::string of_thresholds(const std::function<void(ScoreThresholds&)>& change) {
  return broken<ScoreThresholds>(change);
}
void says(const std::string& text, const std::string& name) {
  CHECK(text == "gossip: the score parameters break " + name);
}

// P1 and P3 as they must be to each other.
TopicScoreParams watched() {
  TopicScoreParams topic;
  topic.time_in_mesh_weight = 1;
  topic.time_in_mesh_cap = 400;
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_threshold = 20;
  return topic;
}

}  // namespace

TEST_CASE("score params: the defaults hold, and so do the presets") {
  CHECK(check(TopicScoreParams{}));
  CHECK(check(ScoreParams{}));
  CHECK(check(ScoreThresholds{}));
  CHECK(check(plain_scores().params));
  CHECK(check(plain_scores().thresholds));
  for (const std::size_t validators :
       {std::size_t{0}, std::size_t{16'384}, std::size_t{1'000'000}}) {
    const Scoring beacon = beacon_scores({"6a95a1a9", validators, 8});
    CHECK(check(beacon.params));
    CHECK(check(beacon.thresholds));
  }
}

// go-libp2p-pubsub, TestTopicScoreParamsValidation
TEST_CASE("score params: what a topic breaks of P1 and P2 is named") {
  says(of_topic([](auto& t) { t.weight = -1; }), "0 <= weight <= 1e12");
  says(of_topic([](auto& t) { t.weight = kNaN; }), "0 <= weight <= 1e12");
  says(of_topic([](auto& t) { t.weight = kInfinity; }), "0 <= weight <= 1e12");
  says(of_topic([](auto& t) { t.time_in_mesh_weight = -1; }), "0 <= time_in_mesh_weight <= 1e12");
  says(of_topic([](auto& t) { t.time_in_mesh_quantum = 0s; }), "time_in_mesh_quantum > 0");
  says(of_topic([](auto& t) { t.time_in_mesh_weight = 1, t.time_in_mesh_cap = 0; }),
       "0 < time_in_mesh_cap <= 1e12");
  says(of_topic([](auto& t) { t.first_deliveries_weight = -1; }),
       "0 <= first_deliveries_weight <= 1e12");
  for (const double decay : {-1.0, 0.0, 1.0, 2.0, kNaN, kInfinity})
    says(of_topic([&](auto& t) { t.first_deliveries_decay = decay; }),
         "0 < first_deliveries_decay < 1");
  says(of_topic([](auto& t) { t.first_deliveries_cap = 0; }), "0 < first_deliveries_cap <= 1e12");
  CHECK(of_topic([](auto& t) { t.first_deliveries_weight = t.first_deliveries_cap = 0; }) ==
        "none");
}

TEST_CASE("score params: what a topic breaks of P3, P3b and P4 is named") {
  const auto p3 = [](const std::function<void(TopicScoreParams&)>& change) {
    return of_topic([&](auto& t) { t.mesh_deliveries_weight = -1, change(t); });
  };
  CHECK(p3([](auto&) {}) == "none");
  says(p3([](auto& t) { t.mesh_deliveries_weight = 1; }), "-1e12 <= mesh_deliveries_weight <= 0");
  says(p3([](auto& t) { t.mesh_deliveries_decay = 1; }), "0 < mesh_deliveries_decay < 1");
  says(p3([](auto& t) { t.mesh_deliveries_threshold = 0; }),
       "0 < mesh_deliveries_threshold <= 1e12");
  says(p3([](auto& t) { t.mesh_deliveries_cap = kInfinity; }), "0 < mesh_deliveries_cap <= 1e12");
  says(p3([](auto& t) { t.mesh_deliveries_cap = 19; }),
       "mesh_deliveries_cap >= mesh_deliveries_threshold");
  says(p3([](auto& t) { t.mesh_deliveries_window = -1s; }),
       "0 <= mesh_deliveries_window <= 365 days");
  says(p3([](auto& t) { t.mesh_deliveries_activation = Duration::max(); }),
       "0 <= mesh_deliveries_activation <= 365 days");
  says(p3([](auto& t) { t.mesh_deliveries_activation = 999ms; }),
       "mesh_deliveries_activation >= 1 s");
  says(of_topic([](auto& t) { t.mesh_failure_weight = 1; }), "-1e12 <= mesh_failure_weight <= 0");
  says(of_topic([](auto& t) { t.mesh_failure_decay = 0; }), "0 < mesh_failure_decay < 1");
  says(of_topic([](auto& t) { t.invalid_weight = 1; }), "-1e12 <= invalid_weight <= 0");
  says(of_topic([](auto& t) { t.invalid_decay = 1; }), "0 < invalid_decay < 1");
}

// go-libp2p-pubsub, TestPeerScoreParamsValidation
TEST_CASE("score params: what a peer's parameters break is named, and in which topic") {
  says(of_peer([](auto& p) { p.topic_score_cap = -1; }), "0 <= topic_score_cap <= 1e12");
  says(of_peer([](auto& p) { p.application_weight = kNaN; }), "0 <= application_weight <= 1e12");
  says(of_peer([](auto& p) { p.colocation_weight = 1; }), "-1e12 <= colocation_weight <= 0");
  says(of_peer([](auto& p) { p.colocation_threshold = 0; }), "colocation_threshold >= 1");
  says(of_peer([](auto& p) { p.behaviour_weight = 1; }), "-1e12 <= behaviour_weight <= 0");
  says(of_peer([](auto& p) { p.behaviour_threshold = -1; }), "0 <= behaviour_threshold <= 1e12");
  says(of_peer([](auto& p) { p.behaviour_decay = 2; }), "0 < behaviour_decay < 1");
  says(of_peer([](auto& p) { p.slow_weight = 1; }), "-1e12 <= slow_weight <= 0");
  says(of_peer([](auto& p) { p.slow_threshold = kNaN; }), "0 <= slow_threshold <= 1e12");
  says(of_peer([](auto& p) { p.slow_decay = 0; }), "0 < slow_decay < 1");
  says(of_peer([](auto& p) { p.decay_interval = 999ms; }), "1 s <= decay_interval <= 1 day");
  says(of_peer([](auto& p) { p.decay_to_zero = 1; }), "0 < decay_to_zero < 1");
  says(of_peer([](auto& p) { p.retain = -1s; }), "0 <= retain <= 365 days");
  says(of_peer([](auto& p) { p.topics["a"].invalid_weight = 1; }),
       "-1e12 <= invalid_weight <= 0, topic \"a\"");
  says(of_peer([](auto& p) { p.default_topic->weight = -1; }),
       "0 <= weight <= 1e12, the default topic");
}

// go-libp2p-pubsub, TestPeerScoreThresholdsValidation; gossipsub-v1.1.md "Overview of New
// Parameters"
TEST_CASE("score params: thresholds out of their order are named") {
  const auto thresholds = [](const std::string& text, const std::string& name) {
    CHECK(text == "gossip: the score thresholds break " + name);
  };
  for (const double gossip : {0.0, 1.0, kNaN, -kInfinity})
    thresholds(of_thresholds([&](auto& t) { t.gossip = gossip; }), "-1e12 <= gossip < 0");
  thresholds(of_thresholds([](auto& t) { t.publish = -9; }), "-1e12 <= publish <= gossip");
  CHECK(of_thresholds([](auto& t) { t.publish = t.gossip; }) == "none");
  thresholds(of_thresholds([](auto& t) { t.graylist = -50; }), "-1e12 <= graylist < publish");
  thresholds(of_thresholds([](auto& t) { t.graylist = kNaN; }), "-1e12 <= graylist < publish");
  thresholds(of_thresholds([](auto& t) { t.accept_px = -1; }), "0 <= accept_px <= 1e12");
  thresholds(of_thresholds([](auto& t) { t.opportunistic_graft = kInfinity; }),
             "0 <= opportunistic_graft <= 1e12");
}

// go-libp2p-pubsub, TestScoreParameterDecay
TEST_CASE("score params: a counter of 1 falls to zero in the time that was asked for") {
  for (const int seconds : {1, 2, 3, 10, 59, 600, 3600, 604'800}) {
    const double decay = score_decay(std::chrono::seconds(seconds));
    double counter = 1;
    for (int i = 0; i < seconds - 1; ++i) counter *= decay;
    CHECK(counter > 0.01);
    CHECK(counter * decay == doctest::Approx(0.01).epsilon(1e-6));
    CHECK(decay == doctest::Approx(std::pow(0.01, 1.0 / seconds)).epsilon(1e-14));
  }
  CHECK(score_decay(384s, 12s) == score_decay(32s));
  CHECK(score_decay(395s, 12s) == score_decay(32s));
  CHECK(score_decay(3s, 1s, 0.125) == 0.5);
  CHECK(score_decay(10ms) == 0.01);
  CHECK(score_decay(0s) == 0.01);
}

TEST_CASE("score params: a decay is the same number on every machine") {
  CHECK(score_decay(10min) == 0x1.fc15d609e0c62p-1);
  CHECK(score_decay(1h) == 0x1.ff58702528ea4p-1);
}

TEST_CASE("ip prefix: texts are read, and written with their length") {
  const auto reads = [](const std::string& text) {
    const auto prefix = IpPrefix::from_text(text);
    return prefix ? prefix->text() : name(prefix.error().code) == "malformed" ? "no" : "?";
  };
  CHECK(reads("10.0.0.0/8") == "10.0.0.0/8");
  CHECK(reads("192.0.2.7") == "192.0.2.7/32");
  CHECK(reads("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(reads("2001:db8::/33") == "2001:db8::/33");
  CHECK(reads("::1") == "::1/128");
  CHECK(reads("::ffff:10.0.0.0/104") == "10.0.0.0/8");
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08",
                           "::/129", "10.0.0/8", "2001:db8::1/64", "10.0.0.0/8/8", "a"})
    CHECK_MESSAGE(reads(text) == "no", text);
}

TEST_CASE("ip prefix: one holds what begins with it, of its own family") {
  const auto holds = [](const std::string& outer, const std::string& inner) {
    return IpPrefix::from_text(outer).value().contains(IpPrefix::from_text(inner).value());
  };
  CHECK(holds("10.0.0.0/8", "10.1.2.3"));
  CHECK(holds("10.1.2.3", "10.1.2.3"));
  CHECK(!holds("10.1.2.3", "10.0.0.0/8"));
  CHECK(!holds("10.0.0.0", "10.0.0.0/8"));
  CHECK(!holds("10.0.0.0/8", "11.0.0.0/8"));
  CHECK(holds("10.96.0.0/11", "10.127.0.0/16"));
  CHECK(!holds("10.96.0.0/11", "10.128.0.0/16"));
  CHECK(!holds("0.0.0.0/0", "::/0"));
  CHECK(!holds("::/0", "10.0.0.0/8"));
  CHECK(holds("fe80::/10", "fe80::1"));
}

// --- CVE-2022-47547

TEST_CASE("H40: parameters under which silence pays are refused, unless they are asked for") {
  const std::string wanted =
      "time_in_mesh_weight * time_in_mesh_cap <= -mesh_deliveries_weight * "
      "mesh_deliveries_threshold^2, or silence_may_pay, topic \"a\"";
  const auto with = [](const std::function<void(TopicScoreParams&)>& change) {
    return of_peer([&](auto& p) { p.topics["a"] = watched(), change(p.topics["a"]); });
  };
  CHECK(with([](auto&) {}) == "none");
  says(with([](auto& t) { t.time_in_mesh_cap = 401; }), wanted);
  says(with([](auto& t) { t.mesh_deliveries_threshold = 19; }), wanted);
  says(with([](auto& t) { t.mesh_deliveries_weight = 0; }), wanted);
  CHECK(of_peer([](auto& p) {
          p.topics["a"] = watched();
          p.topics["a"].time_in_mesh_cap = 401;
          p.silence_may_pay = true;
        }) == "none");
  CHECK(of_peer([](auto& p) { p.default_topic->time_in_mesh_weight = 0.1; }) != "none");
}

namespace {

// One of ten values, so that constraints are met and just missed.
double some(Rng& rng, double most) { return most * static_cast<double>(rng.below(11)) / 10; }
double some_decay(Rng& rng) { return 0.1 + some(rng, 0.8); }

TopicScoreParams some_topic(Rng& rng) {
  TopicScoreParams t;
  t.weight = some(rng, 2);
  t.time_in_mesh_weight = some(rng, 5);
  t.time_in_mesh_quantum = std::chrono::milliseconds(100 + rng.below(2'000));
  t.time_in_mesh_cap = some(rng, 50);
  t.first_deliveries_weight = some(rng, 10);
  t.first_deliveries_decay = some_decay(rng);
  t.mesh_deliveries_weight = rng.chance(1, 4) ? 0 : -some(rng, 3);
  t.mesh_deliveries_decay = some_decay(rng);
  t.mesh_deliveries_threshold = some(rng, 20);
  t.mesh_deliveries_activation = std::chrono::seconds(1 + rng.below(5));
  t.mesh_failure_weight = -some(rng, 1);
  t.mesh_failure_decay = some_decay(rng);
  return t;
}

ScoreParams some_params(Rng& rng) {
  ScoreParams params;
  params.default_topic.reset();
  params.topic_score_cap = some(rng, 100);
  for (const char* topic : {"a", "b", "c"})
    if (rng.chance(2, 3)) params.topics[topic] = some_topic(rng);
  return params;
}

// Peer 1 brings something at first and then nothing, in and out of the meshes; 2 goes on.
void play(Rng& rng, Scored& s, bool peer_1_too) {
  for (const Topic topic : {"a", "b", "c"}) {
    const SipHash message = Scored::digest(rng.next());
    s.scores.validating(message, s.now);
    s.scores.delivered(message, topic, id(peer_1_too && rng.chance(1, 2) ? 1 : 2), s.now);
    s.pass(20ms);
    s.scores.duplicate(message, topic, id(1), s.now);  // our own copy, sent back too late
    if (rng.chance(1, 8)) s.scores.pruned(id(1), topic);
    if (rng.chance(1, 2)) s.scores.grafted(id(1), topic, s.now);
  }
  s.wait(1s);
}

}  // namespace

// For every set that check() accepts: many at random, with P3 and without.
TEST_CASE("H40: under accepted parameters a peer that forwards nothing keeps no positive score") {
  Rng rng(40);
  std::size_t accepted = 0, with_p1 = 0;
  for (int i = 0; i < 3'000; ++i) {
    const ScoreParams params = some_params(rng);
    if (!check(params)) continue;
    ++accepted;
    for (const auto& [topic, t] : params.topics)
      if (t.weight * t.time_in_mesh_weight * t.time_in_mesh_cap > 0) ++with_p1;
    Scored s(params);
    s.connect(1), s.connect(2);
    for (int second = 0; second < 20; ++second) play(rng, s, true);
    for (const Topic topic : {"a", "b", "c"}) s.scores.grafted(id(1), topic, s.now);
    // 100 is nothing after 88 intervals with a factor of 0.9; activation takes less.
    s.wait(90s);
    for (int second = 0; second < 10; ++second) {
      CHECK(s.score(1) <= 0);
      s.wait(1s);
    }
  }
  CHECK(accepted > 300);
  CHECK(with_p1 > 100);
}

TEST_CASE("H40: where silence shows anywhere, other topics do not make up for it") {
  Rng rng(41);
  std::size_t tried = 0;
  for (int i = 0; i < 20'000; ++i) {
    ScoreParams params = some_params(rng);
    for (auto& [topic, t] : params.topics) t.first_deliveries_cap = some(rng, 10);
    if (!check(params) || !silence_shows_anywhere(params)) continue;
    for (const auto& [silent, t] : params.topics) {
      if (t.mesh_deliveries_weight == 0) continue;
      ++tried;
      Scored s(params);
      s.connect(1);
      for (const auto& [topic, other] : params.topics) s.scores.grafted(id(1), topic, s.now);
      s.wait(200s);
      for (std::size_t message = 0; message < 200; ++message)
        for (const auto& [topic, other] : params.topics)
          if (topic != silent)
            s.scores.delivered(Scored::digest(message), topic, id(1), s.now), s.pass(1ns);
      CHECK(s.score(1) <= 0);
    }
  }
  CHECK(tried > 100);
}

TEST_CASE("H40: a good peer's topics may hide a silent one where silence does not show anywhere") {
  ScoreParams params;
  params.default_topic.reset();
  params.topics["a"] = watched();
  params.topics["a"].mesh_deliveries_weight = -2;
  CHECK(silence_shows_anywhere(params));
  params.topics["b"] = TopicScoreParams{};
  params.topics["b"].first_deliveries_cap = 400;
  CHECK(silence_shows_anywhere(params));
  params.topics["b"].first_deliveries_cap = 401;
  CHECK(!silence_shows_anywhere(params));
  CHECK(check(params));
  params.topics.erase("b");
  params.default_topic = TopicScoreParams{};
  CHECK(!silence_shows_anywhere(params));
  CHECK(!silence_shows_anywhere(plain_scores().params));
}

// --- presets

TEST_CASE("H46: under plain scores a peer that breaks no rule is never below 0") {
  Scored s(plain_scores().params);
  for (std::size_t n = 1; n <= 30; ++n) s.connect(n, {"/ip4/127.0.0.1/tcp/1"}), s.graft(n);
  for (std::size_t message = 0; message < 300; ++message) {
    s.validate(message);
    s.duplicate(2, message);
    if (message % 3 == 0) s.ignore(message);
    if (message % 3 != 0) s.accept(1, message);
    s.pass(1s);
    s.duplicate(3, message), s.duplicate(3, message);
    s.scores.too_slow(id(4));
    if (message % 20 == 0) s.prune(5), s.graft(5), s.scores.penalise(id(5), 2);
    if (message % 50 == 0) s.leave(6), s.connect(6);
    s.wait(1s);
    for (std::size_t n = 1; n <= 30; ++n) CHECK(s.score(n) >= 0);
  }
  CHECK(s.score(1) > 40);
}

TEST_CASE("H41: under plain scores invalid messages, and broken rules, soon end in the graylist") {
  const auto [params, thresholds] = plain_scores();
  Scored s(params);
  s.connect(1), s.connect(2), s.connect(3);
  s.bring(1, 1'000), s.bring(2, 1'000);
  s.invalid(3);
  CHECK(s.score(3) < 0);
  CHECK(s.score(3) >= thresholds.gossip);
  s.invalid(1, 5);
  CHECK(s.score(1) < thresholds.graylist);
  for (int second = 0; second < 20; ++second) s.scores.penalise(id(2), 2), s.wait(1s);
  CHECK(s.score(2) < thresholds.graylist);
  for (std::size_t n = 10; n < 30; ++n) s.connect(n, {"/ip4/192.0.2.1/tcp/1"});
  CHECK(s.score(10) == 0);  // to share an address is no fault
}

// By hand: 50 points for each unit of topic weight (2.15), half of them the cap; a block a slot.
TEST_CASE("score params: Ethereum's are those of its clients") {
  const Scoring beacon = beacon_scores({"6a95a1a9", 500'000, 8});
  CHECK(beacon.params.topics.size() == 69);
  CHECK(beacon.params.topic_score_cap == doctest::Approx(53.75));
  CHECK(beacon.params.decay_interval == 12s);
  CHECK(beacon.params.retain == 3'200 * 12s);
  CHECK(beacon.params.behaviour_weight == doctest::Approx(-15.88).epsilon(0.001));
  const auto topic = [&](const std::string& name) {
    return beacon.params.topics.at("/eth2/6a95a1a9/" + name + "/ssz_snappy");
  };
  const TopicScoreParams block = topic("beacon_block");
  CHECK(block.time_in_mesh_cap == 300);
  CHECK(block.time_in_mesh_weight == doctest::Approx(0.0333).epsilon(0.01));
  CHECK(block.first_deliveries_cap == doctest::Approx(34.86).epsilon(0.001));
  CHECK(block.mesh_deliveries_threshold == doctest::Approx(0.6849).epsilon(0.001));
  CHECK(block.mesh_deliveries_cap == doctest::Approx(2.0547).epsilon(0.001));
  CHECK(block.mesh_deliveries_activation == 384s);
  CHECK(block.invalid_weight == doctest::Approx(-215));
  CHECK(topic("beacon_attestation_63").weight == doctest::Approx(1.0 / 64));
  CHECK(topic("voluntary_exit").mesh_deliveries_weight == 0);
}

TEST_CASE("H40: under Ethereum's preset a peer that forwards no block leaves, unlike before") {
  Scoring beacon = beacon_scores({"6a95a1a9", 500'000, 8});
  CHECK(silence_shows_anywhere(beacon.params));
  const Topic blocks = "/eth2/6a95a1a9/beacon_block/ssz_snappy";
  const auto silent = [&](const ScoreParams& params) {
    Scored s(params);
    s.connect(1);
    for (const auto& [topic, t] : params.topics)
      if (topic == blocks) s.scores.grafted(id(1), topic, s.now);
    for (int slot = 0; slot < 400; ++slot) s.wait(12s);
    return s.score(1);
  };
  CHECK(silent(beacon.params) == doctest::Approx(0.5 * 10 - 107.5));
  beacon.params.topics[blocks].mesh_deliveries_weight = -0.5;  // lighthouse's
  CHECK(!check(beacon.params));
  beacon.params.silence_may_pay = true;
  CHECK(silent(beacon.params) > 4.8);
}

}  // namespace kadmesh
