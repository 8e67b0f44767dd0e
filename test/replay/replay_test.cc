#include "replay/replay.h"

#include <doctest/doctest.h>

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
  }
  writer.end(out, {CaptureEnd::Why::closed});
  return out;
}

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
  Bytes changed;
  const Bytes other = edited(capture, [&](CaptureRecord& record) {
    auto* input = std::get_if<CaptureInput>(&record);
    if (!input) return;
    ++turn;
    auto* received = std::get_if<input::Received>(&input->input);
    if (!received || received->bytes.size() < 200 || flipped > 0) return;
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
