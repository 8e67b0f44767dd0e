#include "kad/get_query.h"

#include <doctest/doctest.h>

#include "asking.h"
#include "kad/rows.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("kad: alone, a get answers from the local store, or that there is nobody") {
  Net net;
  net.add(kAlice);
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/here", "value"));
  const KadOp here = net.get(kAlice, "/v/here");
  CHECK(net.run_until_done(kAlice, here) <= 100ms);
  CHECK(net.report<GetReport>(kAlice, here).local);
  const KadOp nowhere = net.get(kAlice, "/v/nowhere");
  CHECK(net.run_until_done(kAlice, nowhere) <= 100ms);
  CHECK(net.error(kAlice, nowhere) == Errc::no_peers);
}

TEST_CASE("S4: put on one, get on the other within 500 ms") {
  Trio net;
  const auto put = net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  CHECK(put.acknowledged == 2);
  CHECK_FALSE(put.pending);
  CHECK(put.closest.size() == 2);
  const KadOp op = net.get(kBob, "/v/k");
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  const auto got = net.report<GetReport>(kBob, op);
  CHECK(got.value == bytes("value"));
  CHECK(got.copies == 2);
  CHECK(got.local);
  CHECK(got.walk.complete);
}

TEST_CASE("S4: a missing key is not found within 500 ms") {
  Trio net;
  const KadOp op = net.get(kBob, "/v/missing");
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  CHECK(net.error(kBob, op) == Errc::not_found);
}

TEST_CASE("kad: after a get the closest that lacked the value have it") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(5s);
  CHECK_FALSE(net.stored(4, "/v/k"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  net.run_for(1s);
  CHECK(net.stored(4, "/v/k"));
}

TEST_CASE("A8: with the value in hand, silent peers are not waited for") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net[kCharlie].silent = true;
  const KadOp op = net.get(kBob, "/v/k");
  CHECK(net.run_until_done(kBob, op) <= kStall + 100ms);
  CHECK_FALSE(net.report<GetReport>(kBob, op).walk.complete);
}

TEST_CASE("queries: a get with a quorum ends with it, and withdraws what it asked beyond") {
  Asking a(5);
  a.quorum = 2;
  a.get();
  REQUIRE(a.requests.size() == 5);
  a.reply(a.requests[0], holding(kKey, "value"));
  CHECK(a.ended.empty());
  a.reply(a.requests[1], holding(kKey, "value"));
  REQUIRE(a.ended.size() == 1);
  CHECK(std::get<GetReport>(a.ended[0].report.value()).copies == 2);
  CHECK(a.cancels.size() == 3);
}

TEST_CASE("queries: what is here counts towards a quorum") {
  Asking a(5);
  const KadOp op =
      a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, kKey, 2, a.now, at(10s)),
                      Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{value_row(a.config, a.turn(), kKey, bytes("value"))});
  a.drain();
  a.reply(a.requests[0], holding(kKey, "value"));
  CHECK(a.ended.size() == 1);
}

TEST_CASE(
    "queries: a better value begins the count anew, and who had the worse one is told of it") {
  Asking a(5);
  a.quorum = 2;
  a.get();
  a.reply(a.requests[0], holding(kKey, "a"));
  a.reply(a.requests[1], holding(kKey, "b"));
  a.reply(a.requests[2], kNothing);
  CHECK(a.ended.empty());
  const PeerId stale = a.requests[0].to.peer;
  a.reply(a.requests[3], holding(kKey, "b"));
  REQUIRE(a.ended.size() == 1);
  CHECK(std::get<GetReport>(a.ended[0].report.value()).value == bytes("b"));
  REQUIRE(a.requests.size() == 6);  // the repair: not of who had none, for the walk was not over
  CHECK(a.requests[5].to.peer == stale);
}

TEST_CASE("queries: where fewer hold the value than the quorum, the whole walk is asked") {
  Asking a(3);
  a.quorum = 3;
  a.get();
  a.reply(a.requests[0], holding(kKey, "value"));
  a.reply(a.requests[1], kNothing);
  CHECK(a.ended.empty());
  a.reply(a.requests[2], kNothing);
  REQUIRE(a.ended.size() == 1);
  CHECK(std::get<GetReport>(a.ended[0].report.value()).copies == 1);
}

TEST_CASE("H52: a record of another key is no answer, and is held against its sender") {
  Asking a(1);
  a.get();
  const auto evidence = a.reply(a.requests[0], holding(bytes("/v/other"), "poison"));
  REQUIRE(evidence);
  REQUIRE(evidence->failure);
  CHECK(evidence->failure->code == Errc::protocol);
  CHECK_FALSE(a.ended.at(0).report);
}

TEST_CASE("H50: a record above the limit is not taken from an answer") {
  Asking a(1);
  a.get();
  a.reply(a.requests[0], holding(kKey, std::string(a.config.most_value + 1, 'x')));
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
}

TEST_CASE("H53: an invalid value, here or there, is no value") {
  Asking a(1);
  const Bytes key = bytes("/pk/none");
  const KadOp op = a.queries.start(
      a.turn(), std::make_unique<GetQuery>(a.view, key, 0, a.now, at(10s)), Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{{Kind::value, key, {}, bytes("rubbish"), {}, {}}});
  a.drain();
  CHECK(std::holds_alternative<Erase>(a.stores.at(1).request));
  a.reply(a.requests.at(0),
          {KadType::get_value, key, KadRecord{key, bytes("rubbish"), {}}, {}, {}});
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
}

TEST_CASE("queries: repairs go to those of the closest that had less, after Done") {
  Asking a(3);
  a.get();
  const auto asked = std::exchange(a.requests, {});
  a.reply(asked[0], holding(kKey, "best"));
  a.reply(asked[1], holding(kKey, "a worse one"));
  a.reply(asked[2], kNothing);
  REQUIRE(a.ended.size() == 1);
  CHECK(a.requests.size() == 2);
  for (const KadRequest& put : a.requests) CHECK(put.to.peer != asked[0].to.peer);
  CHECK(a.queries.running(Purpose::repair) == 1);
  a.answer_all({KadType::put_value, kKey, KadRecord{kKey, bytes("best"), {}}, {}, {}});
  CHECK(a.queries.running() == 0);
}

TEST_CASE("queries: who does not write in time, or will not, may be asked as well as any") {
  Asking a(2);
  a.get();
  const auto asked = std::exchange(a.requests, {});
  a.reply(asked[0], holding(kKey, "best"));
  a.reply(asked[1], kNothing);
  REQUIRE(a.requests.size() == 1);  // the repair
  CHECK_FALSE(a.queries.on_failed(a.turn(), a.requests[0].id, {Errc::timeout, ""}));
}

TEST_CASE("queries: a question that is not answered in time is evidence") {
  Asking a(1);
  a.get();
  CHECK(a.queries.on_failed(a.turn(), a.requests[0].id, {Errc::timeout, ""}));
}

TEST_CASE("queries: a repair lives no longer than the longest that a holder gave the value") {
  Asking a(4);
  a.get();
  const auto asked = std::exchange(a.requests, {});
  KadMessage held = holding(kKey, "best"), longer = held;
  held.record->ttl = 60;
  longer.record->ttl = 100;
  a.reply(asked[0], held);
  a.reply(asked[1], longer);
  a.reply(asked[2], held);
  a.reply(asked[3], kNothing);
  REQUIRE(a.requests.size() == 1);
  CHECK(decode_kad(a.requests[0].message, {})->record->ttl == 100);
}

TEST_CASE("H55: one who says that a value ends soon does not end it where others say nothing") {
  for (const std::size_t liar : {0U, 1U}) {
    Asking a(3);
    a.get();
    const auto asked = std::exchange(a.requests, {});
    KadMessage soon = holding(kKey, "best");
    soon.record->ttl = 1;
    a.reply(asked[liar], soon);
    a.reply(asked[1 - liar], holding(kKey, "best"));  // as go answers
    a.reply(asked[2], kNothing);
    REQUIRE(a.requests.size() == 1);
    CHECK_FALSE(decode_kad(a.requests[0].message, {})->record->ttl);
  }
}

TEST_CASE("queries: a worse value here is replaced by the best one found") {
  Asking a(1);
  const KadOp op =
      a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, kKey, 0, a.now, at(10s)),
                      Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{{Kind::value, kKey, {}, bytes("a"), {}, {}, place_of(kKey), 77}});
  a.drain();
  a.reply(a.requests.at(0), holding(kKey, "z"));
  REQUIRE(a.stores.size() == 2);
  CHECK(a.stores[1].tag == StoreTag::unawaited);
  const Save& save = std::get<Save>(a.stores[1].request);
  CHECK(save.row.value == bytes("z"));
  CHECK(save.row.charge == 77);  // whoever wanted the worse one kept
  CHECK(save.home == place_of(a.self.bytes()));
  CHECK_FALSE(std::get<GetReport>(a.ended.at(0).report.value()).local);
}

TEST_CASE(
    "H55: a better value is kept here no less long than the worse one was, and as others say") {
  const auto life = [](Duration local, std::optional<std::uint32_t> said) {
    Asking a(1);
    const KadOp op =
        a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, kKey, 0, a.now, at(10s)),
                        Purpose::user, at(10s));
    a.drain();
    const WallTime now = a.turn().now.wall;
    const StoreRows worse{{Kind::value, kKey, {}, bytes("a"), now, now + local, place_of(kKey), 7}};
    a.queries.on_stored(a.turn(), op, StoreTag::value, worse);
    a.drain();
    KadMessage better = holding(kKey, "z");
    better.record->ttl = said;
    a.reply(a.requests.at(0), better);
    const Save& save = std::get<Save>(a.stores.at(1).request);
    CHECK(save.seen == worse);
    return save.row.expires - now;
  };
  CHECK(life(10h, 60) == 10h);
  CHECK(life(10s, 60) == 60s);
  CHECK(life(10h, std::nullopt) == 48h);
  CHECK(life(10'000h, 60) == 48h);  // our clock was ahead
}

TEST_CASE("queries: what is here and invalid is erased as long as it is that") {
  Asking a(1);
  a.config.validators.set("v", std::make_shared<PublicKeyValidator>());  // nothing is valid
  const KadOp op =
      a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, kKey, 0, a.now, at(10s)),
                      Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{{Kind::value, kKey, {}, bytes("a"), {}}});
  a.drain();
  CHECK(std::get<Erase>(a.stores.at(1).request).value == bytes("a"));
}

TEST_CASE("queries: a key that no validator knows is refused before anybody is asked") {
  for (const char* key : {"/w/k", "no key at all"}) {
    Asking a(3);
    a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, bytes(key), 0, a.now, at(10s)),
                    Purpose::user, at(10s));
    a.drain();
    REQUIRE(a.ended.size() == 1);
    CHECK(a.ended[0].report.error().code == Errc::invalid);
    CHECK(a.requests.empty());
    CHECK(a.stores.empty());
  }
}

}  // namespace kadmesh
