// ADD_PROVIDER and GET_PROVIDERS: src/kad/server.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "serving.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("server: ADD_PROVIDER is never answered, and keeps the sender alone") {
  Serving s;
  const auto step = s.ask(provide("cid", {at_home(7), at_home(kAsker)}));
  REQUIRE(std::holds_alternative<Server::Answer>(step));
  CHECK_FALSE(std::get<Server::Answer>(step).message);
  const auto found = s.answer(providers("cid")).providers;
  REQUIRE(found.size() == 1);
  CHECK(found[0] == at_home(kAsker));
}

TEST_CASE("server: ADD_PROVIDER by somebody else or with a bad key is refused") {
  Serving s;
  CHECK(s.refusal(provide("cid", {at_home(7)})) == Errc::protocol);
  CHECK(s.refusal(provide("", {at_home(kAsker)})) == Errc::invalid);
  CHECK(s.refusal(provide(std::string(81, 'k'), {at_home(kAsker)})) == Errc::limit);
  CHECK(s.refusal(providers("")) == Errc::invalid);
  CHECK(s.answer(providers("cid")).providers.empty());
}

TEST_CASE("server: ADD_PROVIDER without an address, as rust sends it, takes what we know") {
  Serving s;
  const KadMessage add = provide("cid", {{peer(kAsker), {}, {}}});
  s.ask(add);
  REQUIRE(s.answer(providers("cid")).providers.size() == 1);
  CHECK(s.answer(providers("cid")).providers[0].addrs.empty());
  s.knows(kAsker);
  s.ask(add);
  CHECK(s.answer(providers("cid")).providers[0].addrs == std::vector{home(kAsker)});
}

TEST_CASE("server: providers are forgotten after their lifetime") {
  Serving s;
  s.ask(provide("cid", {at_home(kAsker)}));
  s.wall += s.config.provider_ttl;
  CHECK(s.answer(providers("cid")).providers.empty());
}

TEST_CASE("server: GET_PROVIDERS names the 20 closest as well, whether or not somebody provides") {
  Serving s;
  for (std::uint32_t i = 1; i <= 40; ++i) s.knows(i);
  for (const std::size_t provided : {0U, 1U}) {
    if (provided > 0) s.ask(provide("cid", {at_home(kAsker)}));
    const auto got = s.answer(providers("cid"));
    CHECK(got.providers.size() == provided);
    CHECK(got.closer.size() == 20);
    CHECK(std::ranges::count(got.closer, peer(kAsker), &KadPeer::id) == 0);
    CHECK(std::ranges::is_sorted(got.closer, {}, [](const KadPeer& p) {
      return distance(KadId::of(p.id), KadId::of(bytes("cid")));
    }));
    CHECK(got.closer == s.answer(find(bytes("cid"))).closer);
  }
}

// go-libp2p-kad-dht, TestHandleGetProvidersTruncationSurvivorDependsOnOrder.
TEST_CASE("server: of more providers than fit it is drawn who is named") {
  Serving s;
  std::vector<Multiaddr> addrs;
  for (int i = 1; i <= 8; ++i)
    addrs.push_back(
        Multiaddr::from_text("/dns4/" + std::string(200, 'a') + "/tcp/" + std::to_string(i))
            .value());
  for (std::uint32_t i = 1; i <= kMostProvidersOfKey; ++i)
    s.ask(provide("cid", {{peer(i), addrs, {}}}), i);
  std::set<PeerId> named;
  for (int i = 0; i < 100; ++i) {
    const auto found = s.answer(providers("cid")).providers;
    CHECK(found.size() < kMostProvidersOfKey / 4);
    for (const KadPeer& provider : found) named.insert(provider.id);
  }
  CHECK(named.size() == kMostProvidersOfKey);
}

TEST_CASE("H56: a key has so many providers, and newcomers displace none of them") {
  Serving s;
  for (std::uint32_t i = 1; i <= kMostProvidersOfKey; ++i) s.ask(provide("cid", {at_home(i)}), i);
  CHECK(s.refusal(provide("cid", {at_home(9999)}), 9999) == Errc::limit);
  s.ask(provide("cid", {at_home(5)}), 5);  // a known one may come again
  const auto found = s.answer(providers("cid")).providers;
  CHECK(found.size() == kMostProvidersOfKey);
  CHECK(std::ranges::none_of(found, [](const KadPeer& p) { return p.id == peer(9999); }));
}

TEST_CASE("server: ourselves as a provider are named where we are now") {
  Serving s;
  s.store.run(s.wall, {Save{provider_row(s.config, s.turn(), bytes("cid"), s.self)}});
  s.own_addrs = {home(1234)};
  const auto found = s.answer(providers("cid")).providers;
  REQUIRE(found.size() == 1);
  CHECK(found[0].addrs == std::vector{home(1234)});
}

TEST_CASE("H56: providers who come all at once are no more than are kept") {
  Serving s;
  std::map<KadInboundId, Server::Step> steps;
  for (std::uint32_t i = 1; i <= 2 * kMostProvidersOfKey; ++i)
    steps.emplace(KadInboundId{i},
                  s.server.on_request(s.turn(), KadInboundId{i}, peer(i),
                                      encode_request(provide("cid", {at_home(i)}))));
  while (!steps.empty()) {
    std::map<KadInboundId, Server::Step> later;
    for (auto& [id, step] : steps)
      if (auto* use = std::get_if<Server::Use>(&step))
        later.emplace(
            id, *s.server.on_stored(s.turn(), id, s.store.run(s.wall, {use->request}).front()));
    while (auto next = s.server.poll_next())
      later.emplace(next->first, Server::Use{std::move(next->second)});
    steps = std::move(later);
  }
  CHECK(s.server.waiting() == 0);
  CHECK(s.store.rows() == kMostProvidersOfKey);
}

TEST_CASE("H56: who expires in line, or at its head, leaves it to the others") {
  Serving s;
  const auto ask = [&](std::uint64_t id) {
    return s.server.on_request(s.turn(), KadInboundId{id}, peer(static_cast<std::uint32_t>(id)),
                               encode_request(put("/v/a", "a")));
  };
  ask(1), ask(2);
  s.now += 1s;
  ask(3);
  s.now = s.server.next_timer();
  CHECK(s.server.expire(s.now).value().first == KadInboundId{1});
  CHECK(s.server.expire(s.now).value().first == KadInboundId{2});
  CHECK_FALSE(s.server.expire(s.now));
  const auto next = s.server.poll_next();
  REQUIRE(next);
  CHECK(next->first == KadInboundId{3});
  CHECK_FALSE(s.server.poll_next());
}

TEST_CASE("H56: a peer waits in one place of the line of a key, and a line has an end") {
  Serving s;
  const auto ask = [&](std::uint64_t id, std::uint32_t who) {
    return s.server.on_request(s.turn(), KadInboundId{id}, peer(who),
                               encode_request(put("/v/a", "a")));
  };
  CHECK(std::holds_alternative<Server::Use>(ask(1, 1)));
  CHECK(std::holds_alternative<Server::Hold>(ask(2, 1)));  // behind its own
  CHECK(std::holds_alternative<Server::Refuse>(ask(3, 1)));
  for (std::uint32_t i = 3; i <= kMostInLine; ++i)
    CHECK(std::holds_alternative<Server::Hold>(ask(i + 1, i)));
  CHECK(std::holds_alternative<Server::Refuse>(ask(1000, 1000)));
  CHECK(s.server.waiting() == kMostInLine);
}

TEST_CASE("H56: a Sybil's network makes room for a provider of another") {
  Serving s;
  for (std::uint32_t i = 1; i <= kMostProvidersOfKey; ++i) {
    s.peers.connected(peer(i), std::nullopt, public_subnet(tcp(0x05060700 + i)));
    s.ask(provide("cid", {at_home(i)}), i);
  }
  s.peers.connected(peer(100), std::nullopt, public_subnet(tcp(0x05060801)));
  s.ask(provide("cid", {at_home(100)}), 100);
  const auto found = s.answer(providers("cid")).providers;
  CHECK(found.size() == kMostProvidersOfKey);
  CHECK(std::ranges::count(found, peer(100), &KadPeer::id) == 1);
}

TEST_CASE("H56: who came last gives way, not who told of itself again since") {
  Serving s;
  for (std::uint32_t i = 1; i <= kMostProvidersOfKey; ++i, s.wall += 1s) {
    s.peers.connected(peer(i), std::nullopt, public_subnet(tcp(0x05060700 + i)));
    s.ask(provide("cid", {at_home(i)}), i);
  }
  s.ask(provide("cid", {at_home(1)}), 1);
  s.peers.connected(peer(100), std::nullopt, public_subnet(tcp(0x05060801)));
  s.ask(provide("cid", {at_home(100)}), 100);
  const auto found = s.answer(providers("cid")).providers;
  CHECK(std::ranges::count(found, peer(1), &KadPeer::id) == 1);
  CHECK(std::ranges::count(found, peer(kMostProvidersOfKey), &KadPeer::id) == 0);
}

TEST_CASE("H56: of several who come at once each has a Sybil give way, and all are kept") {
  constexpr std::uint32_t kSybils = kMostProvidersOfKey, kHonest = 10;
  Net net;
  net.add(kAlice);
  const auto comes = [&](std::uint32_t number, const Multiaddr& from) {
    Kad& kad = net.kad(kAlice);
    kad.on_connected(net.turn(), peer(number), std::nullopt, public_subnet(from));
    const Bytes request = encode_request(provide("cid", {at_home(number)}));
    net[kAlice].answering.emplace(kad.on_request(net.turn(), peer(number), request),
                                  [](const std::optional<Bytes>& none) { CHECK_FALSE(none); });
  };
  for (std::uint32_t i = 1; i <= kSybils; ++i) {
    comes(100 + i, tcp(0x05060700 + i));
    net.run_for(10ms);
  }
  for (std::uint32_t i = 1; i <= kHonest; ++i) comes(200 + i, tcp(0x05060001 + (i << 16)));
  net.run_for(1s);
  std::set<Bytes> kept, expected;
  const auto rows =
      net[kAlice].store.run(net.turn().now.wall, {Load{Kind::provider, bytes("cid")}}).front();
  for (const Row& row : *rows) kept.insert(row.member);
  for (std::uint32_t i = 1; i <= kSybils - kHonest; ++i) expected.insert(id_of(100 + i));
  for (std::uint32_t i = 1; i <= kHonest; ++i) expected.insert(id_of(200 + i));
  CHECK(kept == expected);
  CHECK(net[kAlice].refusals == 0);
}

// As a crash between a provider's row and the end of the one that gave way leaves it.
TEST_CASE("H56: a key with more providers than are kept has as many again with the next") {
  Serving s;
  for (std::uint32_t i = 1; i <= kMostProvidersOfKey + 3; ++i) {
    Row row = provider_row(s.config, s.turn(), bytes("cid"), peer(i));
    row.charge = i % 2 + 1;
    s.store.run(s.wall, {Save{std::move(row)}});
  }
  s.ask(provide("cid", {at_home(5)}), 5);
  const auto found = s.answer(providers("cid")).providers;
  CHECK(found.size() == kMostProvidersOfKey);
  CHECK(std::ranges::count(found, peer(5), &KadPeer::id) == 1);
}

TEST_CASE("server: where a provider is, is believed for a day, and that it provides for two") {
  Serving s;
  s.ask(provide("cid", {at_home(kAsker)}));
  s.wall += 23h;
  CHECK(s.answer(providers("cid")).providers.at(0).addrs.size() == 1);
  s.wall += 2h;
  CHECK(s.answer(providers("cid")).providers.at(0).addrs.empty());
  s.ask(provide("cid", {at_home(kAsker)}));
  CHECK(s.answer(providers("cid")).providers.at(0).addrs.size() == 1);
  s.wall += 25h;
  CHECK(s.answer(providers("cid")).providers.at(0).addrs.empty());
  s.knows(kAsker);
  CHECK(s.answer(providers("cid")).providers.at(0).addrs == std::vector{home(kAsker)});
}

TEST_CASE("server: of a provider's addresses those are kept that it has signed") {
  Serving s;
  const auto said = [&](std::vector<Multiaddr> addrs) {
    s.ask(provide("cid", {{peer(kAsker), std::move(addrs), {}}}));
    return s.answer(providers("cid")).providers.at(0).addrs;
  };
  s.peers.connected(peer(kAsker), std::nullopt);
  s.peers.announced(peer(kAsker), {Dialable(home(7), Source::identify)});
  CHECK(said({home(1), home(2)}) == std::vector{home(1), home(2)});  // nothing is signed
  s.peers.announced(peer(kAsker), {Dialable(home(1), Source::signed_record),
                                   Dialable(home(3), Source::signed_record)});
  CHECK(said({home(1), home(2)}) == std::vector{home(1)});
  CHECK(said({home(2)}) == std::vector{home(1), home(3)});
  CHECK(said({}) == std::vector{home(1), home(3)});
}

}  // namespace kadmesh
