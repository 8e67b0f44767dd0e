#include "replay/recorder.h"

#include <doctest/doctest.h>

#include "replay/pair.h"

using namespace kadmesh;

namespace {

std::uint64_t turns(const Bytes& capture) {
  auto replay = Replay::of(capture);
  REQUIRE(replay);
  while (replay->step()) {
  }
  CHECK_FALSE(replay->difference());
  return replay->turns();
}

CaptureEnding ending(const Bytes& capture) {
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  while (reader->next()) {
  }
  return reader->ending();
}

// A recording of a node that dials, with its luck renewed before, or not.
Bytes dialing(std::optional<Rng::Key> renewed) {
  Bytes capture;
  Recorder recorder([&](ByteView bytes) { return append(capture, bytes), Result<void>(); },
                    Recorder::kUsualMost);
  Rng rng(1);
  RecordedNode node(KeyPair::make(rng), Pair::config(), Rng::Key{1}, Now(), std::move(recorder));
  if (renewed) node.renew_luck(*renewed);
  node.apply(Now(), input::ConnectAddr{Multiaddr::tcp(Pair::endpoint(Pair::bob)), Time(5s)});
  while (auto action = node.poll())
    if (const auto* dial = std::get_if<DialPipe>(&*action))
      node.apply(Now(), input::Dialed{dial->id, Pair::endpoint(Pair::alice)});
  return capture;
}

bool foretold(const Bytes& capture) {
  auto replay = Replay::of(capture);
  REQUIRE(replay);
  while (replay->step()) {
  }
  CHECK(replay->turns() >= 2);
  return !replay->difference();
}

}  // namespace

TEST_CASE("recorder: stops at its limit, says so once, and what there is replays") {
  Pair whole;
  whole.live();
  const std::size_t all = whole.capture().size();
  std::size_t fewer = 0;
  for (const std::size_t most : {all / 4, all / 2, all / 2 + 1, all / 2 + 2, all / 2 + 30}) {
    CAPTURE(most);
    Pair pair(most);
    pair.live();
    const auto trouble = pair.trouble();
    REQUIRE(trouble);
    CHECK(trouble->code == Errc::limit);
    CHECK(trouble->detail.find(std::to_string(most)) != std::string::npos);
    CHECK_FALSE(pair.trouble());
    const Bytes capture = pair.capture();
    CHECK(capture.size() <= most);
    CHECK(ending(capture).kind == CaptureEnding::Kind::limit);
    CHECK(turns(capture) > fewer);
    fewer = most == all / 4 ? turns(capture) : fewer;
  }
}

TEST_CASE("recorder: an input is written before the node sees it") {
  Bytes capture;
  Recorder recorder([&](ByteView bytes) { return append(capture, bytes), Result<void>(); }, 10'000);
  Rng luck(1);
  recorder.start({KeyPair::make(luck), {}, Now(), Pair::config()});
  const std::size_t before = capture.size();
  CHECK(before > 0);
  recorder.input(Now(), input::Subscribe{"topic"});
  CHECK(capture.size() > before);
  auto reader = CaptureReader::open(capture);
  REQUIRE(reader);
  CHECK(reader->next());
}

TEST_CASE("recorder: a sink that fails is left alone, and the trouble told") {
  int calls = 0;
  Recorder recorder(
      [&](ByteView) -> Result<void> {
        if (++calls == 2) return fail(Errc::io, "no space left");
        return {};
      },
      100'000);
  Rng luck(1);
  recorder.start({KeyPair::make(luck), {}, Now(), Pair::config()});
  for (int i = 0; i < 3; ++i) {
    recorder.input(Now(), input::Timer{});
    recorder.polled(std::nullopt);
  }
  recorder.finish();
  CHECK(calls == 2);
  const auto trouble = recorder.trouble();
  REQUIRE(trouble);
  CHECK(trouble->code == Errc::io);
  CHECK(trouble->detail.find("no space left") != std::string::npos);
}

TEST_CASE("recorder: with its luck renewed, a node does not do what the capture foretells") {
  CHECK(foretold(dialing(std::nullopt)));
  CHECK_FALSE(foretold(dialing(Rng::Key{2})));
}
