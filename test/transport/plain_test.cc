#include "transport/plain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "transport/connection_pair.h"

namespace kadmesh {
namespace {

const std::vector<std::string> kMuxers{"/yamux/1.0.0"};

struct Pair {
  Rng rng{11};
  KeyPair alice = KeyPair::make(rng), bob = KeyPair::make(rng);
  NoiseStatic alice_static = make_noise_static(rng, alice, kMuxers);
  NoiseStatic bob_static = make_noise_static(rng, bob, kMuxers);

  PlainHandshake dialer(std::optional<PeerId> expected = {}) {
    return PlainHandshake(Role::initiator, alice_static, &rng, expected);
  }
  PlainHandshake listener() {
    return PlainHandshake(Role::responder, bob_static, &rng, std::nullopt);
  }
};

ConnectionPair connections(Security dialer, Security listener, bool early = true) {
  auto from = ConnectionPair::options(1, Role::initiator);
  auto to = ConnectionPair::options(2, Role::responder);
  from.security = dialer;
  to.security = listener;
  from.early_muxer = early;
  return {from, to};
}

// Every flight of a conversation: a handshake, a request, a long answer, the end.
std::vector<std::string> conversation(Security security, bool early) {
  ConnectionPair pair = connections(security, security, early);
  std::vector<std::string> flights;
  const auto exchange = [&] {
    for (bool heard = true; std::exchange(heard, false);) {
      for (auto* from = &pair.us; from != nullptr; from = from == &pair.us ? &pair.them : nullptr) {
        const Bytes bytes = from->speak();
        if (bytes.empty()) continue;
        flights.push_back((from == &pair.us ? "-> " : "<- ") + std::to_string(bytes.size()));
        (from == &pair.us ? pair.them : pair.us).hear(bytes);
        heard = true;
      }
    }
  };
  exchange();
  const StreamId id = *pair.us.streams().open(std::vector<std::string>{"/echo/1"}, Time(2h));
  pair.us.streams().write(id, as_bytes("a question"));
  exchange();
  pair.them.streams().write(id, Bytes(100'000, 'a'));
  exchange();
  CHECK(pair.us.read(id).size() == 100'000);
  exchange();
  pair.us->close({Errc::closed, "enough"});
  exchange();
  CHECK(pair.them->cause().code == Errc::closed);
  return flights;
}

}  // namespace

TEST_CASE("plain: a conversation has the flights that it has under Noise, to the byte") {
  for (const bool early : {false, true}) {
    const auto noise = conversation(Security::noise, early);
    CHECK(noise.size() > 8);
    CHECK(conversation(Security::plain, early) == noise);
  }
}

TEST_CASE("plain: the luck that is drawn is Noise's") {
  Rng ours(5), theirs(5);
  Pair pair;
  PlainHandshake(Role::initiator, pair.alice_static, &ours, std::nullopt);
  NoiseHandshake(Role::initiator, pair.alice_static, theirs, std::nullopt);
  CHECK(ours.next() == theirs.next());
}

TEST_CASE("plain: both ends know what the other said of itself") {
  Pair pair;
  PlainHandshake dialer = pair.dialer(pair.bob.peer_id()), listener = pair.listener();
  REQUIRE(listener.on_bytes(dialer.take_output()));
  REQUIRE(dialer.on_bytes(listener.take_output()));
  CHECK(dialer.done());
  CHECK(!listener.done());
  REQUIRE(listener.on_bytes(dialer.take_output()));
  REQUIRE(listener.done());
  const PlainSession ours = dialer.take(), theirs = listener.take();
  CHECK(ours.remote.peer == pair.bob.peer_id());
  CHECK(theirs.remote.key == pair.alice.public_key());
  CHECK(theirs.remote.muxers == kMuxers);
}

TEST_CASE("plain: a peer other than the one that was dialed is refused, and told nothing") {
  Pair pair;
  PlainHandshake dialer = pair.dialer(pair.alice.peer_id()), listener = pair.listener();
  REQUIRE(listener.on_bytes(dialer.take_output()));
  CHECK(dialer.on_bytes(listener.take_output()).error().code == Errc::auth);
  CHECK(dialer.take_output().empty());
  CHECK(!dialer.done());
}

TEST_CASE("plain: one that expects Noise and one that does not refuse each other") {
  for (const Security dialer : {Security::noise, Security::plain}) {
    const Security other = dialer == Security::noise ? Security::plain : Security::noise;
    ConnectionPair pair = connections(dialer, other);
    pair.exchange();
    CHECK(pair.us.phase() == Connection::Phase::gone);
    CHECK(pair.us->cause().code == Errc::unsupported);
    CHECK(pair.us->cause().detail.ends_with("the peer serves none of " +
                                            std::string(protocol_name(dialer))));
    CHECK(pair.them->cause().detail.starts_with("no agreement on " +
                                                std::string(protocol_name(other))));
    CHECK(pair.them->peer() == nullptr);
  }
}

TEST_CASE("plain: there are no secrets to log") {
  auto dialer = ConnectionPair::options(1, Role::initiator);
  auto listener = ConnectionPair::options(2, Role::responder);
  dialer.security = listener.security = Security::plain;
  dialer.keylog = true;
  ConnectionPair pair(dialer, listener);
  pair.exchange();
  CHECK(pair.us.phase() == Connection::Phase::up);
  CHECK(!pair.us->take_keylog());
}

TEST_CASE("plain: any segmentation of the bytes gives the same connection") {
  ConnectionPair pair = connections(Security::plain, Security::plain);
  for (int turn = 0; turn < 8; ++turn) {
    for (const std::uint8_t byte : pair.us.speak()) pair.them.hear(ByteView(&byte, 1));
    for (const std::uint8_t byte : pair.them.speak()) pair.us.hear(ByteView(&byte, 1));
  }
  CHECK(*pair.us->peer() == pair.them.key.peer_id());
  CHECK(*pair.them->peer() == pair.us.key.peer_id());
}

TEST_CASE("plain: a handshake message of another size, or with bytes where none must be, ends it") {
  struct Row {
    Bytes wire;
    Errc code;
  };
  Pair pair;
  PlainHandshake speaker = pair.dialer(), answering = pair.listener();
  REQUIRE(answering.on_bytes(speaker.take_output()));
  const Bytes honest = answering.take_output();
  Bytes other_key = honest, other_tag = honest, other_payload = honest;
  other_key[2 + 32] = 1;
  other_tag.back() = 1;
  other_payload[2 + 32 + 48] = 0xff;
  for (const Row& row :
       {Row{{0, 31}, Errc::malformed}, Row{{0xff, 0xff}, Errc::limit}, Row{other_key, Errc::auth},
        Row{other_tag, Errc::auth}, Row{other_payload, Errc::malformed}}) {
    PlainHandshake dialer = pair.dialer();
    CHECK(dialer.on_bytes(row.wire).error().code == row.code);
    CHECK(dialer.on_bytes(honest).error().code == Errc::closed);
    CHECK(!dialer.done());
  }
}

TEST_CASE("plain: a message is opened where it lies, and what was cut off where it was collected") {
  Bytes wire;
  REQUIRE(PlainSealer().seal(as_bytes("hello"), wire));
  CHECK(wire.size() == 2 + 5 + 16);
  PlainOpener opener;
  ByteView in(wire);
  CHECK((*opener.next(in))->data() == wire.data() + 2);
  in = ByteView(wire).first(9);
  CHECK(!*opener.next(in));
  in = ByteView(wire).subspan(9);
  CHECK(as_text(**opener.next(in)) == "hello");
}

TEST_CASE("plain: a message that Noise made, or that has no room for a tag, ends the session") {
  Bytes sealed;
  REQUIRE(NoiseSealer(NoiseKey(AeadKey{1})).seal(as_bytes("hello"), sealed));
  for (const auto& [wire, code] :
       {std::pair(sealed, Errc::auth), std::pair(Bytes{0, 15}, Errc::malformed)}) {
    Bytes whole = wire;
    if (code == Errc::malformed) whole.resize(2 + 15);
    PlainOpener opener;
    ByteView in(whole);
    CHECK(opener.next(in).error().code == code);
    CHECK(opener.next(in).error().code == Errc::closed);
    CHECK(opener.buffered() == 0);
  }
}

}  // namespace kadmesh
