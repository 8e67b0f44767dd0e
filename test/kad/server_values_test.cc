// PUT_VALUE and GET_VALUE: src/kad/server.h.
#include <doctest/doctest.h>

#include "serving.h"

namespace kadmesh {
using namespace testing;

namespace {

// Whatever it is, it says the same; the greater wins where one must be chosen.
class AllAlike final : public Validator {
 public:
  Result<void> validate(ByteView, ByteView, WallTime) const override { return {}; }
  std::size_t select(ByteView, std::span<const Bytes> values) const override {
    return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
  }
  bool same(ByteView, ByteView, ByteView) const override { return true; }
};

}  // namespace

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

TEST_CASE("H51: PUT_VALUE without a namespace, or of one unknown here, stores nothing") {
  Serving s;
  for (const std::string_view key : {"plain", "/v", "/other/a", "", "/"}) {
    CAPTURE(key);
    CHECK(s.refusal(put(key, "a")) == Errc::invalid);
    CHECK_FALSE(s.stored(key));
  }
  CHECK(s.refusal(put("/v/a", "not for this key")) == Errc::invalid);
}

// libtorrent wrote what peers sent as names into buffers of a fixed size.
TEST_CASE("H61: a key has any length up to the bound, and what is told of it is whole") {
  Serving s;
  const auto key = [](std::size_t size) { return "/v/" + std::string(size - 3, 'a'); };
  for (const std::size_t size : {4UL, 64UL, 65UL, 255UL, 256UL, kMostRecordKey}) {
    CAPTURE(size);
    CHECK(s.answer(put(key(size), "apple")) == put(key(size), "apple"));
    const auto got = s.answer(get(key(size))).record;
    REQUIRE(got);
    CHECK(got->key == bytes(key(size)));
    CHECK(got->value == bytes("apple"));
  }
  CHECK(s.refusal(put(key(kMostRecordKey + 1), "apple")) == Errc::limit);
  CHECK(s.refusal(get(key(kMostRecordKey + 1))) == Errc::limit);
  for (const char odd : {'\0', '%', '\n', '\xff'}) {
    const std::string name = "/" + std::string(kMostRecordKey - 3, odd) + "/a";
    const auto step = s.ask(put(name, "apple"));
    CHECK(std::get<Server::Refuse>(step).why.detail.size() < 2 * kMostRecordKey);
  }
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

TEST_CASE(
    "H56: who writes a value in another way changes neither it nor whose it is, or shortens it") {
  Serving s;
  s.config.validators.set("v", std::make_shared<AllAlike>());
  s.knows(1, public_subnet(tcp(0x05060701)));
  s.knows(2, public_subnet(tcp(0x05060801)));
  const auto row = [&] {
    return s.store.run(s.wall, {Load{Kind::value, bytes("/v/a")}}).front()->at(0);
  };
  const auto first = charge_of(peer(1), public_subnet(tcp(0x05060701)));
  (void)s.ask(put("/v/a", "as one"), 1);
  const WallTime expires = row().expires;
  s.wall += 1h;
  CHECK(s.answer(put("/v/a", "zz padded"), 2).record->value == bytes("zz padded"));  // as it came
  CHECK(row().value == bytes("as one"));
  CHECK(row().charge == first);
  CHECK(row().expires > expires);  // that it is wanted counts all the same
  (void)s.ask(put("/v/a", "one"), 2);
  CHECK(row().value == bytes("one"));
  CHECK(row().charge == first);
}

}  // namespace kadmesh
