// A recorded node, run again: the same start, the same inputs, and each thing that comes out held
// against its digest. Stops at the first that differs.
//
//   auto replay = Replay::of(capture);
//   while (replay->step()) {}
//   replay->difference();  // none: everything was as recorded
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "replay/capture.h"

namespace kadmesh {

class Replay {
 public:
  // As CaptureReader::open. `capture` outlives the replay.
  static Result<Replay> of(ByteView capture);
  Replay(Replay&&) noexcept;
  ~Replay();

  // The turn that step() would run: 0 builds the node, every other is an input.
  struct Next {
    std::uint64_t turn;
    Now now;
    const NodeInput* input;  // null for turn 0
  };
  // None at the end, and behind a difference.
  std::optional<Next> next() const;
  // Runs it; false when there is none.
  bool step();

  struct Difference {
    std::uint64_t turn;
    std::size_t output;  // counted from 1 within the turn
    std::string recorded, replayed;
  };
  const std::optional<Difference>& difference() const;
  // Turns that ran, and those among them whose outputs were recorded and are the same.
  std::uint64_t turns() const;
  std::uint64_t matched() const;
  // What came out in the latest turn, a line each.
  const std::vector<std::string>& outputs() const;
  // Asked for by next() == none without a difference: how the capture ends.
  const CaptureEnding& ending() const;
  // Null before turn 0.
  const Node* node() const;

 private:
  struct State;
  explicit Replay(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
