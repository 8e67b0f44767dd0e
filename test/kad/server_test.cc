#include "kad/server.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/bootstrap.h"
#include "people.h"
#include "store/memory_store.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::uint32_t kSelf = 0, kAsker = 1;

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
Bytes id_of(std::uint32_t number) { return to_bytes(peer(number).bytes()); }

// Only values that begin with their key's last character; the longer is the better.
class PickyValidator final : public Validator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) const override {
    if (now >= WallTime(1'000h)) return fail(Errc::timeout, "expired");
    if (!value.empty() && value.front() == key.back()) return {};
    return fail(Errc::invalid, "not for this key");
  }
  std::size_t select(ByteView, std::span<const Bytes> values) const override {
    const auto best = std::ranges::max_element(values, {}, [](const Bytes& v) { return v.size(); });
    return static_cast<std::size_t>(best - values.begin());
  }
};

// A server with its store; requests run to their end.
struct Serving {
  PeerId self = peer(kSelf);
  KadConfig config = [] {
    KadConfig c;
    c.validators.set("v", std::make_shared<PickyValidator>());
    return c;
  }();
  RoutingTable table{self, 20};
  Peers peers;
  Rng rng{1};
  WallTime wall{100h};
  Time now{};
  std::vector<Multiaddr> own_addrs{home(kSelf)};
  BootstrapMachine machine{self, {}, turn()};
  KadView view{self, config, table, peers, machine, own_addrs};
  Server server{view};
  MemoryStore store{StoreLimits{}};
  std::uint64_t next = 1;

  Turn turn() { return {{now, wall}, rng}; }

  void knows(std::uint32_t number) {
    peers.connected(peer(number), std::nullopt);
    peers.announced(peer(number), listens_at(number));
    table.on_connected(peer(number), now);
    table.on_serves(peer(number), listens_at(number), now);
  }

  Server::Step ask_bytes(ByteView message, std::uint32_t asker = kAsker) {
    const KadInboundId id{next++};
    Server::Step step = server.on_request(turn(), id, peer(asker), message);
    while (auto* use = std::get_if<Server::Use>(&step)) {
      const auto result = store.run(wall, {use->request}).front();
      step = server.on_stored(turn(), id, result).value();
      if (auto cleanup = server.poll_cleanup()) store.run(wall, {*cleanup});
    }
    CHECK(server.waiting() == 0);
    return step;
  }
  Server::Step ask(const KadMessage& message, std::uint32_t asker = kAsker) {
    return ask_bytes(encode_request(message), asker);
  }
  // What came back; the test fails on a refusal.
  KadMessage answer(const KadMessage& message, std::uint32_t asker = kAsker) {
    const auto step = ask(message, asker);
    const auto* answered = std::get_if<Server::Answer>(&step);
    REQUIRE(answered);
    REQUIRE(answered->message);
    return decode_kad(*answered->message, {}).value();
  }
  Errc refusal(const KadMessage& message, std::uint32_t asker = kAsker) {
    const auto step = ask(message, asker);
    const auto* refused = std::get_if<Server::Refuse>(&step);
    REQUIRE(refused);
    return refused->why.code;
  }
  void kept(std::string_view key, std::string_view value) {
    store.run(wall, {Save{value_row(config, turn(), bytes(key), bytes(value))}});
  }
  std::optional<Bytes> stored(std::string_view key) {
    const auto rows = store.run(wall, {Load{Kind::value, bytes(key)}}).front();
    return rows->empty() ? std::nullopt : std::optional(rows->front().value);
  }
};

KadMessage find(const Bytes& key) { return {KadType::find_node, key, {}, {}, {}}; }
KadMessage get(std::string_view key) { return {KadType::get_value, bytes(key), {}, {}, {}}; }
KadMessage put(std::string_view key, std::string_view value) {
  return {KadType::put_value, bytes(key), KadRecord{bytes(key), bytes(value), {}}, {}, {}};
}
KadMessage provide(std::string_view key, std::vector<KadPeer> who) {
  return {KadType::add_provider, bytes(key), {}, {}, std::move(who)};
}
KadMessage providers(std::string_view key) {
  return {KadType::get_providers, bytes(key), {}, {}, {}};
}
KadPeer at_home(std::uint32_t number) { return {peer(number), {home(number)}, {}}; }

}  // namespace

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

TEST_CASE("server: PUT_VALUE stores the record and echoes it, and nothing else") {
  Serving s;
  KadMessage request = put("/v/a", "apple");
  request.closer = {at_home(3)};
  request.providers = {at_home(3)};
  const auto echo = s.answer(request);
  CHECK(echo == put("/v/a", "apple"));
  CHECK(s.stored("/v/a") == bytes("apple"));
}

TEST_CASE("server: PUT_VALUE under another key than the record's is refused") {
  Serving s;
  KadMessage request = put("/v/a", "apple");
  request.key = bytes("/v/b");
  CHECK(s.refusal(request) == Errc::protocol);
  request.record.reset();
  CHECK(s.refusal(request) == Errc::protocol);
  CHECK_FALSE(s.stored("/v/a"));
}

TEST_CASE("server: PUT_VALUE of a worse value is refused, of a better one stored") {
  Serving s;
  s.answer(put("/v/a", "apple"));
  CHECK(s.refusal(put("/v/a", "ant")) == Errc::refused);
  CHECK(s.stored("/v/a") == bytes("apple"));
  s.answer(put("/v/a", "apple tree"));
  CHECK(s.stored("/v/a") == bytes("apple tree"));
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

TEST_CASE("H51: PUT_VALUE without a namespace, or of one unknown here, stores nothing") {
  Serving s;
  for (const std::string_view key : {"plain", "/v", "/other/a", "", "/"}) {
    CAPTURE(key);
    CHECK(s.refusal(put(key, "a")) == Errc::invalid);
    CHECK_FALSE(s.stored(key));
  }
  CHECK(s.refusal(put("/v/a", "not for this key")) == Errc::invalid);
}

TEST_CASE("server: GET_VALUE answers the record with its own key, when it came, and closer peers") {
  Serving s;
  s.knows(2);
  s.kept("/v/a", "apple");
  const auto got = s.answer(get("/v/a"));
  REQUIRE(got.record);
  CHECK(got.record->key == bytes("/v/a"));
  CHECK(got.record->value == bytes("apple"));
  CHECK(got.record->time_received == bytes("1970-01-05T04:00:00.000000000Z"));
  CHECK(got.closer.size() == 1);
  CHECK_FALSE(s.answer(get("/v/b")).record);
  CHECK(s.refusal(get("")) == Errc::protocol);
}

TEST_CASE("H53: a stored record that is no longer valid is neither served nor kept") {
  Serving s;
  s.config.record_ttl = 10'000h;
  s.kept("/v/a", "apple");
  CHECK(s.answer(get("/v/a")).record);
  s.wall = WallTime(1'000h);
  CHECK_FALSE(s.answer(get("/v/a")).record);
  CHECK_FALSE(s.stored("/v/a"));
}

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

TEST_CASE("server: bytes that are no message, a client's server, too many waiting: refused") {
  Serving s;
  CHECK(std::holds_alternative<Server::Refuse>(s.ask_bytes(as_bytes("\xff\xff"))));
  s.config.server = false;
  CHECK(s.refusal(find(bytes("x"))) == Errc::unsupported);
  s.config.server = true;
  for (std::size_t i = 0; i < kMostInbound; ++i)
    s.server.on_request(s.turn(), KadInboundId{s.next++}, peer(kAsker),
                        encode_request(get("/v/a")));
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
  CHECK(s.server.expire(after(s.now, kInboundDeadline)) == id);
  CHECK_FALSE(s.server.on_stored(s.turn(), id, StoreRows{}));
  CHECK(s.server.next_timer() == kNever);
}

TEST_CASE("server: an error of the store is a refusal, not a crash") {
  Serving s;
  const KadInboundId id{77};
  s.server.on_request(s.turn(), id, peer(kAsker), encode_request(get("/v/a")));
  const auto step = s.server.on_stored(s.turn(), id, fail(Errc::io, "disk"));
  REQUIRE(step);
  CHECK(std::get<Server::Refuse>(*step).why.code == Errc::io);
}

}  // namespace kadmesh
