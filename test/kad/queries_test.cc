#include "kad/queries.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/bootstrap.h"
#include "kad/closest_query.h"
#include "kad/get_query.h"
#include "kad/params.h"
#include "kad/providers_query.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
const Bytes kKey = bytes("/v/k");

// Operations of one node that knows some peers; the test answers for them.
struct Asking {
  PeerId self = peer(0);
  KadConfig config = [] {
    KadConfig c;
    c.validators.set("v", std::make_shared<PassThroughValidator>());
    return c;
  }();
  RoutingTable table{self, 20};
  Peers peers;
  Rng rng{1};
  Time now{};
  std::vector<Multiaddr> own_addrs;
  BootstrapMachine machine{self, {}, turn()};
  KadView view{self, config, table, peers, machine, own_addrs};
  Queries queries{view};

  std::vector<KadRequest> requests;
  std::vector<KadRequestId> cancels;
  std::vector<QueryStore> stores;
  std::vector<QueryEnded> ended;
  std::vector<std::string> order;  // of what was told

  explicit Asking(std::uint32_t count) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      peers.connected(peer(i), std::nullopt);
      table.on_connected(peer(i), now);
    }
  }

  Turn turn() { return {{now, WallTime(100h)}, rng}; }
  void drain() {
    while (auto event = queries.poll()) {
      if (auto* request = std::get_if<KadRequest>(&*event)) {
        order.emplace_back("ask");
        requests.push_back(std::move(*request));
      } else if (auto* cancel = std::get_if<KadCancel>(&*event)) {
        order.emplace_back("cancel");
        cancels.push_back(cancel->id);
      } else if (auto* store = std::get_if<QueryStore>(&*event)) {
        stores.push_back(std::move(*store));
      } else if (auto* end = std::get_if<QueryEnded>(&*event)) {
        order.emplace_back("done");
        ended.push_back(std::move(*end));
      }
    }
  }
  KadOp get(Time deadline = at(10s)) {
    const KadOp op = queries.start(turn(), std::make_unique<GetQuery>(view, kKey, now, deadline),
                                   Purpose::user, deadline);
    drain();
    queries.on_stored(turn(), op, StoreTag::value, StoreRows{});
    drain();
    return op;
  }
  std::optional<Evidence> reply(const KadRequest& to, const KadMessage& message) {
    auto evidence = queries.on_reply(turn(), to.id, encode_answer(message));
    drain();
    return evidence;
  }
  void answer_all(const KadMessage& message) {
    for (const KadRequest& request : std::vector(std::exchange(requests, {})))
      reply(request, message);
  }
  void pass(Time to) {
    while (queries.next_timer() <= to) {
      const Time before = queries.next_timer();
      now = std::max(now, before);
      queries.on_timer(turn());
      drain();
      REQUIRE(queries.next_timer() > now);
    }
    now = to;
  }
};

KadMessage holding(const Bytes& key, std::string_view value) {
  return {KadType::get_value, kKey, KadRecord{key, bytes(value), {}}, {}, {}};
}
const KadMessage kNothing{KadType::get_value, kKey, {}, {}, {}};

}  // namespace

TEST_CASE("queries: a lookup ends at its deadline when every peer is silent, by one Done") {
  Asking a(15);
  a.get();
  CHECK(a.requests.size() == 10);
  a.pass(at(1min));
  REQUIRE(a.ended.size() == 1);
  CHECK(a.ended[0].report.error().code == Errc::timeout);
  CHECK(a.cancels.size() == a.requests.size());
  CHECK(a.order.back() == "done");
  CHECK(a.queries.outstanding() == 0);
  CHECK(a.queries.running() == 0);
  CHECK(a.queries.next_timer() == kNever);
}

TEST_CASE("queries: nothing that comes after Done is listened to") {
  Asking a(3);
  const KadOp op = a.get();
  a.pass(at(10s));
  for (const KadRequest& request : a.requests) {
    CHECK_FALSE(a.reply(request, holding(kKey, "late")));
    CHECK_FALSE(a.queries.on_failed(a.turn(), request.id, {Errc::timeout, ""}));
  }
  a.queries.on_stored(a.turn(), op, StoreTag::value, StoreRows{});
  a.queries.cancel(a.turn(), op);
  a.drain();
  CHECK(a.ended.size() == 1);
  CHECK(a.order.back() == "done");
}

TEST_CASE("A23: a request ends with its operation, or after its own time") {
  Asking a(1);
  a.get(at(3s));
  CHECK(a.requests[0].deadline == at(3s));
  Asking b(1);
  b.get(at(60s));
  CHECK(b.requests[0].deadline == at(5s));
}

TEST_CASE("queries: what came by the deadline is reported, and said to be partial") {
  Asking a(12);
  a.get(at(800ms));  // before anybody counts as silent
  a.reply(a.requests[0], holding(kKey, "value"));
  a.pass(at(800ms));
  REQUIRE(a.ended.size() == 1);
  const auto& report = std::get<GetReport>(a.ended[0].report.value());
  CHECK(report.value == bytes("value"));
  CHECK(report.copies == 1);
  CHECK_FALSE(report.walk.complete);
}

TEST_CASE("queries: the same answer twice counts once") {
  Asking a(2);
  a.get();
  const auto request = a.requests[0];
  CHECK(a.reply(request, kNothing));
  CHECK_FALSE(a.reply(request, holding(kKey, "value")));
  a.reply(a.requests[1], kNothing);
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
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
      a.turn(), std::make_unique<GetQuery>(a.view, key, a.now, at(10s)), Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{{Kind::value, key, {}, bytes("rubbish"), {}, {}}});
  a.drain();
  CHECK(std::holds_alternative<Erase>(a.stores.at(1).request));
  a.reply(a.requests.at(0),
          {KadType::get_value, key, KadRecord{key, bytes("rubbish"), {}}, {}, {}});
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
}

TEST_CASE("queries: bytes that are no message, or of another type, fail the peer alone") {
  Asking a(2);
  a.get();
  const auto broken = a.queries.on_reply(a.turn(), a.requests[0].id, as_bytes("\xff\xff"));
  CHECK(broken.value().failure->code == Errc::protocol);
  const auto other = a.reply(a.requests[1], {KadType::ping, {}, {}, {}, {}});
  CHECK(other.value().failure->code == Errc::protocol);
  a.drain();
  CHECK(a.ended.at(0).report.error().code == Errc::no_peers);
}

TEST_CASE("H64: an answer with empty everything is an answer") {
  Asking a(1);
  a.get();
  const Bytes empty{0x08, 0x01, 0x12, 0x00, 0x42, 0x00, 0x4a, 0x00};
  const auto evidence = a.queries.on_reply(a.turn(), a.requests[0].id, empty);
  a.drain();
  CHECK_FALSE(evidence.value().failure);
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
}

TEST_CASE("H64: answers belong to the request they answer, whoever else was asked the same") {
  Asking a(1);
  a.get();
  a.get();
  REQUIRE(a.requests.size() == 2);  // the same peer, the same key
  a.reply(a.requests[1], holding(kKey, "value"));
  REQUIRE(a.ended.size() == 1);
  CHECK(a.ended[0].report.has_value());
  a.reply(a.requests[0], kNothing);
  CHECK_FALSE(a.ended.at(1).report.has_value());
}

TEST_CASE("H65: a timer that is due exactly now progresses, whatever rests on it") {
  Asking a(3);
  a.get(at(2s));
  for (int i = 0; i < 10 && a.queries.next_timer() != kNever; ++i) {
    a.now = a.queries.next_timer();
    a.queries.on_timer(a.turn());
    a.drain();
    CHECK(a.queries.next_timer() > a.now);
  }
  CHECK(a.ended.size() == 1);
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

TEST_CASE("queries: a worse value here is replaced by the best one found") {
  Asking a(1);
  const KadOp op = a.queries.start(
      a.turn(), std::make_unique<GetQuery>(a.view, kKey, a.now, at(10s)), Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), op, StoreTag::value,
                      StoreRows{{Kind::value, kKey, {}, bytes("a"), {}, {}}});
  a.drain();
  a.reply(a.requests.at(0), holding(kKey, "z"));
  REQUIRE(a.stores.size() == 2);
  CHECK(a.stores[1].tag == StoreTag::unawaited);
  CHECK(std::get<Save>(a.stores[1].request).row.value == bytes("z"));
  CHECK_FALSE(std::get<GetReport>(a.ended.at(0).report.value()).local);
}

TEST_CASE("queries: a key that no validator knows is refused before anybody is asked") {
  for (const char* key : {"/w/k", "no key at all"}) {
    Asking a(3);
    a.queries.start(a.turn(), std::make_unique<GetQuery>(a.view, bytes(key), a.now, at(10s)),
                    Purpose::user, at(10s));
    a.drain();
    REQUIRE(a.ended.size() == 1);
    CHECK(a.ended[0].report.error().code == Errc::invalid);
    CHECK(a.requests.empty());
    CHECK(a.stores.empty());
  }
}

TEST_CASE("queries: a walk that has enough providers ends, and withdraws what is outstanding") {
  Asking a(5);
  a.queries.start(a.turn(),
                  std::make_unique<ProvidersQuery>(a.view, bytes("cid"), 1, a.now, at(10s)),
                  Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), KadOp{1}, StoreTag::value, StoreRows{});
  a.drain();
  REQUIRE(a.requests.size() == 5);
  a.reply(a.requests[0],
          {KadType::get_providers, bytes("cid"), {}, {}, {{peer(50), {home(50)}, {}}}});
  CHECK(a.cancels.size() == 4);
  REQUIRE(a.ended.size() == 1);
  CHECK(std::get<ProvidersReport>(*a.ended[0].report).providers.size() == 1);
  CHECK(a.queries.outstanding() == 0);
}

TEST_CASE("H56: an answer full of invented providers ends no search, and hides no real one") {
  Asking a(5);
  a.queries.start(a.turn(),
                  std::make_unique<ProvidersQuery>(a.view, bytes("cid"), 8, a.now, at(10s)),
                  Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), KadOp{1}, StoreTag::value, StoreRows{});
  a.drain();
  REQUIRE(a.requests.size() == 5);
  KadMessage liar{KadType::get_providers, bytes("cid"), {}, {}, {}}, honest = liar;
  for (std::uint32_t i = 100; i < 140; ++i) liar.providers.push_back({peer(i), {home(i)}, {}});
  honest.providers.push_back({peer(50), {home(50)}, {}});
  a.reply(a.requests[0], liar);
  CHECK(a.ended.empty());
  for (std::size_t i = 1; i < 5; ++i) a.reply(a.requests[i], honest);
  REQUIRE(a.ended.size() == 1);
  const auto& found = std::get<ProvidersReport>(*a.ended[0].report).providers;
  CHECK(found.size() == 8);
  CHECK(std::ranges::count(found, peer(50), &Contact::peer) == 1);
}

TEST_CASE("queries: addresses that we know ourselves come before hearsay") {
  Asking a(1);
  a.table.on_serves(peer(1), listens_at(1), a.now);
  a.peers.announced(peer(1), listens_at(1));
  a.queries.start(a.turn(), std::make_unique<ClosestQuery>(a.view, bytes("x"), a.now, at(10s)),
                  Purpose::user, at(10s));
  a.drain();
  a.reply(a.requests.at(0),
          {KadType::find_node, {}, {}, {{peer(2), {home(2)}, {}}, {peer(1), {home(66)}, {}}}, {}});
  REQUIRE(a.requests.size() == 2);
  CHECK(a.requests[1].to.peer == peer(2));
  CHECK(a.requests[1].to.addrs.at(0) == Dialable(home(2), Source::hint));
  CHECK(a.requests[0].to.addrs.at(0).addr() == home(1));
}

}  // namespace kadmesh
