#include "replay/replay.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "replay/output.h"
#include "replay/pair.h"

using namespace kadmesh;

namespace {

Replay replay_of(const Bytes& capture) {
  auto replay = Replay::of(capture);
  REQUIRE(replay);
  while (replay->step()) {
  }
  return *std::move(replay);
}

std::string described(const Replay& replay) {
  const auto& d = replay.difference();
  if (!d) return {};
  return "turn " + std::to_string(d->turn) + " output " + std::to_string(d->output) +
         "\n recorded " + d->recorded + "\n replayed " + d->replayed;
}

// The capture with its records changed by `edit`, in frames that are good again.
template <class Edit>
Bytes edited(ByteView capture, Edit edit) {
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  CaptureWriter writer;
  Bytes out;
  writer.start(out, reader->start());
  while (auto record = reader->next()) {
    edit(*record);
    if (auto* input = std::get_if<CaptureInput>(&*record)) writer.input(out, *input);
    if (auto* outputs = std::get_if<CaptureOutputs>(&*record)) writer.outputs(out, *outputs);
    if (auto* made = std::get_if<CaptureSignature>(&*record)) writer.signature(out, *made);
  }
  writer.end(out, {CaptureEnd::Why::closed});
  return out;
}

bool holds(const Bytes& all, ByteView part) {
  return !std::ranges::search(all, part).empty() ||
         as_text(all).find(to_hex(part)) != std::string_view::npos;
}

// The private half of a share, if this luck makes it among its first: wherever in the luck it lies.
std::optional<X25519Key> made_of(const Rng::Key& luck, const X25519Key& share) {
  Bytes drawn(4096);
  Rng(luck).fill(drawn);
  for (ByteView rest = drawn; rest.size() >= sizeof(X25519Key); rest = rest.subspan(1)) {
    X25519Key secret;
    std::ranges::copy(rest.first(secret.size()), secret.begin());
    if (x25519_from_secret(secret).share == share) return secret;
  }
  return std::nullopt;
}

Rng::Key luck_in(const Bytes& capture) { return CaptureReader::open(capture)->start().luck; }

}  // namespace

TEST_CASE("replay: a node's whole life comes out as it was") {
  Pair pair;
  pair.live();
  const Bytes capture = pair.capture();
  const Replay replay = replay_of(capture);
  CHECK_MESSAGE(!replay.difference(), described(replay));
  CHECK(replay.turns() > 50);
  CHECK(replay.matched() == replay.turns());
  CHECK(replay.ending().kind == CaptureEnding::Kind::closed);
  CHECK(replay.node()->leftovers().empty());
}

TEST_CASE("replay: what was recorded so far replays while the node runs on") {
  Pair pair;
  pair.live();
  const Replay replay = replay_of(pair.so_far());
  CHECK_MESSAGE(!replay.difference(), described(replay));
  CHECK(replay.ending().kind == CaptureEnding::Kind::torn);
  CHECK(replay.ending().offset == pair.so_far().size());
  CHECK(replay.matched() + 1 >= replay.turns());  // of the last input the outputs are not yet there
}

TEST_CASE("replay: one bit of what a peer said names the turn, and shows both outputs") {
  Pair pair;
  pair.live();
  const Bytes capture = pair.capture();
  std::uint64_t turn = 0, flipped = 0;
  bool half = true;
  Bytes changed;
  const Bytes other = edited(capture, [&](CaptureRecord& record) {
    auto* input = std::get_if<CaptureInput>(&record);
    if (!input) return;
    ++turn;
    auto* received = std::get_if<input::Received>(&input->input);
    if (!received || received->bytes.size() < 200 || flipped > 0) return;
    if (std::exchange(half, !half)) return;  // the other half completes the message
    flipped = turn;
    changed = to_bytes(received->bytes);
    changed[100] ^= 1;
    received->bytes = changed;
  });
  REQUIRE(flipped > 0);
  const Replay replay = replay_of(other);
  REQUIRE(replay.difference());
  CHECK(replay.difference()->turn == flipped);
  CHECK(replay.difference()->recorded != replay.difference()->replayed);
  CHECK(replay.matched() == flipped);  // turn 0 and those before
  CHECK_FALSE(replay.next());
}

TEST_CASE("replay: another time is another input") {
  Pair pair;
  pair.live();
  const Bytes other = edited(pair.capture(), [](CaptureRecord& record) {
    if (auto* input = std::get_if<CaptureInput>(&record)) input->now.wall += 1s;
  });
  CHECK(replay_of(other).difference());
}

TEST_CASE("replay: an input that is missing shows") {
  Pair pair;
  pair.live();
  bool left = false;
  const Bytes other = edited(pair.capture(), [&](CaptureRecord& record) {
    auto* input = std::get_if<CaptureInput>(&record);
    if (!input || left || !std::holds_alternative<input::Publish>(input->input)) return;
    input->input = input::Timer{};
    left = true;
  });
  REQUIRE(left);
  const Replay replay = replay_of(other);
  REQUIRE(replay.difference());
  CHECK(replay.difference()->recorded.starts_with("answer"));
}

TEST_CASE("replay: outputs that were not to be are seen, and those that did not come") {
  Pair pair;
  pair.live();
  const Bytes capture = pair.capture();
  std::size_t last = 0, place = 0;
  (void)edited(capture, [&](CaptureRecord& record) {
    ++place;
    if (auto* outputs = std::get_if<CaptureOutputs>(&record);
        outputs && outputs->outputs.size() > 1)
      last = place;
  });
  const auto with = [&](auto change) {
    place = 0;
    return replay_of(edited(capture, [&](CaptureRecord& record) {
      if (++place == last) change(std::get<CaptureOutputs>(record).outputs);
    }));
  };
  const Replay fewer = with([](auto& outputs) { outputs.pop_back(); });
  REQUIRE(fewer.difference());
  CHECK(fewer.difference()->recorded == "nothing more");
  const Replay more = with([](auto& outputs) { outputs.push_back(outputs.back()); });
  REQUIRE(more.difference());
  CHECK(more.difference()->replayed == "nothing more");
}

TEST_CASE("replay: each turn can be looked at before it runs") {
  Pair pair;
  pair.live();
  const Bytes capture = pair.capture();
  auto replay = Replay::of(capture);
  REQUIRE(replay);
  REQUIRE(replay->next());
  CHECK(replay->next()->turn == 0);
  CHECK(replay->next()->input == nullptr);
  CHECK(replay->node() == nullptr);
  std::uint64_t turn = 0;
  for (; replay->next(); ++turn) {
    CHECK(replay->next()->turn == turn);
    CHECK(replay->step());
  }
  CHECK(turn == replay->turns());
  CHECK_FALSE(replay->step());
}

TEST_CASE("replay: a redacted capture replays, above Noise") {
  Pair pair(Recorder::kUsualMost, Recorder::Secrets::left_out);
  pair.live();
  const Bytes capture = pair.capture();
  const Replay replay = replay_of(capture);
  CHECK_MESSAGE(!replay.difference(), described(replay));
  CHECK(replay.turns() > 50);
  CHECK(replay.matched() == replay.turns());
  CHECK(replay.ending().kind == CaptureEnding::Kind::closed);
}

TEST_CASE("replay: a redacted capture holds no private key") {
  Rng luck(Pair::alice + 1);
  const Bytes key = KeyPair::make(luck).proto();
  const ByteView seed = ByteView(key).last(64).first(32);
  Pair open, redacted(Recorder::kUsualMost, Recorder::Secrets::left_out);
  open.live();
  redacted.live();
  const Bytes whole = open.capture(), capture = redacted.capture();
  CHECK(holds(whole, seed));
  CHECK_FALSE(holds(capture, seed));
  CHECK(as_text(capture).starts_with("This file holds no keys"));
}

TEST_CASE("replay: a redacted capture holds no key of Noise, nor what one is made of") {
  Pair pair(Recorder::kUsualMost, Recorder::Secrets::left_out);
  pair.live();
  const Bytes capture = pair.capture();
  Rng luck(Pair::noise_luck());
  CHECK_FALSE(holds(capture, Pair::noise_luck()));
  CHECK_FALSE(holds(capture, make_x25519(luck).secret));  // the static key
  REQUIRE_FALSE(pair.sessions().empty());
  for (const NoiseSecrets& session : pair.sessions()) {
    const X25519KeyPair ephemeral = make_x25519(luck);
    CHECK(ephemeral.share == session.initiator_ephemeral);
    CHECK_FALSE(holds(capture, ephemeral.secret));
    for (const AeadKey& key :
         {session.ee, session.es, session.se, session.initiator, session.responder})
      CHECK_FALSE(holds(capture, key));
  }
}

TEST_CASE("replay: the luck in a redacted capture makes no key of Noise, as a whole one's does") {
  Pair open, redacted(Recorder::kUsualMost, Recorder::Secrets::left_out);
  open.live();
  redacted.live();
  CHECK(made_of(luck_in(open.capture()), open.sessions().front().initiator_ephemeral));
  const X25519Key share = redacted.sessions().front().initiator_ephemeral;
  CHECK(made_of(Pair::noise_luck(), share));
  CHECK_FALSE(made_of(luck_in(redacted.capture()), share));
}

TEST_CASE("replay: a redacted capture holds what was said, and nothing of it encrypted") {
  Pair pair(Recorder::kUsualMost, Recorder::Secrets::left_out);
  pair.live();
  const Bytes capture = pair.capture();
  std::size_t sealed = 0;
  for (const Bytes& bytes : pair.came()) {
    if (bytes.size() < 64) continue;
    CHECK_FALSE(holds(capture, ByteView(bytes).last(32)));
    ++sealed;
  }
  CHECK(sealed > 5);
  CHECK(holds(capture, as_bytes("from bob")));
}

TEST_CASE("replay: a redacted capture names the turn of a changed bit, too") {
  Pair pair(Recorder::kUsualMost, Recorder::Secrets::left_out);
  pair.live();
  std::uint64_t turn = 0, flipped = 0;
  Bytes changed;
  const Bytes other = edited(pair.capture(), [&](CaptureRecord& record) {
    auto* input = std::get_if<CaptureInput>(&record);
    if (!input) return;
    ++turn;
    auto* received = std::get_if<input::Received>(&input->input);
    if (!received || received->bytes.size() < 200 || flipped > 0) return;
    flipped = turn;
    changed = to_bytes(received->bytes);
    changed[changed.size() / 2] ^= 1;
    received->bytes = changed;
  });
  REQUIRE(flipped > 0);
  const Replay replay = replay_of(other);
  REQUIRE(replay.difference());
  CHECK(replay.difference()->turn == flipped);
}

TEST_CASE("replay: what Noise refuses, a redacted capture refuses in the same words") {
  const auto refused = [](auto trouble) {
    Pair pair(Recorder::kUsualMost, Recorder::Secrets::left_out);
    trouble(pair);
    const Bytes capture = pair.capture();
    const Replay replay = replay_of(capture);
    CHECK_MESSAGE(!replay.difference(), described(replay));
    CHECK(replay.matched() == replay.turns());
  };
  SUBCASE("a session's message") {
    refused([](Pair& pair) {
      pair.live();
      pair.garble();
      pair.run(Pair::bob, input::Publish{"news", Pair::text("garbled")});
      pair.pass(1ms);
      CHECK(pair.node(Pair::alice).connections().empty());
    });
  }
  SUBCASE("a handshake's message") {
    refused([](Pair& pair) {
      pair.garble();
      CHECK_FALSE(pair.done(Pair::alice, input::ConnectAddr{pair.addr(Pair::bob), pair.in(5s)}));
    });
  }
  SUBCASE("another peer than was called") {
    refused([](Pair& pair) {
      const Multiaddr other = pair.addr(Pair::bob).with_peer(pair.id(Pair::alice));
      CHECK_FALSE(pair.done(Pair::alice, input::ConnectAddr{other, pair.in(5s)}));
    });
  }
  SUBCASE("an inbound handshake that is none") {
    refused([](Pair& pair) {
      const Endpoint from = Pair::endpoint(Pair::bob);
      const ConnId id = pair.run(Pair::alice, input::Accepted{from, from});
      Bytes hello = Pair::text("\x13/multistream/1.0.0\n\x07/noise\n");
      hello.insert(hello.end(), {0, 5, 1, 2, 3});
      pair.run(Pair::alice, input::Received{id, hello});
    });
  }
}
