#include "replay/recorder.h"

#include "replay/output.h"

namespace kadmesh {

void Recorder::start(const CaptureStart& start) {
  writer_.start(buffer_, start);
  write(buffer_);
  buffer_.clear();
}

// The outputs of the turn before travel with this input: one write a turn.
void Recorder::input(Now now, const NodeInput& input) {
  if (stopped_) return;
  frame_outputs();
  if (stopped_) return;
  const CaptureWriter before = writer_;
  const std::size_t outputs = buffer_.size();
  writer_.input(buffer_, {now, input});
  if (fits(buffer_.size()) && buffer_.size() - outputs <= kMostCaptureRecord) {
    ++turns_;
    write(buffer_);
    return buffer_.clear();
  }
  writer_ = before;
  buffer_.resize(outputs);
  stop(CaptureEnd::Why::limit);
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

void Recorder::frame_outputs() {
  const CaptureOutputs record{std::exchange(outputs_, {}), std::exchange(drained_, false)};
  if (record.outputs.empty() && !record.drained) return;
  const CaptureWriter before = writer_;
  writer_.outputs(buffer_, record);
  if (fits(buffer_.size())) return;
  writer_ = before;
  buffer_.clear();
  stop(CaptureEnd::Why::limit);
}

void Recorder::stop(CaptureEnd::Why why) {
  stopped_ = true;
  writer_.end(buffer_, {why});
  write(buffer_);
  buffer_.clear();
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
