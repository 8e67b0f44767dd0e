// Backfill between whole nodes, in virtual time: scene S6, and peers that do not play by the rules.
#include "base/framing.h"
#include "node/backfill_streams.h"
#include "town.h"

namespace kadmesh {
namespace {

constexpr const char* kProtocol = "/kadmesh/backfill/1.0.0";

struct Space : Town {
  static NodeConfig with(Keep keep) {
    NodeConfig config = Town::config();
    config.backfill.keep = keep;
    return config;
  }
  Index keeper(Keep keep = Keep::in_memory) { return add_listening(with(keep)); }
  Index member(Keep keep = Keep::in_memory) {
    const Index who = keeper(keep);
    subscribe(who, "space");
    return who;
  }
  // One who has published `count` items to nobody.
  Index author(int count = 5) {
    const Index who = member();
    for (int n = 0; n < count; ++n)
      REQUIRE(publish(who, "space", "item " + std::to_string(n)).has_value());
    return who;
  }

  OpId backfill(Index who, Index from, Duration limit = kDefaultDeadline,
                BackfillRange range = {}) {
    return start(
        who, [&](Node& n, Turn t, Time by) { return n.backfill(t, id(from), "space", by, range); },
        limit);
  }
  const BackfillReport& report(Index who, OpId op) {
    REQUIRE(run_until([&] { return ended(who, op); }, 15s));
    const OpDone& done = *result(who, op);
    REQUIRE_MESSAGE(done.result.has_value(), to_string(done.result.error()));
    return std::get<BackfillReport>(*done.result);
  }
  const Error& failure(Index who, OpId op) {
    REQUIRE(run_until([&] { return ended(who, op); }, 15s));
    REQUIRE_FALSE(result(who, op)->result.has_value());
    return error(who, op);
  }
  std::vector<std::string> heard(Index who) const {
    std::vector<std::string> out;
    for (const Report& report : reports(who))
      if (const auto* message = std::get_if<MessageDelivered>(&report))
        out.emplace_back(as_text(message->delivery.message.data));
    return out;
  }
  BackfillStats stats(Index who) const { return node(who).stats().backfill; }
};

using Words = std::vector<std::string>;
const Words kItems{"item 0", "item 1", "item 2", "item 3", "item 4"};

}  // namespace

TEST_CASE("S6: five items, then a latecomer: all within 3 s, a new post within 1 s, none twice") {
  Space space;
  const auto alice = space.author();
  const auto bob = space.member();
  const Time joined = space.now().mono;
  space.meet(bob, alice);
  const BackfillReport report = space.report(bob, space.backfill(bob, alice));
  CHECK(space.now().mono - joined <= 3s);
  CHECK(report.taken == 5);
  CHECK(report.complete);
  CHECK(space.heard(bob) == kItems);
  REQUIRE(space.publish(alice, "space", "post").has_value());
  CHECK(space.run_until([&] { return space.messages(bob) == 6; }, 1s));
  CHECK(space.report(bob, space.backfill(bob, alice)).duplicates == 6);
  space.run_for(5min);  // the router has forgotten all of it
  CHECK(space.report(bob, space.backfill(bob, alice)).duplicates == 6);
  space.run_for(10s);
  CHECK(space.messages(bob) == 6);
  CHECK(space.messages(alice) == 0);
  CHECK(space.node(bob).gossip().stats().published == 0);
  CHECK(space.quiesce() == "");
}

TEST_CASE("backfill: whoever was told tells a third, from whom nobody else hears of it") {
  Space space;
  const auto alice = space.author(), bob = space.member();
  space.meet(bob, alice);
  CHECK(space.report(bob, space.backfill(bob, alice)).taken == 5);
  space.kill(alice);
  const auto carl = space.member(Keep::nothing), dora = space.member();
  space.meet(carl, bob);
  space.meet(dora, bob);
  space.run_for(3s);
  CHECK(space.report(carl, space.backfill(carl, bob)).taken == 5);
  space.run_for(10s);
  CHECK(space.heard(carl) == kItems);
  CHECK(space.messages(dora) == 0);
  CHECK(space.quiesce() == "");
}

TEST_CASE("backfill: a thousand items come in pages, and a peer that is not connected is dialled") {
  Space space;
  const auto alice = space.author(1000);
  const auto bob = space.member();
  space.meet(bob, alice);
  space.command(bob, [&](Node& n, Turn t) { n.disconnect(t, space.id(alice)); });
  space.run_for(1s);
  const BackfillReport report = space.report(bob, space.backfill(bob, alice));
  CHECK(report.pages == 2);
  CHECK(report.taken == 1000);
  CHECK(space.stats(alice).served_messages == 1000);
  CHECK(space.quiesce() == "");
}

TEST_CASE("backfill: a portion at a time, each from where the last one ended") {
  Space space;
  const auto alice = space.author(), bob = space.member(Keep::nothing);
  space.meet(bob, alice);
  BackfillRange range{.most = 3};
  const BackfillReport first = space.report(bob, space.backfill(bob, alice, 10s, range));
  CHECK_FALSE(first.complete);
  range.after = first.next;
  const BackfillReport second = space.report(bob, space.backfill(bob, alice, 10s, range));
  CHECK(second.complete);
  CHECK(second.duplicates == 0);
  CHECK(space.heard(bob) == kItems);
}

TEST_CASE("backfill: what comes by the mesh at the same time reaches those behind, once each") {
  Space space;
  const auto alice = space.author(), bob = space.member(), carl = space.member();
  space.meet(bob, alice);
  space.meet(carl, bob);
  space.run_for(3s);
  for (int n = 0; n < 20; ++n) {
    space.backfill(bob, alice);
    REQUIRE(space.publish(alice, "space", "live " + std::to_string(n)).has_value());
    space.run_for(7ms);
  }
  space.run_for(5s);
  CHECK(space.messages(bob) == 25);
  CHECK(space.messages(carl) == 20);
}

TEST_CASE(
    "backfill: a teller that forgot its log in a restart says so to who comes with a cursor") {
  Space space;
  const auto alice = space.author(), bob = space.member();
  space.meet(bob, alice);
  const Bytes next = space.report(bob, space.backfill(bob, alice)).next;
  space.kill(alice);
  space.restart(alice);
  space.subscribe(alice, "space");
  space.run_for(1s);
  const Error& error = space.failure(bob, space.backfill(bob, alice, 10s, {.after = next}));
  CHECK(error.code == Errc::invalid);
  CHECK(error.detail.find("unknown_cursor") != std::string::npos);
  // She was told of none of her own by anybody yet: Bob has kept them.
  const BackfillReport back = space.report(alice, space.backfill(alice, bob));
  CHECK(back.taken == 5);
  CHECK(space.heard(alice) == kItems);
}

TEST_CASE("backfill: nothing kept is unsupported, nothing subscribed is invalid, at once") {
  Space space;
  const auto alice = space.member(Keep::nothing), bob = space.member(), carl = space.keeper();
  space.meet(bob, alice);
  CHECK(space.failure(bob, space.backfill(bob, alice)).code == Errc::unsupported);
  CHECK(space.failure(carl, space.backfill(carl, bob)).code == Errc::invalid);
  space.meet(bob, carl);
  CHECK(space.failure(bob, space.backfill(bob, carl)).code == Errc::not_found);
}

TEST_CASE("backfill: who leaves a topic has nothing of it any more") {
  Space space;
  const auto alice = space.author();
  CHECK(space.stats(alice).kept == 5);
  space.command(alice, [](Node& n, Turn t) { n.unsubscribe(t, "space"); });
  space.subscribe(alice, "space");
  CHECK(space.stats(alice).kept == 0);
}

// --- the application's store
namespace {

struct Shelf : Space {
  Shelf() {
    on_report_of(alice, [this](const Report& report) {
      if (const auto* kept = std::get_if<MessageToKeep>(&report))
        rows.push_back(kept->message.message);
      if (const auto* asked = std::get_if<BackfillWanted>(&report)) answer(asked->question);
    });
    for (int n = 0; n < 5; ++n)
      REQUIRE(publish(alice, "space", "item " + std::to_string(n)).has_value());
    meet(bob, alice);
    run_for(1s);  // each has heard what the other subscribes to
  }
  // Two rows a page; its cursor is a row's number in text. Told behind the turn that asks.
  void answer(const BackfillAsked& asked) {
    const std::size_t from =
        asked.question.after.empty() ? 0 : std::stoul(std::string(as_text(asked.question.after)));
    const std::size_t end = std::min(rows.size(), from + 2);
    BackfillPage page{{rows.begin() + static_cast<std::ptrdiff_t>(from),
                       rows.begin() + static_cast<std::ptrdiff_t>(end)},
                      text(std::to_string(end)),
                      end < rows.size()};
    if (!answers) return;
    at(now().mono, [this, id = asked.id, page] {
      command(alice, [&](Node& n, Turn t) { CHECK(n.tell_backfill(t, id, page).has_value()); });
    });
  }

  const Index alice = member(Keep::by_application), bob = member();
  std::vector<Bytes> rows;
  bool answers = true;
};

}  // namespace

TEST_CASE("backfill: an application keeps and tells from a store of its own") {
  Shelf shelf;
  const BackfillReport report = shelf.report(shelf.bob, shelf.backfill(shelf.bob, shelf.alice));
  CHECK(report.pages == 3);
  CHECK(report.taken == 5);
  CHECK(shelf.heard(shelf.bob) == kItems);
  CHECK(shelf.stats(shelf.alice).kept == 0);
  CHECK(shelf.quiesce() == "");
}

TEST_CASE("backfill: an application that does not answer is unavailable") {
  Shelf shelf;
  shelf.answers = false;
  const Error& error = shelf.failure(shelf.bob, shelf.backfill(shelf.bob, shelf.alice));
  CHECK(error.code == Errc::refused);
  CHECK(error.detail.find("unavailable") != std::string::npos);
  CHECK(shelf.quiesce() == "");
}

// --- ends
TEST_CASE("backfill: cancelled, shut down and disconnected operations end once and leave nothing") {
  Shelf shelf;
  shelf.answers = false;
  const OpId cancelled = shelf.backfill(shelf.bob, shelf.alice);
  shelf.run_for(100ms);
  CHECK(shelf.stats(shelf.alice).answering == 1);
  shelf.command(shelf.bob, [&](Node& n, Turn t) { n.cancel(t, cancelled); });
  CHECK(shelf.failure(shelf.bob, cancelled).code == Errc::cancelled);
  shelf.run_for(100ms);
  CHECK(shelf.stats(shelf.alice).answering == 0);

  const OpId cut = shelf.backfill(shelf.bob, shelf.alice);
  shelf.run_for(100ms);
  CHECK(shelf.stats(shelf.alice).answering == 1);
  shelf.command(shelf.alice, [&](Node& n, Turn t) { n.disconnect(t, shelf.id(shelf.bob)); });
  shelf.failure(shelf.bob, cut);
  CHECK(shelf.stats(shelf.alice).answering == 0);

  shelf.meet(shelf.bob, shelf.alice);
  shelf.run_for(1s);
  const OpId shut = shelf.backfill(shelf.bob, shelf.alice);
  shelf.run_for(100ms);
  shelf.command(shelf.bob, [](Node& n, Turn t) { n.shutdown(t); });
  CHECK(shelf.failure(shelf.bob, shut).code == Errc::closed);
  CHECK(shelf.quiesce() == "");
}

// --- peers that speak the protocol as they like
namespace {

struct Liars : Space {
  Liars() {
    meet(bob, liar);
    command(liar, [](Node& n, Turn t) { n.serve(t, kProtocol); });
  }
  // Answers every question with these bytes.
  void says(Bytes bytes, bool ends = true) {
    on_report_of(liar, [this, bytes, ends](const Report& report) {
      const auto* stream = std::get_if<StreamIncoming>(&report);
      if (!stream) return;
      at(now().mono, [this, key = stream->key, bytes, ends] {
        command(liar, [&](Node& n, Turn t) { n.write(t, key, bytes); });
        if (ends) command(liar, [&](Node& n, Turn t) { n.finish(t, key); });
      });
    });
  }
  const Index bob = member(), liar = member(Keep::nothing);
};

Bytes answer_of(const BackfillAnswer& answer) { return frame(gossip::encode_answer(answer)); }

}  // namespace

TEST_CASE("backfill: a silent peer costs an operation its deadline, and no more") {
  Liars town;
  town.says({}, false);
  const Time begun = town.now().mono;
  const OpId op = town.backfill(town.bob, town.liar, 3s);
  const Error& error = town.failure(town.bob, op);
  CHECK(error.code == Errc::timeout);
  CHECK(error.detail.find(town.id(town.liar).text()) != std::string::npos);
  CHECK(town.ended_at(town.bob, op) - begun <= 3100ms);
  CHECK(town.quiesce() == "");
}

TEST_CASE("backfill: an answer that is too large, cut off or nonsense ends at once") {
  for (const auto& [bytes, code] :
       {std::pair(Bytes{0xff, 0xff, 0xff, 0x7f}, Errc::limit),
        std::pair(Bytes{0x05, 0x01}, Errc::closed), std::pair(frame(Bytes{0xff}), Errc::malformed),
        std::pair(answer_of(BackfillPage{{}, {}, true}), Errc::protocol)}) {
    Liars town;
    town.says(bytes);
    const Time begun = town.now().mono;
    const Error& error = town.failure(town.bob, town.backfill(town.bob, town.liar));
    CHECK_MESSAGE(error.code == code, to_string(error));
    CHECK(town.now().mono - begun <= 1s);
    CHECK(town.quiesce() == "");
  }
}

TEST_CASE("backfill: a peer that is always busy is asked again until the deadline, and seldom") {
  Liars town;
  town.says(answer_of(BackfillRefused{BackfillRefusal::busy, "", 0s}));
  const OpId op = town.backfill(town.bob, town.liar, 2s);
  const Error& error = town.failure(town.bob, op);
  CHECK(error.code == Errc::limit);
  CHECK(error.detail.find("busy") != std::string::npos);
  CHECK(town.quiesce() == "");
}

// --- askers that do not play by the rules
namespace {

struct Askers : Space {
  Askers() { meet(asker, alice); }
  std::optional<StreamKey> opens(ByteView first) {
    const OpId op = start(asker, [&](Node& n, Turn t, Time by) {
      return n.open_stream(t, id(alice), {kProtocol}, by, to_bytes(first));
    });
    if (!run_until([&] { return ended(asker, op); }, 2s)) return std::nullopt;
    const auto& opened = result(asker, op)->result;
    if (!opened) return std::nullopt;
    return std::get<StreamReport>(*opened).key;
  }
  bool was_reset(StreamKey key) const {
    return std::ranges::any_of(reports(asker), [&](const Report& report) {
      const auto* event = std::get_if<StreamEvent>(&report);
      const auto* reset = event ? std::get_if<StreamReset>(event) : nullptr;
      return reset && reset->key == key;
    });
  }
  bool refuses(ByteView first) {
    const auto key = opens(first);
    run_for(100ms);
    return !key || was_reset(*key);
  }
  const Index alice = author(), asker = citizen();
};

}  // namespace

TEST_CASE("backfill: who does not finish a question, or asks for too much at once, is reset") {
  Askers town;
  const auto half = town.opens(Bytes{0x20});
  REQUIRE(half);
  town.run_for(BackfillStreams::kServeTimeout - 1s);
  CHECK_FALSE(town.was_reset(*half));
  town.run_for(2s);
  CHECK(town.was_reset(*half));
  CHECK(town.refuses(Bytes{0xff, 0x7f}));
  CHECK_FALSE(town.refuses(Bytes{0x20}));
  for (std::size_t n = 0; n < BackfillStreams::kMostOfPeer - 1; ++n) town.opens(Bytes{0x20});
  CHECK(town.refuses(Bytes{0x20}));
  CHECK(town.quiesce() == "");
}

TEST_CASE("backfill: a question that comes while another is being answered is not read") {
  Shelf shelf;
  shelf.answers = false;
  const Bytes question = frame(gossip::encode_question({.topic = "space"}));
  const OpId op = shelf.start(shelf.bob, [&](Node& n, Turn t, Time by) {
    return n.open_stream(t, shelf.id(shelf.alice), {kProtocol}, by, question);
  });
  shelf.run_for(1s);
  REQUIRE(shelf.ended(shelf.bob, op));
  const StreamKey key = std::get<StreamReport>(*shelf.result(shelf.bob, op)->result).key;
  shelf.command(shelf.bob, [&](Node& n, Turn t) { n.write(t, key, question); });
  shelf.run_for(1s);
  CHECK(shelf.stats(shelf.alice).answering == 1);
  CHECK(shelf.quiesce() == "");
}

TEST_CASE("backfill: a stream has one question; what comes behind it is not read") {
  Askers town;
  town.subscribe(town.asker, "space");
  town.run_for(1s);
  Bytes twice = frame(gossip::encode_question({.topic = "space"}));
  append(twice, Bytes(twice));
  REQUIRE(town.opens(twice));
  town.run_for(1s);
  CHECK(town.stats(town.alice).served == 1);
  CHECK(town.quiesce() == "");
}

}  // namespace kadmesh
