#include "kad/server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

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
  Rtts rtts{config.request_timeout};
  KadView view{self, config, table, peers, machine, own_addrs, rtts};
  Server server{view};
  MemoryStore store{StoreLimits{}};
  std::uint64_t next = 1;

  Turn turn() { return {{now, wall}, rng}; }

  void knows(std::uint32_t number, std::optional<Subnet> seen_in = std::nullopt) {
    peers.connected(peer(number), std::nullopt, seen_in);
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
      while (auto cleanup = server.poll_cleanup()) store.run(wall, {*cleanup});
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

TEST_CASE("H55: a record's life is what its sender gives it, and never more than ours") {
  Serving s;
  const auto life = [&](std::optional<std::uint32_t> ttl) {
    KadMessage request = put("/v/" + std::to_string(s.next) + "a", "a");
    request.record->ttl = ttl;
    (void)s.ask(request);
    return s.store.run(s.wall, {Load{Kind::value, request.key}}).front()->at(0).expires - s.wall;
  };
  CHECK(life(std::nullopt) == 48h);
  CHECK(life(60) == 60s);
  CHECK(life(~std::uint32_t{0}) == 48h);
}

TEST_CASE("H55: what reaches us from afar is kept for less, and long enough to be found") {
  const Bytes key = bytes("/v/a");
  const auto life = [&](std::size_t nearer) {
    Serving s;
    s.config.k = 2;
    const auto to_key = [&](std::uint32_t number) {
      return distance(KadId::of(peer(number)), KadId::of(key));
    };
    for (std::uint32_t number = 1; nearer > 0; ++number) {
      if (to_key(number) > to_key(kSelf)) continue;
      s.knows(number);
      --nearer;
    }
    const auto step = s.ask(put("/v/a", "a"), 1);
    REQUIRE(std::holds_alternative<Server::Answer>(step));
    const auto rows = s.store.run(WallTime{}, {Load{Kind::value, key}}).front();
    return rows->at(0).expires - s.wall;
  };
  CHECK(life(0) == 48h);
  CHECK(life(2) == 48h);
  CHECK(life(3) == 24h);
  CHECK(life(5) == 6h);
  CHECK(life(7) == 90min);
  CHECK(life(20) == 90min);
}

TEST_CASE("H55: who hands a record on cannot have it forgotten earlier") {
  Serving s;
  (void)s.ask(put("/v/a", "a"), 1);
  KadMessage again = put("/v/a", "a");
  again.record->ttl = 1;
  (void)s.ask(again, 2);
  s.wall += 1h;
  CHECK(s.answer(get("/v/a")).record->ttl == 47 * 3600);
}

TEST_CASE("server: what was stored while our clock was ahead goes when what comes now would") {
  Serving s;
  s.wall += 10'000h - 200h;
  s.kept("/v/a", "a");
  s.wall = WallTime(100h);
  (void)s.ask(put("/v/a", "a"));
  CHECK(s.store.run(s.wall, {Load{Kind::value, bytes("/v/a")}}).front()->at(0).expires ==
        s.wall + 48h);
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

TEST_CASE("server: of two puts at once the better one stays, whichever came first") {
  for (const bool better_first : {true, false}) {
    Serving s;
    const std::string first = better_first ? "a longer one" : "a",
                      second = better_first ? "a" : "a longer one";
    const KadInboundId one{1}, two{2};
    const auto load =
        s.server.on_request(s.turn(), one, peer(1), encode_request(put("/v/a", first)));
    CHECK(std::holds_alternative<Server::Hold>(
        s.server.on_request(s.turn(), two, peer(2), encode_request(put("/v/a", second)))));
    CHECK_FALSE(s.server.poll_next());
    const auto run = [&](KadInboundId id, Server::Step step) {
      while (auto* use = std::get_if<Server::Use>(&step))
        step = *s.server.on_stored(s.turn(), id, s.store.run(s.wall, {use->request}).front());
    };
    run(one, load);
    auto next = s.server.poll_next();
    REQUIRE(next);
    CHECK(next->first == two);
    run(two, Server::Use{std::move(next->second)});
    CHECK(s.stored("/v/a") == bytes("a longer one"));
    CHECK(s.server.waiting() == 0);
  }
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
  CHECK(s.server.expire(s.now) == KadInboundId{1});
  CHECK(s.server.expire(s.now) == KadInboundId{2});
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

TEST_CASE("server: what is read and found invalid is not erased behind the back of a writer") {
  Serving s;
  s.store.run(s.wall, {Save{value_row(s.config, s.turn(), bytes("/v/a"), bytes("bad"))}});
  const KadInboundId writer{1}, reader{2};
  auto write = s.server.on_request(s.turn(), writer, peer(1), encode_request(put("/v/a", "a")));
  auto read = s.server.on_request(s.turn(), reader, peer(2), encode_request(get("/v/a")));
  const auto take = [&](KadInboundId id, const Server::Step& step) {
    return *s.server.on_stored(s.turn(), id,
                               s.store.run(s.wall, {std::get<Server::Use>(step).request}).front());
  };
  const Server::Step save = take(writer, write);
  take(reader, read);
  const auto cleanup = s.server.poll_cleanup();
  REQUIRE(cleanup);
  take(writer, save);
  s.store.run(s.wall, {*cleanup});
  CHECK(s.stored("/v/a") == bytes("a"));
}

TEST_CASE("server: a put that we have overtaken ourselves looks at what is there again") {
  for (const std::string_view peers : {"a", "a longer one than ours"}) {
    Serving s;
    const KadInboundId id{1};
    auto step = s.server.on_request(s.turn(), id, peer(1), encode_request(put("/v/a", peers)));
    const auto take = [&] {
      const StoreRequest request = std::get<Server::Use>(step).request;
      step = *s.server.on_stored(s.turn(), id, s.store.run(s.wall, {request}).front());
    };
    take();
    s.kept("/v/a", "a and more");
    while (std::holds_alternative<Server::Use>(step)) take();
    CHECK(std::holds_alternative<Server::Refuse>(step) == (peers == "a"));
    CHECK(s.stored("/v/a") == bytes(peers == "a" ? "a and more" : peers));
    CHECK(s.server.waiting() == 0);
  }
}

TEST_CASE("H55: what is better is kept no less long than what it replaces") {
  Serving s;
  s.ask(put("/v/a", "a"));
  KadMessage better = put("/v/a", "a longer one");
  better.record->ttl = 1;
  s.ask(better);
  s.wall += 1h;
  CHECK(s.stored("/v/a") == bytes("a longer one"));
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

TEST_CASE("H56: who hands on a value takes it over neither from us nor from who had it stored") {
  Serving s;
  s.knows(1, public_subnet(tcp(0x05060701)));
  s.knows(2, public_subnet(tcp(0x05060801)));
  const auto charge = [&](const std::string& key) {
    return s.store.run(s.wall, {Load{Kind::value, bytes(key)}}).front()->at(0).charge;
  };
  s.kept("/v/s", "s is ours");
  (void)s.ask(put("/v/s", "s is ours"), 1);
  CHECK(charge("/v/s") == 0);
  (void)s.ask(put("/v/a", "a"), 1);
  (void)s.ask(put("/v/a", "a"), 2);
  CHECK(charge("/v/a") == charge_of(peer(1), public_subnet(tcp(0x05060701))));
  (void)s.ask(put("/v/a", "a longer one"), 2);
  CHECK(charge("/v/a") == charge_of(peer(2), public_subnet(tcp(0x05060801))));
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
