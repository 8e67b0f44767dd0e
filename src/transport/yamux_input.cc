// What the peer sends: every header is judged here, before anything is made for it.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "transport/stream_code.h"
#include "transport/yamux.h"

namespace kadmesh {
namespace {

std::unexpected<Error> breach(const char* what, StreamId id) {
  return fail(Errc::protocol, std::string("yamux: ") + what + ", stream " + std::to_string(id));
}

Error why_gone(std::uint32_t reason) {
  if (reason == yamux_reason::kNormal) return {Errc::closed, "yamux: ended by the peer"};
  return {Errc::reset, "yamux: the peer went away, reason " + std::to_string(reason)};
}

}  // namespace

Result<void> YamuxSession::on_bytes(Time now, ByteView bytes) {
  auto result = lend(now, bytes);
  keep();
  return result;
}

void YamuxSession::keep() {
  if (YamuxStream* stream = std::exchange(lent_, nullptr)) stream->received.keep(cache_);
}

Result<void> YamuxSession::lend(Time now, ByteView bytes) {
  if (state_ != State::running) return {};
  now_ = now;
  keepalive_.heard(now_);
  if (!heard_) on_first_bytes();
  auto result = read(now_, bytes);
  if (!result.has_value()) {
    go_away_ = yamux_reason::kProtocol;
    end(result.error(), 0);
  }
  return result;
}

Result<void> YamuxSession::read(Time now, ByteView input) {
  while (!input.empty() && state_ == State::running) {
    if (body_.left > 0)
      read_body(input);
    else
      RETURN_IF_ERROR(read_header(now, input));
  }
  return {};
}

Result<void> YamuxSession::read_header(Time now, ByteView& input) {
  if (header_size_ == 0) frame_deadline_ = after(now, config_.frame_timeout);
  const std::size_t count = std::min(input.size(), kYamuxHeaderSize - header_size_);
  std::copy_n(input.begin(), count, header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
  input = input.subspan(count);
  header_size_ += count;
  if (header_size_ < kYamuxHeaderSize) return {};
  ASSIGN_OR_RETURN(const YamuxHeader header, decode_yamux_header(header_));
  RETURN_IF_ERROR(on_frame(now, header));
  if (body_.left == 0) end_frame();
  return {};
}

void YamuxSession::read_body(ByteView& input) {
  const ByteView piece = input.first(std::min<std::size_t>(body_.left, input.size()));
  input = input.subspan(piece.size());
  const std::uint32_t parts = body_.left / kYamuxTimedPart;
  body_.left -= static_cast<std::uint32_t>(piece.size());
  if (body_.left / kYamuxTimedPart < parts) frame_deadline_ = after(now_, config_.frame_timeout);
  YamuxStream* stream = find(body_.stream);
  if (stream != nullptr && !stream->dead && !stream->released) receive(*stream, piece);
  if (body_.left == 0) end_frame();
}

void YamuxSession::receive(YamuxStream& stream, ByteView piece) {
  stream.window.arrived(static_cast<std::uint32_t>(piece.size()));
  if (lent_ == nullptr && stream.received.empty()) {
    stream.received.lend(piece);
    lent_ = &stream;
  } else {
    stream.received.append(piece, cache_);
  }
  bytes_received_ += piece.size();
  raise(stream, yamux_event::kReadable);
}

void YamuxSession::end_frame() {
  header_size_ = 0;
  frame_deadline_ = kNever;
  const Body body = std::exchange(body_, {});
  if (body.fin) on_fin(body.stream);
}

Result<void> YamuxSession::on_frame(Time now, const YamuxHeader& header) {
  switch (header.type) {
    case YamuxType::data:
    case YamuxType::window_update:
      return on_stream_frame(header);
    case YamuxType::ping:
      return on_ping(now, header);
    case YamuxType::go_away:
      break;
  }
  on_go_away(header);
  return {};
}

// --- the session

Result<void> YamuxSession::on_ping(Time now, const YamuxHeader& header) {
  if (header.has(yamux_flag::kAck)) {
    if (keepalive_.on_pong(now, header.length)) return {};
    return fail(Errc::protocol, "yamux: a pong that nobody asked for");
  }
  if (pong_count_ < kYamuxMostPongs) pongs_[pong_count_++] = header.length;
  return {};
}

void YamuxSession::on_go_away(const YamuxHeader& header) {
  end(why_gone(header.length), header.length);
}

// --- streams

Result<void> YamuxSession::on_stream_frame(const YamuxHeader& header) {
  const bool is_data = header.type == YamuxType::data;
  if (is_data && header.length > most_body()) return breach("body too long", header.stream);
  if (is_data) body_ = {0, header.length, false};  // drained, unless a stream takes it
  if (header.has(yamux_flag::kRst)) {
    on_rst(header);
    return {};
  }
  if (header.has(yamux_flag::kSyn)) {
    RETURN_IF_ERROR(judge_syn(header));
    if (!accept(header.stream)) return {};
  }
  if (header.has(yamux_flag::kAck)) on_ack(header.stream);
  return is_data ? on_data(header) : on_credit(header);
}

// What a stream that is gone may still get: its window was no larger.
std::uint32_t YamuxSession::most_body() const {
  return std::max<std::uint32_t>(config_.max_window, kYamuxInitialWindow);
}

Result<void> YamuxSession::judge_syn(const YamuxHeader& header) {
  const bool odd = header.stream % 2 == 1;
  if (odd == (role_ == Role::initiator)) return breach("SYN with our parity", header.stream);
  const std::uint32_t most = header.type == YamuxType::data
                                 ? kYamuxInitialWindow
                                 : std::numeric_limits<std::uint32_t>::max() - kYamuxInitialWindow;
  if (header.length > most) return breach("SYN with too much data or credit", header.stream);
  const YamuxStream* old = find(header.stream);
  if (old != nullptr && !old->deaf()) return breach("SYN on a live stream", header.stream);
  return {};
}

// False: refused, which costs the peer this stream alone.
bool YamuxSession::accept(StreamId id) {
  const bool full = unaccepted_ >= config_.max_unaccepted || streams_.size() >= config_.max_streams;
  if (full || find(id) != nullptr) {
    queue_reset(id, stream_code::kResourceLimit);
    return false;
  }
  raise(add(id, false), yamux_event::kOpened);
  return true;
}

void YamuxSession::on_ack(StreamId id) {
  YamuxStream* stream = find(id);
  if (stream == nullptr || !stream->ours || stream->acked) return;
  stream->acked = true;
  --unacked_;
}

// The length is the code on a window update, a body's on data. A stream that both sides have
// finished has nothing left to lose.
void YamuxSession::on_rst(const YamuxHeader& header) {
  YamuxStream* stream = find(header.stream);
  if (stream == nullptr || stream->deaf()) return;
  die(*stream, header.type == YamuxType::window_update ? header.length : 0);
}

Result<void> YamuxSession::on_data(const YamuxHeader& header) {
  YamuxStream* stream = find(header.stream);
  if (stream == nullptr || stream->deaf() || stream->released) return {};
  if (header.length > stream->window.left()) return breach("data beyond the window", header.stream);
  if (header.length > 0 && stream->receiving != YamuxStream::Half::open) {
    kill(*stream, stream_code::kProtocolViolation);
  } else if (header.length + bytes_received_ > config_.receive_memory) {
    kill(*stream, stream_code::kResourceLimit);
  } else {
    body_ = {header.stream, header.length, header.has(yamux_flag::kFin)};
  }
  return {};
}

Result<void> YamuxSession::on_credit(const YamuxHeader& header) {
  YamuxStream* stream = find(header.stream);
  if (stream == nullptr || stream->deaf()) return {};
  if (!stream->add_credit(header.length)) return breach("credit beyond 2^32-1", header.stream);
  offer_room(*stream);
  if (header.has(yamux_flag::kFin)) on_fin(header.stream);
  return {};
}

void YamuxSession::on_fin(StreamId id) {
  YamuxStream* stream = find(id);
  if (stream == nullptr || stream->dead || stream->receiving != YamuxStream::Half::open) return;
  stream->receiving = YamuxStream::Half::ending;
  stream->owes_credit = 0;  // of no use any more
  if (stream->received.empty()) raise(*stream, yamux_event::kFinished);
}

}  // namespace kadmesh
