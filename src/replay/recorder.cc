#include "replay/recorder.h"

#include "replay/output.h"

namespace kadmesh {

void Recorder::start(const CaptureStart& start) {
  writer_.start(buffer_, start);
  flush();
}

// The outputs of the turn before travel with this input: one write a turn.
void Recorder::input(Now now, const NodeInput& input) {
  if (stopped_) return;
  frame_outputs();
  const auto* received = std::get_if<input::Received>(&input);
  if (redacts_ && received) {
    held_ = Held{now, received->id, {}};
  } else if (!stopped_ && add([&] { writer_.input(buffer_, {now, input}); })) {
    ++turns_;
    flush();
  }
}

void Recorder::opened(ByteView form) {
  const auto held = std::exchange(held_, std::nullopt);
  if (stopped_ || !held) return;
  if (!add([&] { writer_.input(buffer_, {held->now, input::Received{held->id, form}}); })) return;
  ++turns_;
  for (const Bytes& signature : held->signatures) signed_with(signature);
  if (!stopped_) flush();
}

void Recorder::signed_with(Bytes signature) {
  if (stopped_ || !redacts_) return;
  if (held_)
    held_->signatures.push_back(std::move(signature));
  else if (add([&] { writer_.signature(buffer_, {std::move(signature)}); }))
    flush();
}

void Recorder::answered(const NodeAnswer& answer) {
  if (!stopped_ && !is_nothing(answer)) outputs_.push_back(output_of(answer));
}

void Recorder::polled(const std::optional<NodeAction>& action) {
  if (stopped_) return;
  drained_ = !action;
  if (action) outputs_.push_back(output_of(*action));
}

void Recorder::finish() {
  if (stopped_) return;
  frame_outputs();
  if (!stopped_) stop(CaptureEnd::Why::closed);
}

std::optional<Error> Recorder::trouble() { return std::exchange(trouble_, std::nullopt); }

bool Recorder::fits(std::size_t more) const {
  return bytes_ + more + CaptureWriter::kMostEnd <= most_;
}

template <class Frame>
bool Recorder::add(Frame frame) {
  const CaptureWriter before = writer_;
  const std::size_t begin = buffer_.size();
  frame();
  if (fits(buffer_.size()) && buffer_.size() - begin <= kMostCaptureRecord) return true;
  writer_ = before;
  buffer_.resize(begin);
  stop(CaptureEnd::Why::limit);
  return false;
}

void Recorder::frame_outputs() {
  const CaptureOutputs record{std::exchange(outputs_, {}), std::exchange(drained_, false)};
  if (record.outputs.empty() && !record.drained) return;
  add([&] { writer_.outputs(buffer_, record); });
}

void Recorder::flush() {
  write(buffer_);
  buffer_.clear();
}

void Recorder::stop(CaptureEnd::Why why) {
  stopped_ = true;
  writer_.end(buffer_, {why});
  flush();
  if (why == CaptureEnd::Why::limit && !trouble_)
    trouble_ = Error{Errc::limit, "recording has stopped at its limit of " + std::to_string(most_) +
                                      " bytes, after " + std::to_string(turns_) +
                                      " inputs; the capture is good up to there"};
}

void Recorder::write(ByteView bytes) {
  bytes_ += bytes.size();
  if (auto written = sink_(bytes); !written) {
    stopped_ = true;
    trouble_ = Error{written.error().code, "recording has stopped: " + written.error().detail +
                                               "; the capture is good up to there"};
  }
}

}  // namespace kadmesh
