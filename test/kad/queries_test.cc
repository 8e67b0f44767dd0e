#include "kad/queries.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "asking.h"
#include "kad/closest_query.h"
#include "kad/find_query.h"
#include "kad/params.h"

namespace kadmesh {
using namespace testing;

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
