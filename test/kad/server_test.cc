#include "kad/server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "serving.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("server: FIND_NODE names the 20 closest, nearest first, and not who asks") {
  Serving s;
  for (std::uint32_t i = 1; i <= 40; ++i) s.knows(i);
  const Bytes target = id_of(9999);
  const auto closer = s.answer(find(target)).closer;
  CHECK(closer.size() == 20);
  CHECK(std::ranges::none_of(closer, [](const KadPeer& p) { return p.id == peer(kAsker); }));
  CHECK(std::ranges::is_sorted(
      closer, {}, [&](const KadPeer& p) { return distance(KadId::of(p.id), KadId::of(target)); }));
}

TEST_CASE("server: FIND_NODE about a peer names it first, also when it asks about itself") {
  Serving s;
  s.knows(kAsker);
  s.knows(2);
  const auto about_asker = s.answer(find(id_of(kAsker))).closer;
  REQUIRE(about_asker.size() == 2);
  CHECK(about_asker[0] == KadPeer{peer(kAsker), {home(kAsker)}, Connectedness::connected});
  CHECK(s.answer(find(id_of(2))).closer.size() == 1);  // not twice
}

TEST_CASE("server: FIND_NODE about ourselves names us and our neighbours") {
  Serving s;
  s.knows(2);
  const auto closer = s.answer(find(id_of(kSelf))).closer;
  REQUIRE(closer.size() == 2);
  CHECK(closer[0].id == peer(kSelf));
  CHECK(closer[0].addrs == std::vector{home(kSelf)});
}

TEST_CASE(
    "server: FIND_NODE names a connected client that is asked about, but hands it on to nobody") {
  Serving s;
  s.peers.connected(peer(5), std::nullopt);
  s.peers.announced(peer(5), listens_at(5));
  CHECK(s.answer(find(id_of(5))).closer.at(0).id == peer(5));
  CHECK(s.answer(find(id_of(6))).closer.empty());
}

TEST_CASE("server: a target without a known address is left out") {
  Serving s;
  s.peers.connected(peer(5), std::nullopt);
  CHECK(s.answer(find(id_of(5))).closer.empty());
}

TEST_CASE(
    "server: FIND_NODE about bytes that are no peer id is answered; about nothing it is not") {
  Serving s;
  s.knows(2);
  CHECK(s.answer(find(bytes("any bytes"))).closer.size() == 1);
  CHECK(s.refusal(find({})) == Errc::protocol);
}

TEST_CASE("server: an address that a third peer gave as a hint is not handed on") {
  Serving s;
  s.knows(2);
  s.table.on_serves(peer(2), std::vector{Dialable(home(9), Source::hint)}, s.now);
  CHECK(s.answer(find(bytes("x"))).closer.at(0).addrs.empty());
}

TEST_CASE("H50: a record above the limit is refused, and PING repeats nothing") {
  Serving s;
  const std::string huge = "a" + std::string(s.config.most_value, 'x');
  CHECK(s.refusal(put("/v/a", huge)) == Errc::limit);
  CHECK(s.refusal(put("/v/" + std::string(kMostRecordKey, 'a'), "a")) == Errc::limit);
  CHECK_FALSE(s.stored("/v/a"));
  KadMessage ping = put("/v/a", "apple");
  ping.type = KadType::ping;
  ping.closer = {at_home(3)};
  CHECK(s.answer(ping) == KadMessage{KadType::ping, {}, {}, {}, {}});
}

TEST_CASE("server: bytes that are no message, a client's server, too many waiting: refused") {
  Serving s;
  CHECK(std::holds_alternative<Server::Refuse>(s.ask_bytes(as_bytes("\xff\xff"))));
  s.config.mode = KadMode::client;
  CHECK(s.refusal(find(bytes("x"))) == Errc::unsupported);
  s.config.mode = KadMode::server;
  for (std::uint32_t i = 0; i < kMostInbound; ++i)
    s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(i + 10),
                        encode_request(get("/v/a")));
  CHECK(s.server.waiting() == kMostInbound);
  const auto step = s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(kAsker),
                                        encode_request(get("/v/a")));
  CHECK(std::holds_alternative<Server::Refuse>(step));
}

TEST_CASE(
    "H57: a request that the store keeps waiting is given up at its deadline, and forgotten") {
  Serving s;
  const KadInboundId id{77};
  s.server.on_request(s.turn(), id, peer(kAsker), encode_request(get("/v/a")));
  CHECK(s.server.next_timer() == after(s.now, kInboundDeadline));
  CHECK_FALSE(s.server.expire(s.now));
  CHECK(s.server.expire(after(s.now, kInboundDeadline)).value().first == id);
  CHECK_FALSE(s.server.on_stored(s.turn(), id, StoreRows{}));
  CHECK(s.server.next_timer() == kNever);
}

TEST_CASE("server: each request is counted once, when it ends, with its type and its error") {
  Serving s;
  const auto ended = [&](KadType type) -> const Outcomes& {
    return s.server.ended().ended[static_cast<std::size_t>(type)];
  };
  const auto failed = [](const Outcomes& of, Errc code) {
    return of.failed[static_cast<std::size_t>(code)];
  };
  s.answer(find(bytes("x")));
  CHECK(s.refusal(find({})) == Errc::protocol);
  s.answer(put("/v/a", "a"));
  s.ask(provide("key", {at_home(kAsker)}));
  CHECK(failed(s.server.ended().unread, s.refusal_of(as_bytes("\xff\xff"))) == 1);

  s.server.on_request(s.turn(), KadInboundId{77}, peer(kAsker), encode_request(get("/v/a")));
  CHECK(ended(KadType::get_value).ok + ended(KadType::get_value).all_failed() == 0);
  s.server.expire(after(s.now, kInboundDeadline));

  CHECK(ended(KadType::find_node).ok == 1);
  CHECK(ended(KadType::find_node).all_failed() == 1);
  CHECK(failed(ended(KadType::find_node), Errc::protocol) == 1);
  CHECK(ended(KadType::put_value).ok == 1);
  CHECK(ended(KadType::add_provider).ok == 1);  // although nobody is answered
  CHECK(failed(ended(KadType::get_value), Errc::timeout) == 1);
  CHECK(ended(KadType::get_value).ok == 0);
  CHECK(ended(KadType::ping).ok + ended(KadType::ping).all_failed() == 0);
  CHECK(s.server.ended().unread.ok == 0);

  s.config.mode = KadMode::client;
  CHECK(s.refusal(find(bytes("x"))) == Errc::unsupported);
  CHECK(failed(s.server.ended().unread, Errc::unsupported) == 1);
}

TEST_CASE("server: an error of the store is a refusal, not a crash") {
  Serving s;
  const KadInboundId id{77};
  s.server.on_request(s.turn(), id, peer(kAsker), encode_request(get("/v/a")));
  const auto step = s.server.on_stored(s.turn(), id, fail(Errc::io, "disk"));
  REQUIRE(step);
  CHECK(std::get<Server::Refuse>(*step).why.code == Errc::io);
}

TEST_CASE("H56: however many wait for the store, what needs none is answered") {
  Serving s;
  for (std::uint32_t i = 0; i < kMostInbound; ++i)
    s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(i + 10),
                        encode_request(get("/v/a")));
  CHECK(s.server.waiting() == kMostInbound);
  const auto asked = [&](const KadMessage& message) {
    return s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(kAsker),
                               encode_request(message));
  };
  CHECK(std::holds_alternative<Server::Answer>(asked(find(bytes("x")))));
  CHECK(std::holds_alternative<Server::Answer>(asked({KadType::ping, {}, {}, {}, {}})));
  CHECK(std::holds_alternative<Server::Refuse>(asked(get("/v/a"))));
}

TEST_CASE("H56: of one network only so many wait for the store, whatever they ask") {
  Serving s;
  for (std::uint32_t i = 0; i <= kMostOfCharge; ++i)
    s.peers.connected(peer(i + 10), std::nullopt, public_subnet(tcp(0x05060700 + i % 256)));
  const auto ask = [&](std::uint32_t who, const KadMessage& message) {
    return s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(who),
                               encode_request(message));
  };
  for (std::uint32_t i = 0; i < kMostOfCharge; ++i)
    CHECK(std::holds_alternative<Server::Use>(ask(i + 10, get("/v/a"))));
  CHECK(std::holds_alternative<Server::Refuse>(ask(kMostOfCharge + 10, get("/v/a"))));
  CHECK(std::holds_alternative<Server::Refuse>(ask(kMostOfCharge + 10, put("/v/a", "a"))));
  CHECK(std::holds_alternative<Server::Use>(ask(2000, put("/v/a", "a"))));
}

TEST_CASE("H56: peers who fill the store keep us neither from putting nor from providing") {
  Serving s;
  s.store = MemoryStore({.rows = 40, .bytes = 100'000, .charge_share = 1});
  s.knows(kAsker);
  for (int i = 0; i < 100; ++i) (void)s.ask(provide("cid " + std::to_string(i), {at_home(kAsker)}));
  for (int i = 0; i < 100; ++i)
    (void)s.ask(put("/v/" + std::to_string(i) + "k", "k" + std::to_string(i)));
  CHECK(s.store.rows() == 35);
  CHECK(s.store.run(s.wall, {Save{publishing_row(bytes("/v/ours"), {1}, WallTime{})}}).front());
  CHECK(
      s.store.run(s.wall, {Save{provider_row(s.config, s.turn(), bytes("ours"), s.self)}}).front());
}

TEST_CASE("H56: what peers want kept is charged to the network that their connections show") {
  Serving s;
  const auto charge_of_put = [&](std::uint32_t asker, const std::string& key) {
    (void)s.ask(put("/v/" + key, key), asker);
    return s.store.run(s.wall, {Load{Kind::value, bytes("/v/" + key)}}).front()->at(0).charge;
  };
  s.knows(1, public_subnet(tcp(0x05060701)));
  s.knows(2, public_subnet(tcp(0x05060702)));
  s.knows(3, public_subnet(tcp(0x05060801)));
  s.knows(4), s.knows(5);
  const std::uint64_t network = charge_of_put(1, "a");
  CHECK(network != 0);
  CHECK(charge_of_put(2, "b") == network);  // another id, another key
  CHECK(charge_of_put(3, "c") != network);
  const std::uint64_t private_one = charge_of_put(4, "d");
  CHECK(private_one != network);
  CHECK(charge_of_put(5, "e") != private_one);
  s.kept("/v/f", "f");
  CHECK(s.store.run(s.wall, {Load{Kind::value, bytes("/v/f")}}).front()->at(0).charge == 0);
}

TEST_CASE("H56: networks that cost nothing to who has one are charged as one") {
  const auto charge = [](const char* addr) {
    return charge_of(peer(1), public_subnet(Multiaddr::from_text(addr).value()));
  };
  CHECK(charge("/ip6/2a00:1234:5::1/tcp/1") == charge("/ip6/2a00:1234:ffff::1/tcp/1"));
  CHECK(charge("/ip6/2a00:1234:5::1/tcp/1") != charge("/ip6/2a00:1235:5::1/tcp/1"));
  // 6to4 is whose IPv4 address it is.
  CHECK(charge("/ip6/2002:506:7ff:1::1/tcp/1") == charge("/ip4/5.6.7.1/tcp/1"));
  CHECK(charge("/ip6/2002:506:8ff:1::1/tcp/1") != charge("/ip4/5.6.7.1/tcp/1"));
  CHECK(charge("/ip6/2001:0:1234::1/tcp/1") == charge("/ip6/2001:0:4321::1/tcp/1"));
}

TEST_CASE("H56: who has left by the time its row is stored is charged nevertheless") {
  Serving s;
  s.knows(kAsker, public_subnet(tcp(0x05060701)));
  const KadInboundId id{1};
  (void)s.server.on_request(s.turn(), id, peer(kAsker), encode_request(put("/v/a", "a")));
  s.peers.disconnected(peer(kAsker));
  const auto step = s.server.on_stored(s.turn(), id, StoreRows{});
  REQUIRE(step);
  const auto& save = std::get<Save>(std::get<Server::Use>(*step).request);
  CHECK(save.row.charge == charge_of(peer(kAsker), public_subnet(tcp(0x05060701))));
  CHECK(save.home == place_of(s.self.bytes()));
}

}  // namespace kadmesh
