#include "kad/providers_query.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "asking.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("kad: providers are found, each told of once, and our own address is named") {
  Trio net;
  const Bytes key(34, 7);
  const auto provided = net.report<ProvideReport>(kCharlie, net.does(kCharlie, [&](Kad& kad) {
    return kad.provide(net.turn(), key, after(net.now, 10s));
  }));
  CHECK(provided.contacted == 2);
  CHECK_FALSE(provided.pending);
  net.run_for(1s);
  const auto found = net.report<ProvidersReport>(kBob, net.does(kBob, [&](Kad& kad) {
    return kad.find_providers(net.turn(), key, 0, after(net.now, 10s));
  }));
  REQUIRE(found.providers.size() == 1);
  CHECK(found.providers[0].peer == peer(kCharlie));
  CHECK(found.providers[0].addrs.front().addr() == home(kCharlie));
  CHECK(net[kBob].told == std::vector{peer(kCharlie)});
}

TEST_CASE("kad: what was provided alone is announced to the first peer") {
  Net net;
  net.add({kAlice, kBob});
  const auto report = net.report<ProvideReport>(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.provide(net.turn(), bytes("content"), after(net.now, 10s));
  }));
  CHECK(report.pending);
  net.connect(kAlice, kBob);
  net.run_for(5s);
  CHECK(net.stored(kBob, "content", Kind::provider));
}

// rust-libp2p, get_providers_single.
TEST_CASE("kad: who is alone and provides is told of itself, and where it listens") {
  Net net;
  net.add(kAlice);
  net.report<ProvideReport>(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.provide(net.turn(), bytes("content"), after(net.now, 10s));
  }));
  const auto found = net.report<ProvidersReport>(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.find_providers(net.turn(), bytes("content"), 0, after(net.now, 10s));
  }));
  REQUIRE(found.providers.size() == 1);
  CHECK(found.providers[0].peer == peer(kAlice));
  CHECK(found.providers[0].addrs == std::vector{Dialable(home(kAlice), Source::configured)});
  CHECK(net[kAlice].told == std::vector{peer(kAlice)});
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

namespace {

// Three providers of the seventeen that are here, or that one answer names, in an order of theirs.
std::set<PeerId> three_of(std::uint64_t luck, bool here) {
  Asking a(1);
  a.rng = Rng(luck);
  KadMessage answer{KadType::get_providers, bytes("cid"), {}, {}, {}};
  StoreRows rows;
  for (std::uint32_t i = 100; i < 117; ++i) {
    answer.providers.push_back({peer(i), {home(i)}, {}});
    rows.push_back({Kind::provider, bytes("cid"), to_bytes(peer(i).bytes()), {}, {}, {}});
  }
  a.queries.start(a.turn(),
                  std::make_unique<ProvidersQuery>(a.view, bytes("cid"), 3, a.now, at(10s)),
                  Purpose::user, at(10s));
  a.drain();
  a.queries.on_stored(a.turn(), KadOp{1}, StoreTag::value, here ? rows : StoreRows{});
  a.drain();
  a.answer_all(answer);
  std::set<PeerId> found;
  for (const Contact& each : std::get<ProvidersReport>(*a.ended.at(0).report).providers)
    found.insert(each.peer);
  return found;
}

}  // namespace

// go-libp2p-kad-dht, TestFindProvidersAsyncShufflesRemoteProviders and
// TestFindProvidersAsyncSurfacesProviderListedLast.
TEST_CASE("queries: of more providers than are wanted it is drawn who is told of") {
  for (const bool here : {true, false}) {
    CAPTURE(here);
    std::set<PeerId> all;
    for (std::uint64_t luck = 0; luck < 100; ++luck) {
      const auto found = three_of(luck, here);
      REQUIRE(found.size() == 3);
      all.insert(found.begin(), found.end());
    }
    CHECK(all.size() == 17);
  }
}

}  // namespace kadmesh
