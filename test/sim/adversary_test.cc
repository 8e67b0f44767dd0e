// Honest nodes beside some that are not, and what only the laboratory can see of them.
#include "sim/adversary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "kad/key.h"
#include "sim/oracle.h"

namespace kadmesh {
namespace {

Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

constexpr std::string_view kKad = "/sim/kad/1.0.0";

// Ten honest nodes that know one another.
struct Village : World {
  Village() : World(11) {
    nodes(10);
    run_for(20s);
  }
  ~Village() override { CHECK_MESSAGE(check_invariants().empty(), check_invariants()); }
  Village(const Village&) = delete;
  Village& operator=(const Village&) = delete;

  const OpDone& ended(Index who, OpId op) {
    REQUIRE(run_until([&] { return result(who, op) != nullptr; }, 11s));
    return *result(who, op);
  }
  const OpDone& put(Index who, std::string_view key, std::string_view value) {
    return ended(who, start(who, [&](Node& n, Turn t, Time by) {
                   return n.put(t, text(key), text(value), by);
                 }));
  }
  const OpDone& get(Index who, std::string_view key) {
    return ended(who,
                 start(who, [&](Node& n, Turn t, Time by) { return n.get(t, text(key), by); }));
  }
  std::size_t in_table(Index who) { return node(who).kad().table().size(); }
  void subscribe_all(const Topic& topic) {
    for (Index i = 0; i < 10; ++i)
      command(i, [&](Node& n, Turn t) { REQUIRE(n.subscribe(t, topic)); });
  }
};

TEST_CASE_FIXTURE(Village, "oracle: in a village at rest everything is as it seems") {
  CHECK(oracle::addresses(*this).empty());
  CHECK(oracle::connections(*this).empty());
  std::vector<PeerId> known{peer(0)};
  for (const TableEntry& entry : node(0).kad().table()) known.push_back(entry.contact.peer);
  const auto hits = oracle::hits(*this, kKad, text("/v/x"), known, 20);
  CHECK(hits.of == 10);
  CHECK(hits.found == 10);
  const auto silence = oracle::hits(*this, kKad, text("/v/x"), {}, 5);
  CHECK(silence.of == 5);
  CHECK(silence.found == 0);
  CHECK(oracle::closest(*this, "/other/kad/1.0.0", text("/v/x"), 5).empty());
  crash(3);
  CHECK(oracle::connections(*this).find("that only it has") != std::string::npos);
  CHECK(oracle::connections(*this, 10s).find("that only it has") != std::string::npos);
  CHECK(oracle::connections(*this, 2min).empty());  // keepalives go unanswered
}

TEST_CASE_FIXTURE(Village, "oracle: an address that is not the world's own for a peer is found") {
  Endpoint elsewhere = network().address(4, 9999);
  command(4, [&](Node& n, Turn t) { n.listen(t, elsewhere); });
  run_for(10s);
  CHECK(oracle::addresses(*this).find("/tcp/9999") != std::string::npos);
}

TEST_CASE_FIXTURE(Village, "oracle: who missed a message, or got it twice, is named") {
  std::vector<std::size_t> delivered(nodes(), 1);
  CHECK(oracle::reach(*this, "news", 0, delivered).wrong == "nobody was due the message");
  subscribe_all("news");
  CHECK(oracle::reach(*this, "news", 0, delivered).due == 9);
  CHECK(oracle::reach(*this, "news", 0, delivered).wrong.empty());
  delivered[7] = 0;
  CHECK(oracle::reach(*this, "news", 0, delivered).wrong.find("node 7") == 0);
  delivered[7] = 2;
  CHECK(oracle::reach(*this, "news", 0, delivered).wrong.find("node 7") == 0);
  kill(7);
  CHECK(oracle::reach(*this, "news", 0, delivered).wrong.empty());
}

TEST_CASE_FIXTURE(Village, "adversary: one that answers nothing is asked, and costs no value") {
  Adversary silent(*this, {.on_request = adversary::silence()});
  for (Index i = 0; i < 10; ++i) silent.connect(i);
  run_for(5s);
  CHECK(put(1, "/v/key", "value").result.has_value());
  CHECK(get(8, "/v/key").result.has_value());
  CHECK(silent.requests() > 0);
}

TEST_CASE_FIXTURE(Village, "adversary: one that resets every request costs no value") {
  Adversary rude(*this, {.on_request = adversary::refusal()});
  for (Index i = 0; i < 10; ++i) rude.connect(i);
  run_for(5s);
  const Time before = now().mono;
  CHECK(put(1, "/v/key", "value").result.has_value());
  CHECK(get(8, "/v/key").result.has_value());
  // Nobody waits for an answer that is known not to come.
  CHECK(now().mono - before < 1s);
  CHECK(rude.requests() > 0);
}

// Asks one peer one thing, as anybody may.
struct Caller {
  explicit Caller(World& world) : adversary(world, {}), world_(world) {
    world.on_report_of(adversary.index(), [this](const Report& report) { hear(report); });
  }
  void hear(const Report& report) {
    const auto* event = std::get_if<StreamEvent>(&report);
    const auto* readable = event ? std::get_if<StreamReadable>(event) : nullptr;
    if (!readable) return;
    const Bytes bytes = to_bytes(world_.node(adversary.index()).readable(readable->key));
    ByteView rest = bytes;
    FrameReader frames(4096);
    const auto message = frames.next(rest);
    REQUIRE(message);
    REQUIRE(*message);
    answer = *decode_kad(**message, KadWireLimits{});
  }
  KadMessage ask(World::Index whom, KadMessage question) {
    adversary.connect(whom);
    world_.run_for(1s);
    answer = {};
    adversary.ask(world_.peer(whom), frame(encode_request(question)));
    world_.run_for(1s);
    return answer;
  }
  Adversary adversary;
  World& world_;
  KadMessage answer;
};

TEST_CASE_FIXTURE(Village, "adversary: a deceiver answers as a server, and keeps nothing") {
  const auto names = std::make_shared<Directory>(*this);
  for (Index i = 0; i < 10; ++i) names->add(i);
  const Adversary liar(*this, {.on_request = adversary::deceit(names, 3)});
  Caller caller(*this);
  kill(6);
  const Bytes key = text("/v/key");
  const KadMessage stored =
      caller.ask(liar.index(), {KadType::put_value, key, KadRecord{key, text("x"), {}}, {}, {}});
  REQUIRE(stored.record);
  CHECK(stored.record->value == text("x"));
  const KadMessage got = caller.ask(liar.index(), {KadType::get_value, key, {}, {}, {}});
  CHECK_FALSE(got.record);
  const auto nearest = oracle::closest(*this, kKad, key, 3);
  REQUIRE(got.closer.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(got.closer[i].id == nearest[i]);
}

TEST_CASE_FIXTURE(Village, "adversary: strangers that a liar names as closest are not believed") {
  std::vector<KadPeer> strangers;
  for (const KeyPair& made_up : adversary::ids_near(5, text("/v/key"), 20, 200))
    strangers.push_back({made_up.peer_id(), {*Multiaddr::from_text("/ip4/10.9.9.9/tcp/9")}, {}});
  Adversary liar(*this, {.on_request = adversary::answer_with(strangers)});
  for (Index i = 0; i < 10; ++i) liar.connect(i);
  run_for(5s);
  CHECK(put(1, "/v/key", "value").result.has_value());
  CHECK(get(8, "/v/key").result.has_value());
  run_for(30s);
  CHECK(liar.requests() > 0);
  CHECK_MESSAGE(oracle::addresses(*this).empty(), oracle::addresses(*this));
}

TEST_CASE_FIXTURE(Village, "adversary: a forged value that no validator accepts reaches nobody") {
  Adversary forger(*this, {.on_request = adversary::forge_value(text("forged"))});
  for (Index i = 0; i < 10; ++i) forger.connect(i);
  run_for(5s);
  const OpDone& got = get(2, "/pk/nobody's");
  CHECK(!got.result.has_value());
  CHECK(forger.requests() > 0);
}

TEST_CASE_FIXTURE(Village,
                  "adversary: frames too long and bytes that mean nothing hurt who sent them") {
  Adversary huge(*this, {.on_request = adversary::oversize()});
  Adversary noise(*this, {.on_request = adversary::garbage()});
  for (Index i = 0; i < 10; ++i) huge.connect(i), noise.connect(i);
  run_for(5s);
  CHECK(put(1, "/v/key", "value").result.has_value());
  CHECK(get(8, "/v/key").result.has_value());
  CHECK(huge.requests() > 0);
  CHECK(noise.requests() > 0);
}

TEST_CASE_FIXTURE(Village, "adversary: members who take messages and pass none on keep none back") {
  subscribe_all("news");
  const auto join = [](Adversary& self, const PeerId& to) {
    gossip::Rpc hello;
    hello.subscriptions = {{true, "news"}};
    hello.graft = {"news"};
    self.say(to, hello);
  };
  Adversary a(*this, {.on_pubsub = join}), b(*this, {.on_pubsub = join});
  for (Index i = 0; i < 10; ++i) a.connect(i), b.connect(i);
  run_for(5s);
  std::vector<std::size_t> delivered(nodes());
  on_report([&](Index who, const Report& report) {
    if (std::holds_alternative<MessageDelivered>(report)) ++delivered[who];
  });
  const auto receipt =
      command(3, [&](Node& n, Turn t) { return n.publish(t, "news", text("hello")); });
  REQUIRE(receipt.has_value());
  run_for(5s);
  CHECK(a.rpcs() + b.rpcs() > 0);
  const oracle::Reach reach = oracle::reach(*this, "news", 3, delivered);
  CHECK_MESSAGE(reach.wrong.empty(), reach.wrong);
  CHECK(reach.due == 9);
}

TEST_CASE("adversary: a Sybil set is as close to its key as luck allows") {
  const Bytes key = text("/v/target");
  const auto near = adversary::ids_near(1, key, 4, 100), wide = adversary::ids_near(1, key, 4, 10);
  REQUIRE(near.size() == 4);
  const auto away = [&](const KeyPair& who) {
    return distance(KadId::of(who.peer_id()), KadId::of(key));
  };
  CHECK(std::ranges::is_sorted(near, {}, away));
  CHECK(away(near.back()) < away(wide.back()));
}

TEST_CASE("adversary: ids around a victim fill its buckets, the nearest first") {
  const KadId victim = KadId::of(text("victim"));
  const auto around = adversary::ids_around(1, victim, 25, 4, 400);
  REQUIRE(around.size() == 25);
  std::map<unsigned, std::size_t, std::greater<>> buckets;
  for (const KeyPair& who : around) ++buckets[common_prefix(KadId::of(who.peer_id()), victim)];
  CHECK(buckets.begin()->first >= 7);  // 400 are eight bits' worth, and a half
  CHECK(buckets.rbegin()->first > 0);  // no place is left for the widest
  for (const auto& [prefix, count] : buckets) CHECK(count <= 4);
  CHECK(buckets[4] == 4);
}

TEST_CASE("adversary: around a victim there are as many ids as were asked for") {
  const auto around = adversary::ids_around(1, KadId::of(text("victim")), 40, 2, 60);
  std::set<PeerId> who;
  for (const KeyPair& key : around) who.insert(key.peer_id());
  CHECK(who.size() == 40);  // of 60 about 14 fit
  CHECK(adversary::ids_around(1, KadId::of(text("victim")), 0, 2, 60).empty());
}

}  // namespace
}  // namespace kadmesh
