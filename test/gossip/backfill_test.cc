// Backfill as a core: one node whose peers are the test's to play, as askers and as tellers.
#include "gossip/backfill.h"

#include "refusal.h"
#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

BackfillConfig keeping(void (*change)(BackfillConfig&) = nullptr) {
  BackfillConfig config;
  config.keep = Keep::in_memory;
  if (change) change(config);
  return config;
}

GossipConfig gossip_config(const BackfillConfig& config) {
  GossipConfig gossip;
  gossip.keeps = config.keep != Keep::nothing;
  return gossip;
}

// Has joined "t".
struct Member : Router {
  explicit Member(const BackfillConfig& config = keeping())
      : Router(gossip_config(config)), backfill(gossip, config, turn()) {
    subscribe_us();
  }

  // --- telling
  void said(std::string_view data, std::uint8_t seqno, const Topic& topic = "t") {
    join(1);
    message(1, signed_message(9, data, seqno, topic));
    keep();
  }
  void keep() {
    for (GossipKeep& one : std::exchange(kept, {})) backfill.on_kept(turn(), std::move(one));
  }
  BackfillAnswer answers(std::size_t n, const BackfillQuestion& question) {
    return answers_raw(n, gossip::encode_question(question));
  }
  BackfillAnswer answers_raw(std::size_t n, ByteView question) {
    if (!gossip.has_peer(id(n)))
      for (const char* topic : {"t", "small"}) join(n), subscribe(n, topic);
    backfill.on_question(turn(), id(n), question);
    return gossip::decode_answer(next<BackfillReply>().message).value();
  }
  BackfillPage page(const BackfillQuestion& question, std::size_t n = 2) {
    return std::get<BackfillPage>(answers(n, question));
  }
  BackfillRefusal refusal(const BackfillQuestion& question, std::size_t n = 2) {
    return std::get<BackfillRefused>(answers(n, question)).cause;
  }

  // --- asking
  BackfillOp ask(BackfillRange range = {}, Duration limit = 10s) {
    return backfill.ask(turn(), id(2), "t", std::move(range), after(now, limit));
  }
  // What the peer is asked next.
  BackfillQuestion asked() {
    const auto request = next<BackfillRequest>();
    asked_ = request.id;
    CHECK(request.peer == id(2));
    return gossip::decode_question(request.message).value();
  }
  void told(const BackfillAnswer& answer) { told_raw(gossip::encode_answer(answer)); }
  void told_raw(ByteView answer) {
    backfill.on_answer(turn(), asked_, answer);
    subscribe_us();  // which changes nothing, and drains
  }
  Result<BackfillReport> done() { return next<BackfillDone>().report; }
  Errc failed() { return refusal_of(done()); }

  void wait(Duration time) {
    now = after(now, time);
    if (backfill.next_timer() <= now) backfill.on_timer(turn());
  }
  template <class Action>
  Action next() {
    auto action = backfill.poll();
    REQUIRE(action);
    REQUIRE(std::holds_alternative<Action>(*action));
    return std::get<Action>(*std::move(action));
  }
  bool quiet() { return !backfill.poll() && backfill.stats().asking == 0; }

  Backfill backfill;
  BackfillRequestId asked_{};
};

std::vector<std::string> words(const BackfillPage& page) {
  std::vector<std::string> out;
  for (const Bytes& message : page.messages)
    out.emplace_back(as_text(gossip::decode_message(message).value().data));
  return out;
}

BackfillPage page_of(std::vector<Bytes> messages, std::string_view next = "", bool more = false) {
  return {std::move(messages), text_bytes(next), more};
}

using Words = std::vector<std::string>;

}  // namespace

// --- the teller
TEST_CASE("backfill: a topic is told in the order in which it was accepted, and on from a cursor") {
  Member teller;
  for (std::uint8_t n = 1; n <= 5; ++n) teller.said("item " + std::to_string(n), n);
  const BackfillPage first = teller.page({.topic = "t", .most_messages = 2});
  CHECK(words(first) == Words{"item 1", "item 2"});
  CHECK(first.more);
  const BackfillPage rest = teller.page({.topic = "t", .after = first.next});
  CHECK(words(rest) == Words{"item 3", "item 4", "item 5"});
  CHECK_FALSE(rest.more);
  const BackfillPage none = teller.page({.topic = "t", .after = rest.next});
  CHECK(none.messages.empty());
  CHECK_FALSE(none.more);
  CHECK(none.next == rest.next);
  CHECK(teller.backfill.stats().served_messages == 5);
}

TEST_CASE("backfill: what we publish is told too, though nobody subscribed") {
  Member teller;
  REQUIRE(teller.publish("mine").has_value());
  teller.keep();
  CHECK(words(teller.page({.topic = "t"})) == Words{"mine"});
}

TEST_CASE(
    "backfill: what is accepted again, as the router has forgotten it, is kept and told once") {
  Member teller;
  teller.said("1", 1);
  teller.pass(GossipConfig{}.seen_ttl + 2s);
  teller.message(1, signed_message(9, "1", 1));
  CHECK(teller.delivered.size() == 2);
  teller.keep();
  CHECK(words(teller.page({.topic = "t"})) == Words{"1"});
}

TEST_CASE("backfill: pages end at the bytes that were asked for, but have one message") {
  Member teller;
  for (std::uint8_t n = 1; n <= 3; ++n) teller.said(std::string(1000, 'x'), n);
  CHECK(teller.page({.topic = "t", .most_bytes = 2500}).messages.size() == 2);
  CHECK(teller.page({.topic = "t", .most_bytes = 1}).messages.size() == 1);
  CHECK(teller.page({.topic = "t", .most_messages = 0}).messages.size() == 1);
}

TEST_CASE(
    "backfill: the oldest are forgotten by number, bytes and age, and a cursor tells the gap") {
  Member teller(keeping([](auto& c) { c.topic_messages = 3; }));
  teller.said("1", 1);
  const Bytes cursor = teller.page({.topic = "t"}).next;
  for (std::uint8_t n = 2; n <= 6; ++n) teller.said(std::to_string(n), n);
  const BackfillPage page = teller.page({.topic = "t", .after = cursor});
  CHECK(words(page) == Words{"4", "5", "6"});
  CHECK(page.gap);
  CHECK_FALSE(teller.page({.topic = "t"}).gap);
  teller.pass(24h);
  CHECK(teller.page({.topic = "t"}).messages.empty());
  CHECK(teller.backfill.stats().kept_bytes == 0);
}

TEST_CASE("backfill: all topics together have a bound, and the largest gives way") {
  Member teller(keeping([](auto& c) { c.bytes = 12'000; }));
  teller.subscribe_us("small");
  teller.said("little", 1, "small");
  for (std::uint8_t n = 2; n <= 30; ++n) teller.said(std::string(1000, 'x'), n);
  CHECK(teller.backfill.stats().kept_bytes <= 12'000);
  CHECK(teller.page({.topic = "small"}).messages.size() == 1);
  CHECK(teller.page({.topic = "t"}).messages.size() >= 7);
}

TEST_CASE("backfill: refused are topics that we have not joined, cursors of others, and nonsense") {
  Member teller;
  CHECK(teller.refusal({.topic = "other"}) == BackfillRefusal::unknown_topic);
  CHECK(teller.refusal({.topic = "t", .after = Bytes(16)}) == BackfillRefusal::unknown_cursor);
  CHECK(teller.refusal({.topic = "t", .after = Bytes(3)}) == BackfillRefusal::unknown_cursor);
  for (const Bytes& nonsense : {Bytes{}, Bytes{0xff}, Bytes(gossip::kMostQuestion + 1)})
    CHECK(std::get<BackfillRefused>(teller.answers_raw(2, nonsense)).cause ==
          BackfillRefusal::malformed);
  CHECK(teller.backfill.stats().refused == 6);
}

TEST_CASE("backfill: who has not yet been heard to subscribe is told to ask again in a moment") {
  Member teller;
  teller.said("1", 1);
  teller.join(2);
  const auto refused = std::get<BackfillRefused>(teller.answers(2, {.topic = "t"}));
  CHECK(refused.cause == BackfillRefusal::not_subscribed);
  CHECK(refused.wait == Backfill::kSubscribeWait);
  teller.subscribe(2);
  CHECK(words(teller.page({.topic = "t"})) == Words{"1"});
}

TEST_CASE("backfill: who leaves a topic keeps nothing of it") {
  Member teller;
  teller.said("1", 1);
  teller.unsubscribe_us();
  teller.backfill.on_unsubscribed("t");
  CHECK(teller.refusal({.topic = "t"}) == BackfillRefusal::unknown_topic);
  teller.subscribe_us();
  CHECK(teller.page({.topic = "t"}).messages.empty());
  CHECK(teller.backfill.stats().kept_bytes == 0);
}

TEST_CASE("backfill: a peer that asks too often is refused, and told when to come again") {
  Member teller(keeping([](auto& c) { c.burst = 1s; }));
  for (int i = 0; i < 20; ++i) teller.page({.topic = "t"});
  const auto refused = std::get<BackfillRefused>(teller.answers(2, {.topic = "t"}));
  CHECK(refused.cause == BackfillRefusal::rate_limited);
  CHECK(refused.wait == 50ms);
  CHECK(teller.page({.topic = "t"}, 3).messages.empty());
  teller.wait(50ms);
  teller.page({.topic = "t"});
  CHECK(teller.backfill.stats().rate_limited == 1);
}

TEST_CASE("backfill: what a peer is told counts by its bytes") {
  Member teller(keeping([](auto& c) { c.burst = 1s; }));
  for (std::uint8_t n = 1; n <= 10; ++n) teller.said(std::string(150'000, 'x'), n);
  std::size_t pages = 0;
  while (std::holds_alternative<BackfillPage>(teller.answers(2, {.topic = "t"}))) ++pages;
  CHECK(pages == 5);
  teller.wait(1s);
  CHECK(teller.page({.topic = "t"}).messages.size() == 1);
}

// --- the teller's application
TEST_CASE("backfill: the application is asked, and tells pages of its own") {
  Member teller(keeping([](auto& c) { c.keep = Keep::by_application; }));
  teller.member(2);
  const auto question = [&] {
    teller.backfill.on_question(teller.turn(), id(2), gossip::encode_question({.topic = "t"}));
    return teller.next<BackfillAsked>();
  };
  const auto answer = [&] {
    return gossip::decode_answer(teller.next<BackfillReply>().message).value();
  };
  const BackfillAsked asked = question();
  CHECK(asked.peer == id(2));
  CHECK(asked.question.topic == "t");
  const Bytes message = signed_message(9, "kept");
  CHECK(teller.backfill.tell(teller.turn(), asked.id, page_of({message}, "row 1", true)));
  const auto page = std::get<BackfillPage>(answer());
  CHECK(page.messages == std::vector<Bytes>{message});
  CHECK(as_text(page.next) == "row 1");
  CHECK(refusal_of(teller.backfill.tell(teller.turn(), asked.id, BackfillPage())) ==
        Errc::not_found);

  const BackfillAsked second = question();
  CHECK(refusal_of(teller.backfill.tell(teller.turn(), second.id,
                                        page_of(std::vector<Bytes>(501)))) == Errc::limit);
  CHECK(refusal_of(teller.backfill.tell(teller.turn(), second.id,
                                        page_of({message}, std::string(65, 'c')))) == Errc::limit);
  CHECK(teller.backfill.tell(teller.turn(), second.id, fail(Errc::not_found, "no such space")));
  CHECK(std::get<BackfillRefused>(answer()).cause == BackfillRefusal::not_kept);

  question();
  teller.wait(Backfill::kAnswerTimeout);
  CHECK(std::get<BackfillRefused>(answer()).cause == BackfillRefusal::unavailable);
  CHECK(teller.backfill.stats().answering == 0);
}

TEST_CASE(
    "backfill: questions that wait for the application are bounded, and go with their stream") {
  Member teller(keeping([](auto& c) { c.keep = Keep::by_application; }));
  for (std::size_t n = 1; n < Backfill::kMostAnswering; ++n) teller.member(n);
  const auto ask = [&](std::size_t n) {
    return teller.backfill.on_question(teller.turn(), id(n),
                                       gossip::encode_question({.topic = "t"}));
  };
  const BackfillId first = ask(2);
  for (std::size_t n = 1; n < Backfill::kMostAnswering; ++n) ask(n);
  for (std::size_t n = 0; n < Backfill::kMostAnswering; ++n) teller.next<BackfillAsked>();
  ask(2);
  const auto refused = gossip::decode_answer(teller.next<BackfillReply>().message).value();
  CHECK(std::get<BackfillRefused>(refused).cause == BackfillRefusal::busy);
  teller.backfill.on_gone(first);
  ask(2);
  teller.next<BackfillAsked>();
}

// --- the asker
TEST_CASE("backfill: page after page is asked for until there are no more, and the report counts") {
  Member asker;
  asker.ask();
  CHECK(asker.asked().after.empty());
  asker.told(page_of({signed_message(9, "1", 1), signed_message(9, "2", 2)}, "c1", true));
  CHECK(as_text(asker.asked().after) == "c1");
  asker.told(page_of({signed_message(9, "3", 3)}, "c2"));
  const BackfillReport report = asker.done().value();
  CHECK(report.pages == 2);
  CHECK(report.taken == 3);
  CHECK(report.complete);
  CHECK(as_text(report.next) == "c2");
  CHECK(asker.delivered.size() == 3);
  CHECK(asker.quiet());
}

TEST_CASE("backfill: what is known is no news, also when the router has long forgotten it") {
  Member asker;
  asker.said("kept", 1);
  asker.pass(GossipConfig{}.seen_ttl + 2s);
  asker.ask();
  asker.asked();
  asker.told(page_of({signed_message(9, "kept", 1), signed_message(9, "new", 2)}));
  const BackfillReport report = asker.done().value();
  CHECK(report.duplicates == 1);
  CHECK(report.taken == 1);
  CHECK(asker.delivered.size() == 2);
}

TEST_CASE("backfill: what we were told, we tell") {
  Member asker;
  asker.ask();
  asker.asked();
  asker.told(page_of({signed_message(9, "old", 1)}));
  CHECK(asker.done().has_value());
  asker.keep();
  CHECK(words(asker.page({.topic = "t"})) == Words{"old"});
}

TEST_CASE("backfill: a range ends where it says, and the report says where to go on") {
  Member asker;
  asker.ask({.after = text_bytes("c0"), .most = 2});
  const BackfillQuestion question = asker.asked();
  CHECK(as_text(question.after) == "c0");
  CHECK(question.most_messages == 2);
  asker.told(page_of({signed_message(9, "1", 1), signed_message(9, "2", 2)}, "c1", true));
  const BackfillReport report = asker.done().value();
  CHECK_FALSE(report.complete);
  CHECK(as_text(report.next) == "c1");
}

TEST_CASE("backfill: who is refused for now asks again in time, or is told why not") {
  Member asker;
  asker.ask();
  asker.asked();
  asker.told(BackfillRefused{BackfillRefusal::rate_limited, "", 3s});
  CHECK_FALSE(asker.backfill.poll());
  asker.wait(3s);
  asker.asked();
  asker.told(BackfillRefused{BackfillRefusal::busy, "", 8s});
  const auto report = asker.done();
  CHECK(refusal_of(report) == Errc::limit);
  CHECK(report.error().detail.find("busy") != std::string::npos);
  CHECK(report.error().detail.find(id(2).text()) != std::string::npos);
}

TEST_CASE("backfill: each refusal has its code, and its name in the error") {
  for (const auto& [cause, code] : {std::pair(BackfillRefusal::malformed, Errc::refused),
                                    std::pair(BackfillRefusal::unknown_topic, Errc::not_found),
                                    std::pair(BackfillRefusal::not_kept, Errc::not_found),
                                    std::pair(BackfillRefusal::unknown_cursor, Errc::invalid),
                                    std::pair(BackfillRefusal::unavailable, Errc::refused)}) {
    Member asker;
    asker.ask();
    asker.asked();
    asker.told(BackfillRefused{cause, "so it is"});
    const auto report = asker.done();
    CHECK(refusal_of(report) == code);
    CHECK(report.error().detail.find(std::string(name(cause)) + ": so it is") != std::string::npos);
  }
}

TEST_CASE("backfill: only subscribers ask, with cursors of a possible size, so many at once") {
  Member asker;
  CHECK(refusal_of(asker.backfill.may_ask("other", {})) == Errc::invalid);
  CHECK(refusal_of(asker.backfill.may_ask("t", {.after = Bytes(65)})) == Errc::invalid);
  for (std::size_t n = 0; n < Backfill::kMostOperations; ++n) asker.ask();
  CHECK(refusal_of(asker.backfill.may_ask("t", {})) == Errc::limit);
}

TEST_CASE("backfill: a cancelled operation ends without a word, its question too") {
  Member asker;
  const BackfillOp op = asker.ask();
  asker.asked();
  asker.backfill.cancel(op);
  asker.next<BackfillCancel>();
  asker.told(page_of({signed_message(9, "late", 1)}));
  CHECK(asker.delivered.empty());
  CHECK(asker.quiet());
  const BackfillOp done = asker.ask();
  asker.asked();
  asker.told(page_of({}));
  asker.backfill.cancel(done);
  CHECK(asker.quiet());
}

TEST_CASE("backfill: where too many wait for a verdict it stops, to be gone on with") {
  GossipConfig manual;
  manual.manual_validation = true;
  Router judged(manual);
  judged.subscribe_us();
  Backfill backfill(judged.gossip, BackfillConfig(), judged.turn());
  backfill.ask(judged.turn(), id(2), "t", {}, after(judged.now, 10s));
  std::size_t asked = 0;
  std::optional<BackfillReport> report;
  for (std::size_t author = 10; !report;) {
    auto action = backfill.poll();
    REQUIRE(action);
    if (auto* done = std::get_if<BackfillDone>(&*action)) {
      report = done->report.value();
      break;
    }
    ++asked;
    std::vector<Bytes> messages;
    for (std::size_t n = 0; n < 400; ++n) messages.push_back(signed_message(author++, "x"));
    backfill.on_answer(
        judged.turn(), std::get<BackfillRequest>(*action).id,
        gossip::encode_answer(page_of(std::move(messages), "c" + std::to_string(asked), true)));
  }
  CHECK(asked == 3);
  CHECK(report->taken == gossip::kMostValidating);
  CHECK_FALSE(report->complete);
  CHECK(as_text(report->next) == "c2");
}

// --- hostile tellers
namespace {

// What the operation fails with when the peer answers so.
Result<BackfillReport> outcome(const std::vector<BackfillAnswer>& answers) {
  Member asker;
  asker.ask();
  for (const BackfillAnswer& answer : answers) {
    asker.asked();
    asker.told(answer);
  }
  auto report = asker.done();
  CHECK(asker.quiet());
  return report;
}

Bytes forged() {
  Bytes message = signed_message(9, "x");
  message.back() ^= 1;
  return message;
}

}  // namespace

TEST_CASE("backfill: a teller's fault ends the operation and is named") {
  struct Fault {
    std::vector<BackfillAnswer> answers;
    Errc code;
    std::string_view says;
  };
  const Bytes one = signed_message(9, "1", 1), two = signed_message(9, "2", 2);
  for (const Fault& fault :
       {Fault{{page_of({signed_message(9, "x", 1, "other")})}, Errc::protocol, "another topic"},
        Fault{
            {page_of({gossip::encode_message({id(9), text_bytes("x"), number(1), "t"}, nullptr)})},
            Errc::protocol,
            "unsigned"},
        Fault{{page_of({forged()})}, Errc::auth, "does not verify"},
        Fault{{page_of({text_bytes("nonsense")})}, Errc::malformed, ""},
        Fault{{page_of({signed_message(9, std::string(1024 * 1024 - 1000, 'x'))})},
              Errc::limit,
              "too large"},
        Fault{{page_of({one, one})}, Errc::protocol, "told before"},
        Fault{{page_of({one}, "c1", true), page_of({one}, "c2", true)},
              Errc::protocol,
              "told before"},
        Fault{{page_of({}, "c1", true)}, Errc::protocol, "nothing in it"},
        Fault{{page_of({one}, "", true)}, Errc::protocol, "circles"},
        Fault{
            {page_of({one}, "c1", true), page_of({two}, "c1", true)}, Errc::protocol, "circles"}}) {
    const auto report = outcome(fault.answers);
    CAPTURE(fault.says);
    CHECK(refusal_of(report) == fault.code);
    CHECK_MESSAGE(report.error().detail.find(fault.says) != std::string::npos,
                  report.error().detail);
    CHECK(report.error().detail.find(id(2).text()) != std::string::npos);
  }
}

TEST_CASE("backfill: more messages than were asked for, too many fields, no such refusal") {
  Member asker;
  asker.ask({.most = 1});
  asker.asked();
  asker.told(page_of({signed_message(9, "1", 1), signed_message(9, "2", 2)}));
  CHECK(asker.failed() == Errc::protocol);
  CHECK(asker.delivered.empty());
  asker.ask();
  asker.asked();
  asker.told(page_of(std::vector<Bytes>(gossip::kMostPageMessages + 1)));
  CHECK(asker.failed() == Errc::limit);
  asker.ask();
  asker.asked();
  asker.told_raw(Bytes{0x08, 0x63});
  CHECK(asker.failed() == Errc::protocol);
  asker.ask();
  asker.asked();
  asker.told_raw(Bytes{0xff});
  CHECK(asker.failed() == Errc::malformed);
}

TEST_CASE(
    "backfill: endless pages end at the number that one operation brings, and at its deadline") {
  Member asker;
  asker.ask({.most = 50});
  std::uint8_t seqno = 0;
  for (int pages = 0; pages < 5; ++pages) {
    asker.asked();
    std::vector<Bytes> messages;
    for (int n = 0; n < 10; ++n) messages.push_back(signed_message(9, "x", ++seqno));
    asker.told(page_of(std::move(messages), "c" + std::to_string(pages), true));
  }
  const BackfillReport report = asker.done().value();
  CHECK(report.told == 50);
  CHECK_FALSE(report.complete);

  asker.ask({}, 1s);
  asker.asked();
  asker.wait(2s);
  asker.told(page_of({signed_message(9, "x", 100)}, "c", true));
  CHECK(asker.failed() == Errc::timeout);
  asker.ask({}, 1s);
  asker.asked();
  for (int i = 0; i < 20; ++i) {  // `wait` is none, so ours is kLeastWait
    asker.told(BackfillRefused{BackfillRefusal::busy, ""});
    asker.wait(Backfill::kLeastWait);
    if (i < 19) asker.asked();
  }
  CHECK(asker.failed() == Errc::limit);
}

TEST_CASE("backfill: configurations that cannot hold are refused") {
  CHECK(check(BackfillConfig()).has_value());
  CHECK(refusal_of(check(keeping([](auto& c) { c.per_question = 11s; }))) == Errc::invalid);
  CHECK(refusal_of(check(keeping([](auto& c) { c.per_kib = -1s; }))) == Errc::invalid);
  CHECK(refusal_of(check(keeping([](auto& c) { c.burst = Duration::max(); }))) == Errc::invalid);
  CHECK(refusal_of(check(keeping([](auto& c) { c.age = -1s; }))) == Errc::invalid);
}

TEST_CASE("backfill: buckets of peers are bounded, and those who find no room share one") {
  gossip::BackfillLimit limit(50ms, 1ms, 100ms);
  const Time now{1h};
  for (std::size_t n = 0; n < gossip::BackfillLimit::kMostPeers; ++n)
    CHECK_FALSE(limit.admit(id(n), now));
  CHECK(limit.peers() == gossip::BackfillLimit::kMostPeers);
  CHECK_FALSE(limit.admit(id(5000), now));
  CHECK_FALSE(limit.admit(id(5001), now));
  CHECK(limit.admit(id(5002), now) == 50ms);
  CHECK_FALSE(limit.admit(id(5002), after(now, 51ms)));
  CHECK(limit.peers() == 1);
}

}  // namespace kadmesh
