#include "transport/noise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/varint.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kMuxers{"/yamux/1.0.0"};

// Two identities, their static keys, and a handshake between them.
struct Pair {
  Rng rng{11};
  KeyPair alice = KeyPair::make(rng), bob = KeyPair::make(rng);
  NoiseStatic alice_static = make_noise_static(rng, alice, kMuxers);
  NoiseStatic bob_static = make_noise_static(rng, bob, kMuxers);

  NoiseHandshake dialer(std::optional<PeerId> expected = {}) {
    return NoiseHandshake(Role::initiator, alice_static, rng, expected);
  }
  NoiseHandshake listener(std::optional<PeerId> expected = {}) {
    return NoiseHandshake(Role::responder, bob_static, rng, expected);
  }
};

// What `to` makes of everything that `from` has to say.
Result<std::size_t> pass(NoiseHandshake& from, NoiseHandshake& to) {
  return to.on_bytes(from.take_output());
}

void finish(NoiseHandshake& dialer, NoiseHandshake& listener) {
  for (int message = 1; message <= 3; ++message) {
    auto& from = message == 2 ? listener : dialer;
    REQUIRE(pass(from, &from == &dialer ? listener : dialer));
  }
  REQUIRE(dialer.done());
  REQUIRE(listener.done());
}

// A peer that plays XX by the book with keys and a payload of its own choosing.
struct Forger {
  Rng rng{12};
  KeyPair identity = KeyPair::make(rng);
  X25519KeyPair key = make_x25519(rng);
  NoiseXX xx{Role::responder, key, make_x25519(rng)};

  // Its message 2, in answer to the dialer's message 1.
  Bytes answer(NoiseHandshake& dialer, ByteView payload) {
    REQUIRE(xx.read(ByteView(dialer.take_output()).subspan(kNoisePrefixSize)));
    Bytes body;
    REQUIRE(xx.write(payload, body));
    Bytes message{static_cast<std::uint8_t>(body.size() >> 8),
                  static_cast<std::uint8_t>(body.size())};
    append(message, body);
    return message;
  }
};

// One length-delimited protobuf field.
Bytes field(std::uint8_t number, ByteView value) {
  Bytes bytes{static_cast<std::uint8_t>(number << 3 | 2)};
  put_varint(bytes, value.size());
  append(bytes, value);
  return bytes;
}

Bytes concat(std::initializer_list<Bytes> pieces) {
  Bytes all;
  for (const Bytes& piece : pieces) append(all, piece);
  return all;
}

// What a dialer makes of a responder with this payload.
Result<NoiseSession> dial_forger(const std::function<Bytes(const Forger&)>& payload) {
  Pair pair;
  Forger forger;
  NoiseHandshake dialer = pair.dialer();
  RETURN_IF_ERROR(dialer.on_bytes(forger.answer(dialer, payload(forger))));
  REQUIRE(dialer.done());
  return dialer.take();
}

Bytes key_field(const Forger& f) { return field(1, f.identity.public_key().proto()); }
Bytes sig_field(const Forger& f) {
  Bytes statement = to_bytes(as_bytes("noise-libp2p-static-key:"));
  for (const std::uint8_t byte : f.key.share) statement.push_back(byte);
  return field(2, f.identity.sign(statement));
}

}  // namespace

TEST_CASE("noise: three messages, and both ends know each other") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(pair.bob.peer_id()), listener = pair.listener();
  std::vector<std::string> transcript;
  for (auto* from = &dialer; true; from = from == &dialer ? &listener : &dialer) {
    const Bytes message = from->take_output();
    if (message.empty()) break;
    transcript.push_back((from == &dialer ? "-> " : "<- ") + std::to_string(message.size()));
    REQUIRE((from == &dialer ? listener : dialer).on_bytes(message) == message.size());
  }
  // Payload: key 38, signature 66, extensions 16.
  CHECK(transcript == std::vector<std::string>{"-> 34", "<- 218", "-> 186"});
  const NoiseSession ours = dialer.take(), theirs = listener.take();
  CHECK(ours.remote == pair.bob.peer_id());
  CHECK(ours.remote_key == pair.bob.public_key());
  CHECK(theirs.remote == pair.alice.peer_id());
  CHECK(theirs.remote_key == pair.alice.public_key());
  CHECK(ours.remote_muxers == kMuxers);
  CHECK(theirs.remote_muxers == kMuxers);
  CHECK(ours.secrets == theirs.secrets);
}

TEST_CASE("noise: a session carries bytes both ways, under different keys") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
  finish(dialer, listener);
  NoiseSession ours = dialer.take(), theirs = listener.take();
  Bytes there, back;
  REQUIRE(ours.send.seal(as_bytes("hello"), there));
  REQUIRE(theirs.send.seal(as_bytes("hello"), back));
  CHECK(there != back);
  ByteView in(there);
  CHECK(as_text(theirs.receive.next(in).value().value()) == "hello");
  in = back;
  CHECK(as_text(ours.receive.next(in).value().value()) == "hello");
}

TEST_CASE("noise: one byte at a time comes to the same") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
  for (int round = 0; round < 2; ++round) {
    for (const std::uint8_t byte : dialer.take_output())
      CHECK(listener.on_bytes(ByteView(&byte, 1)) == 1);
    for (const std::uint8_t byte : listener.take_output())
      CHECK(dialer.on_bytes(ByteView(&byte, 1)) == 1);
  }
  CHECK(dialer.done());
  CHECK(listener.done());
}

TEST_CASE("noise: bytes behind the last message belong to the session") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
  REQUIRE(pass(dialer, listener));
  REQUIRE(pass(listener, dialer));
  Bytes wire = dialer.take_output();
  const std::size_t own = wire.size();
  REQUIRE(dialer.take().send.seal(as_bytes("early"), wire));
  CHECK(listener.on_bytes(wire) == own);
  NoiseSession session = listener.take();
  CHECK(listener.on_bytes(wire) == 0);
  ByteView rest = ByteView(wire).subspan(own);
  CHECK(as_text(session.receive.next(rest).value().value()) == "early");
}

TEST_CASE("noise: the published signature over a static key") {
  const Bytes seed =
      from_hex("7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d").value();
  Ed25519Seed identity{};
  std::ranges::copy(seed, identity.begin());
  X25519Key static_key{};
  for (std::size_t i = 0; i < static_key.size(); ++i)
    static_key[i] = static_cast<std::uint8_t>(i + 1);
  const KeyPair keys = KeyPair::from_seed(identity);
  const Bytes payload = make_noise_payload(keys, static_key, {});
  CHECK(to_hex(payload) ==
        "0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
        "1240917f8bdf3c0e44f765f510d3babc79e87d6fe260e686ce4f9689c54ebf431cd2"
        "ac8a874d7efea96879d668db572bfa2c37cba8efc669703e98de5eec342f1607");
  CHECK(check_noise_payload(payload, static_key, keys.peer_id()));
}

TEST_CASE("noise: the muxers ride in field 4 of the payload, none when none are offered") {
  Pair pair;
  const X25519Key key{};
  const std::string with = to_hex(make_noise_payload(pair.alice, key, kMuxers));
  CHECK(with.ends_with("220e120c" + to_hex(as_bytes("/yamux/1.0.0"))));
  CHECK(with.substr(0, with.size() - 32) == to_hex(make_noise_payload(pair.alice, key, {})));
}

TEST_CASE("noise: static keys are reused, ephemeral keys are not") {
  Pair pair;
  std::vector<NoiseSecrets> seen;
  for (int i = 0; i < 2; ++i) {
    NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
    finish(dialer, listener);
    seen.push_back(dialer.take().secrets);
  }
  CHECK(seen[0].initiator_ephemeral != seen[1].initiator_ephemeral);
  CHECK(seen[0].responder_ephemeral != seen[1].responder_ephemeral);
  CHECK(seen[0].initiator != seen[1].initiator);
}

TEST_CASE("noise: a capture and its key log line give the whole conversation") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
  const Bytes first = dialer.take_output();
  REQUIRE(listener.on_bytes(first));
  const Bytes second = listener.take_output();
  REQUIRE(dialer.on_bytes(second));
  NoiseSession session = dialer.take();
  Bytes capture;
  REQUIRE(session.send.seal(as_bytes("secret"), capture));

  const NoiseSecrets keys = parse_keylog_line(keylog_line(session.secrets)).value();
  CHECK(equal(ByteView(first).subspan(2), keys.initiator_ephemeral));
  CHECK(equal(ByteView(second).subspan(2, 32), keys.responder_ephemeral));
  NoiseOpener reader{NoiseKey(keys.initiator)};
  ByteView in(capture);
  CHECK(as_text(reader.next(in).value().value()) == "secret");

  NoiseSymmetric transcript{{}};
  for (const ByteView piece :
       {ByteView(first).subspan(2), ByteView(), ByteView(second).subspan(2, 32)})
    transcript.mix_hash(piece);
  Bytes responder_static(32);
  CHECK(
      aead_open(keys.ee, 0, transcript.hash(), ByteView(second).subspan(34, 48), responder_static));
  CHECK(equal(responder_static, pair.bob_static.key.share));
}

TEST_CASE("H12: each byte of messages 2 and 3, changed in turn, fails the handshake") {
  for (const std::size_t number : {2U, 3U}) {
    for (std::size_t at = 2; at < 218; ++at) {  // the prefix has tests of its own
      Pair pair;
      NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
      REQUIRE(pass(dialer, listener));
      if (number == 3) REQUIRE(pass(listener, dialer));
      auto& from = number == 2 ? listener : dialer;
      auto& to = number == 2 ? dialer : listener;
      Bytes message = from.take_output();
      if (at >= message.size()) break;
      message[at] ^= 1;
      CAPTURE(number);
      CAPTURE(at);
      CHECK(to.on_bytes(message) == fail(Errc::auth));
      CHECK_FALSE(to.done());
      CHECK(to.take_output().empty());
    }
  }
}

TEST_CASE("H12: a changed ephemeral key in message 1 fails at the dialer") {
  for (std::size_t at = 2; at < 34; ++at) {
    Pair pair;
    NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
    Bytes first = dialer.take_output();
    first[at] ^= 1;
    REQUIRE(listener.on_bytes(first));
    CHECK(pass(listener, dialer) == fail(Errc::auth));
  }
}

TEST_CASE("H12: an authentic payload whose fields are changed or missing fails") {
  const auto outcome = [](const std::function<Bytes(const Forger&)>& payload) {
    return dial_forger(payload);
  };
  REQUIRE(outcome([](const Forger& f) { return concat({key_field(f), sig_field(f)}); }));
  CHECK_FALSE(outcome([](const Forger&) { return Bytes(); }));
  CHECK_FALSE(outcome([](const Forger& f) { return key_field(f); }));
  CHECK_FALSE(outcome([](const Forger& f) { return sig_field(f); }));
  CHECK_FALSE(outcome([](const Forger& f) { return concat({key_field(f), field(2, {})}); }));
  CHECK_FALSE(outcome([](const Forger& f) { return concat({field(1, {}), sig_field(f)}); }));
  for (std::size_t at = 2; at < 2 + 36; ++at)
    CHECK_FALSE(outcome([at](const Forger& f) {
      Bytes key = key_field(f);
      key[at] ^= 1;
      return concat({key, sig_field(f)});
    }));
}

TEST_CASE("H13: a signature of the right length that is not the key's fails") {
  for (std::size_t at = 2; at < 2 + 64; ++at) {
    const auto session = dial_forger([at](const Forger& f) {
      Bytes signature = sig_field(f);
      signature[at] ^= 1;
      return concat({key_field(f), signature});
    });
    CHECK(session == fail(Errc::auth));
  }
  CHECK(dial_forger([](const Forger& f) {
          return concat({key_field(f), field(2, Bytes(64, 0))});
        }) == fail(Errc::auth));
}

TEST_CASE("H13: a signature over somebody else's static key fails") {
  Pair pair;
  CHECK(dial_forger([&](const Forger&) { return pair.bob_static.payload; }) == fail(Errc::auth));
}

TEST_CASE("H19: a dialer that meets another peer than it called says so and sends nothing") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(pair.alice.peer_id()), listener = pair.listener();
  REQUIRE(pass(dialer, listener));
  const auto result = pass(listener, dialer);
  REQUIRE(result == fail(Errc::auth));
  CHECK(result.error().detail.find(pair.alice.peer_id().text()) != std::string::npos);
  CHECK(result.error().detail.find(pair.bob.peer_id().text()) != std::string::npos);
  CHECK(dialer.take_output().empty());
  CHECK(dialer.on_bytes(Bytes{0}) == fail(Errc::closed));
}

TEST_CASE("noise: a handshake that has failed sends nothing, not even what was ready") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener();
  Bytes wire = dialer.take_output();
  append(wire, Bytes{0, 0});  // message 3, empty
  CHECK(listener.on_bytes(wire) == fail(Errc::malformed));
  CHECK(listener.take_output().empty());
}

TEST_CASE("H19: a listener that expects a peer compares as well") {
  Pair pair;
  NoiseHandshake dialer = pair.dialer(), listener = pair.listener(pair.bob.peer_id());
  REQUIRE(pass(dialer, listener));
  REQUIRE(pass(listener, dialer));
  CHECK(pass(dialer, listener) == fail(Errc::auth));
  CHECK_FALSE(listener.done());
}

TEST_CASE("noise: early muxers up to 100 are taken, more are ignored") {
  const auto muxers = [](std::size_t count) {
    return dial_forger([count](const Forger& f) {
      Bytes list;
      for (std::size_t i = 0; i < count; ++i) append(list, field(2, as_bytes("/m")));
      return concat({key_field(f), sig_field(f), field(4, list)});
    });
  };
  CHECK(muxers(0)->remote_muxers.empty());
  CHECK(muxers(100)->remote_muxers.size() == 100);
  CHECK(muxers(101)->remote_muxers.empty());
  CHECK(muxers(2000) == fail(Errc::limit));
}

TEST_CASE("noise: fields that we do not know are ignored, text need not be text") {
  const auto session = dial_forger([](const Forger& f) {
    return concat({field(3, as_bytes("early data")), key_field(f), sig_field(f),
                   field(4, concat({field(1, as_bytes("hash")), field(2, Bytes{0xff, 0xfe}),
                                    field(9, as_bytes("?"))})),
                   field(15, as_bytes("?"))});
  });
  REQUIRE(session);
  CHECK(session->remote_muxers == std::vector<std::string>{"\xff\xfe"});
}

TEST_CASE("noise: a message is judged by its length, before its body comes") {
  Pair pair;
  for (const auto& [high, low, code] :
       {std::tuple{0, 31, Errc::malformed},  // no room for a key
        std::tuple{0, 33, Errc::limit},      // a payload
        std::tuple{0, 0, Errc::malformed}, std::tuple{255, 255, Errc::limit}}) {
    NoiseHandshake listener = pair.listener();
    const Bytes prefix{static_cast<std::uint8_t>(high), static_cast<std::uint8_t>(low)};
    CHECK(listener.on_bytes(prefix) == fail(code));
  }
  NoiseHandshake dialer = pair.dialer();
  CHECK(dialer.on_bytes(Bytes{0, 95}) == fail(Errc::malformed));
  NoiseHandshake other = pair.dialer();
  CHECK(other.on_bytes(Bytes{(96 + 8193) >> 8, (96 + 8193) & 0xff}) == fail(Errc::limit));
}

TEST_CASE("noise: the largest payload is read") {
  CHECK(dial_forger([](const Forger& f) {
    Bytes payload = concat({key_field(f), sig_field(f)});
    append(payload, field(15, Bytes(kMostNoisePayload - payload.size() - 3)));
    REQUIRE(payload.size() == kMostNoisePayload);
    return payload;
  }));
}

}  // namespace kadmesh
