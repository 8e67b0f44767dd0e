#include "kad/queries.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "kad/bootstrap.h"
#include "kad/closest_query.h"
#include "kad/find_query.h"
#include "kad/get_query.h"
#include "kad/params.h"
#include "kad/providers_query.h"
#include "kad/rows.h"
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
  Rtts rtts{config.request_timeout};
  KadView view{self, config, table, peers, machine, own_addrs, rtts};
  Queries queries{view, rtts};

  std::vector<KadRequest> requests;
  std::vector<KadRequestId> cancels;
  std::vector<QueryStore> stores;
  std::vector<QueryEnded> ended;
  std::vector<WalkStep> steps;
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
      } else if (auto* step = std::get_if<KadStep>(&*event)) {
        steps.push_back(std::move(step->step));
      } else if (auto* end = std::get_if<QueryEnded>(&*event)) {
        order.emplace_back("done");
        ended.push_back(std::move(*end));
      }
    }
  }
  std::size_t quorum = 0;
  KadOp get(Time deadline = at(10s), std::optional<Trail> trail = {}) {
    const KadOp op =
        queries.start(turn(), std::make_unique<GetQuery>(view, kKey, quorum, now, deadline),
                      Purpose::user, deadline, std::move(trail));
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
  // Others, whom nobody here will ask, have answered at once.
  void knows_the_network() {
    for (std::uint32_t i = 1000; i < 1020; ++i)
      rtts.answered(peer(i), Reach::warm, now, now + 10ms);
    now += 1s;
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

TEST_CASE("queries: once the network is known, who is silent is given up far before 5 s") {
  Asking a(12);
  a.knows_the_network();
  a.get();
  REQUIRE(a.requests.size() == 10);
  for (const KadRequest& request : a.requests) CHECK(request.deadline == a.now + 500ms);
  a.config.adaptive = false;
  a.get();
  CHECK(a.requests.back().deadline == a.now + 5s);
}

TEST_CASE("queries: who is slow but alive is not given up early, however quick the others are") {
  Asking a(1);
  a.knows_the_network();
  a.rtts.answered(peer(1), Reach::warm, at(0s), at(1s));
  a.get();
  CHECK(a.requests.at(0).deadline == a.now + 3s);
  a.now += 1200ms;
  CHECK(a.reply(a.requests[0], kNothing));
  CHECK(a.ended.at(0).report.error().code == Errc::not_found);
}

TEST_CASE("queries: who answered late or never is given more the next time") {
  Asking a(1);
  a.knows_the_network();
  for (const Duration timeout : {500ms, 1000ms, 2000ms}) {
    a.get();
    CHECK(a.requests.back().deadline == a.now + timeout);
    a.now += timeout;
    a.rtts.answered(peer(1000), Reach::warm, a.now, a.now);  // the others are well
    a.queries.on_failed(a.turn(), a.requests.back().id, {Errc::timeout, ""});
    a.drain();
  }
}

TEST_CASE("queries: the deadline stays the caller's, and cut short nobody has missed anything") {
  Asking a(1);
  a.knows_the_network();
  a.get(a.now + 200ms);
  CHECK(a.requests.at(0).deadline == a.now + 200ms);
  a.now += 200ms;
  a.queries.on_failed(a.turn(), a.requests[0].id, {Errc::timeout, ""});
  CHECK(a.rtts.timeout(peer(1), Reach::warm) == 500ms);
  a.drain();
  CHECK(a.ended.size() == 1);
}

TEST_CASE("queries: a refusal is no silence, and an answer across two connections no measure") {
  Asking a(2);
  a.get();
  REQUIRE(a.requests.size() == 2);
  a.now += 5s;
  a.queries.on_disconnected(a.requests[0].to.peer);
  CHECK(a.reply(a.requests[0], kNothing));
  CHECK(a.rtts.crowd(Reach::warm).samples() == 0);
  a.queries.on_failed(a.turn(), a.requests[1].id, {Errc::reset, ""});
  CHECK(a.rtts.measured() == 0);
  a.get();
  a.now += 30ms;
  CHECK(a.reply(a.requests.back(), kNothing));
  CHECK(a.rtts.crowd(Reach::warm).mean() == 30ms);
}

TEST_CASE("queries: who must be dialed is measured apart, and given the time for it") {
  Asking a(1);
  a.knows_the_network();
  a.get();
  KadMessage next = kNothing;
  next.closer.push_back({peer(50), {home(50)}, {}});
  a.reply(a.requests.at(0), next);
  REQUIRE(a.requests.size() == 2);
  CHECK(a.requests[1].deadline == a.now + 2s);
  a.now += 40ms;
  a.reply(a.requests[1], kNothing);
  CHECK(a.rtts.crowd(Reach::cold).mean() == 40ms);
  CHECK(a.rtts.of(peer(50)) == nullptr);
}

TEST_CASE("queries: who is asked to store has all its time, and tells nothing by it") {
  Asking a(2);
  a.knows_the_network();
  a.get();
  a.reply(a.requests[0], holding(kKey, "best"));
  a.reply(a.requests[1], kNothing);
  REQUIRE(a.requests.size() == 3);  // the repair
  const std::uint64_t before = a.rtts.crowd(Reach::warm).samples();
  CHECK(a.requests[2].deadline == a.now + 5s);
  a.now += 4s;
  a.reply(a.requests[2], {KadType::put_value, kKey, KadRecord{kKey, bytes("best"), {}}, {}, {}});
  CHECK(a.rtts.crowd(Reach::warm).samples() == before);
}

TEST_CASE("queries: a walk goes around the silent as soon as the network's pace allows") {
  Asking a(15);
  a.knows_the_network();
  a.get();
  CHECK(a.requests.size() == 10);
  a.pass(a.now + 249ms);
  CHECK(a.requests.size() == 10);
  a.pass(a.now + 1ms);
  CHECK(a.requests.size() == 15);
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

TEST_CASE("queries: traced, whoever is asked answers, fails or is withdrawn, each told once") {
  using What = WalkStep::What;
  Asking asking(4);
  asking.get(at(10s), Trail(asking.self, KadId::of(kKey)));
  REQUIRE(asking.steps.size() == 4);
  CHECK(asking.steps[0].question == "GET_VALUE");
  const auto requests = std::exchange(asking.requests, {});
  asking.reply(requests[0], holding(kKey, "v"));
  asking.queries.on_failed(asking.turn(), requests[1].id, {Errc::reset, "gone"});
  asking.drain();
  asking.pass(at(1s));  // with the value in hand, the silent two are not waited for
  REQUIRE(asking.ended.size() == 1);
  std::map<PeerId, std::vector<What>> of;
  for (const WalkStep& step : asking.steps)
    if (step.peer) of[*step.peer].push_back(step.what);
  CHECK(of.at(requests[0].to.peer) == std::vector{What::asked, What::answered});
  CHECK(of.at(requests[1].to.peer) == std::vector{What::asked, What::failed});
  for (const std::size_t silent : {2u, 3u})
    CHECK(of.at(requests[silent].to.peer) ==
          std::vector{What::asked, What::stalled, What::withdrawn});
}

TEST_CASE("queries: untraced, no step is told") {
  Asking asking(4);
  asking.get();
  asking.answer_all(kNothing);
  CHECK(asking.ended.size() == 1);
  CHECK(asking.steps.empty());
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

TEST_CASE("queries: a walk asks only whom the DHT is for, and always whom it looks for") {
  Asking a(1);
  a.config.scope = Scope::wan;
  a.queries.start(a.turn(), std::make_unique<FindQuery>(a.view, peer(9), a.now, at(10s)),
                  Purpose::user, at(10s));
  a.drain();
  REQUIRE(a.requests.size() == 1);
  const auto told = [](std::uint32_t number, const Multiaddr& where) {
    return KadPeer{peer(number), {where}, Connectedness::not_connected};
  };
  a.answer_all({KadType::find_node,
                {},
                {},
                {told(7, home(7)), told(8, tcp(0x05060701)), told(9, home(9))},
                {}});
  std::set<PeerId> asked;
  for (const KadRequest& request : a.requests) asked.insert(request.to.peer);
  CHECK(asked == std::set<PeerId>{peer(8), peer(9)});
}

}  // namespace kadmesh
