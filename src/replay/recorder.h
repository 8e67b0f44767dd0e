// Writes down one node as it runs: its start, every input before the node sees it, and a digest of
// all that comes out. What it writes goes to a sink, at most `most` bytes of it.
//
// When the limit is reached the capture is ended in order, and when the sink fails it is left as it
// is; either way recording stops, trouble() says so once, and the node goes on.
#pragma once

#include <functional>

#include "replay/capture.h"

namespace kadmesh {

class Recorder {
 public:
  // Takes all of it or fails, after which it is not called again.
  using Sink = std::function<Result<void>(ByteView)>;
  // A busy node's quarter of an hour, and less than what makes a kernel hold up its writers.
  static constexpr std::size_t kUsualMost = std::size_t{256} * 1024 * 1024;

  enum class Secrets : std::uint8_t { kept, left_out };

  Recorder(Sink sink, std::size_t most, Secrets secrets = Secrets::kept)
      : sink_(std::move(sink)), most_(most), redacts_(secrets == Secrets::left_out) {}
  // The node then runs with SwarmConfig::plain_forms and a luck of Noise's own, which are not
  // recorded; the identity is its public key, and what came is told by opened().
  bool redacts() const { return redacts_; }

  void start(const CaptureStart& start);
  void input(Now now, const NodeInput& input);
  // Of an input::Received, behind it: its plain form, which is recorded instead.
  void opened(ByteView form);
  void signed_with(Bytes signature);
  void answered(const NodeAnswer& answer);
  void polled(const std::optional<NodeAction>& action);
  // In order; nothing is recorded any more.
  void finish();

  std::uint64_t turns() const { return turns_; }
  std::size_t bytes() const { return bytes_; }
  // Why recording stopped early: once.
  std::optional<Error> trouble();

 private:
  bool fits(std::size_t more) const;
  // Whether what `frame` appended has room; otherwise the capture ends before it.
  template <class Frame>
  bool add(Frame frame);
  void frame_outputs();
  void flush();
  void stop(CaptureEnd::Why why);
  void write(ByteView bytes);

  Sink sink_;
  std::size_t most_;
  bool redacts_;
  CaptureWriter writer_;
  bool stopped_ = false;
  std::vector<CaptureOutput> outputs_;  // since the last input
  bool drained_ = false;
  Bytes buffer_;  // framed, not yet written
  // Redacted: what came, and was signed for it, until it is opened().
  struct Held {
    Now now;
    ConnId id;
    std::vector<Bytes> signatures;
  };
  std::optional<Held> held_;
  std::size_t bytes_ = 0;
  std::uint64_t turns_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace kadmesh
