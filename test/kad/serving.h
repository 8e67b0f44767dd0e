// A server on its own: its store answers at once, requests run to their end.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/bootstrap.h"
#include "kad/server.h"
#include "people.h"
#include "store/memory_store.h"

namespace kadmesh::testing {

inline constexpr std::uint32_t kSelf = 0, kAsker = 1;

inline Bytes id_of(std::uint32_t number) { return to_bytes(peer(number).bytes()); }

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
  Qualities qualities;
  KadView view{self, config, table, peers, machine, own_addrs, rtts, qualities};
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
    return refusal_of(encode_request(message), asker);
  }
  Errc refusal_of(ByteView message, std::uint32_t asker = kAsker) {
    const auto step = ask_bytes(message, asker);
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

inline KadMessage find(const Bytes& key) { return {KadType::find_node, key, {}, {}, {}}; }
inline KadMessage get(std::string_view key) { return {KadType::get_value, bytes(key), {}, {}, {}}; }
inline KadMessage put(std::string_view key, std::string_view value) {
  return {KadType::put_value, bytes(key), KadRecord{bytes(key), bytes(value), {}}, {}, {}};
}
inline KadMessage provide(std::string_view key, std::vector<KadPeer> who) {
  return {KadType::add_provider, bytes(key), {}, {}, std::move(who)};
}
inline KadMessage providers(std::string_view key) {
  return {KadType::get_providers, bytes(key), {}, {}, {}};
}
inline KadPeer at_home(std::uint32_t number) { return {peer(number), {home(number)}, {}}; }

}  // namespace kadmesh::testing
