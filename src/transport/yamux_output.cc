// What the peer is sent: frames are made when the pipe has room for them, control before data.
#include <algorithm>

#include "transport/yamux.h"

namespace kadmesh {

// Appends whole frames to the caller's bytes, up to its limit.
class YamuxSession::Output {
 public:
  Output(Bytes& bytes, std::size_t limit) : bytes_(bytes), start_(bytes.size()), limit_(limit) {}

  std::size_t size() const { return bytes_.size() - start_; }
  std::size_t left() const { return limit_ - size(); }

  bool put(const YamuxHeader& header, ByteView body = {}) {
    if (left() < kYamuxHeaderSize + body.size()) return false;
    append(bytes_, encode(header));
    append(bytes_, body);
    return true;
  }

 private:
  Bytes& bytes_;
  const std::size_t start_;
  const std::size_t limit_;
};

bool YamuxSession::wants_input() const {
  return pong_count_ < kYamuxMostPongs && resets_.size() < kYamuxManyResets;
}

bool YamuxSession::wants_output() const {
  if (go_away_) return true;
  if (state_ != State::running) return false;
  return ping_ || pong_count_ > 0 || !resets_.empty() || !control_.empty() || !data_.empty();
}

std::size_t YamuxSession::take_output(Bytes& out, std::size_t limit) {
  Output output(out, limit);
  take_session_frames(output);
  if (state_ != State::running) return output.size();
  take_resets(output);
  take_control(output);
  take_data(output);
  take_control(output);  // FIN of streams whose last data has just gone
  return output.size();
}

void YamuxSession::take_session_frames(Output& out) {
  if (go_away_ && out.put({YamuxType::go_away, 0, 0, *go_away_})) go_away_.reset();
  std::size_t sent = 0;
  while (sent < pong_count_ && out.put({YamuxType::ping, yamux_flag::kAck, 0, pongs_[sent]}))
    ++sent;
  std::shift_left(pongs_.begin(), pongs_.end(), static_cast<std::ptrdiff_t>(sent));
  pong_count_ -= sent;
  if (ping_ && out.put({YamuxType::ping, yamux_flag::kSyn, 0, *ping_})) ping_.reset();
}

void YamuxSession::take_resets(Output& out) {
  auto next = resets_.begin();
  while (next != resets_.end() &&
         out.put({YamuxType::window_update, yamux_flag::kRst, next->id, next->code}))
    ++next;
  resets_.erase(resets_.begin(), next);
  if (resets_.empty()) resets_ = {};
}

void YamuxSession::take_control(Output& out) {
  while (YamuxStream* stream = control_.front()) {
    if (const auto frame = stream->next_control()) {
      if (!out.put(*frame)) return;
      stream->sent(*frame);
    } else {
      control_.remove(*stream);
      erase_if_over(*stream);
    }
  }
}

void YamuxSession::take_data(Output& out) {
  while (YamuxStream* stream = data_.front()) {
    if (!take_piece(*stream, out)) break;
    data_.remove(*stream);
    if (!stream->queued.empty())
      data_.push_back(*stream);
    else if (stream->sending == YamuxStream::Half::ending)
      control_.push_back(*stream);
    offer_room(*stream);
  }
  offer_memory();
}

bool YamuxSession::take_piece(YamuxStream& stream, Output& out) {
  if (out.left() <= kYamuxHeaderSize) return false;
  const std::size_t longest = data_.single() ? kYamuxLongestBody : kYamuxFairBody;
  const std::size_t wanted = std::min(stream.queued.size(), longest);
  const std::size_t count = std::min(wanted, out.left() - kYamuxHeaderSize);
  if (count < std::min(wanted, kYamuxLeastPiece) && out.size() > 0) return false;
  out.put({YamuxType::data, 0, stream.id, static_cast<std::uint32_t>(count)},
          stream.queued.view().first(count));
  stream.queued.pop(count, cache_);
  bytes_queued_ -= count;
  return true;
}

}  // namespace kadmesh
