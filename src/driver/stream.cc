#include "driver/stream.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "driver/stream_state.h"

namespace kadmesh {

// --- the host's half

void Stream::State::on_event(const StreamEvent& event) {
  if (std::holds_alternative<StreamReadable>(event)) try_read();
  if (std::holds_alternative<StreamWritable>(event)) try_write();
  if (std::holds_alternative<StreamFinished>(event)) {
    read_end_ = asio::error::eof;
    try_read();
  }
  if (std::holds_alternative<StreamReset>(event)) end(asio::error::connection_reset);
}

void Stream::State::orphan() {
  driver = nullptr;
  end(asio::error::operation_aborted);
}

void Stream::State::end(asio::error_code why) {
  if (!read_end_) read_end_ = why;
  write_end_ = why;
  try_read();
  try_write();
}

void Stream::State::read(asio::mutable_buffer into, Done done) {
  KAD_CHECK(!reading_);
  reading_.emplace(into, std::move(done));
  try_read();
}

// The read leaves its place before the node hears that bytes were consumed: the end of the stream
// may be reported within that turn.
void Stream::State::try_read() {
  if (!reading_) return;
  const ByteView bytes = driver ? driver->node().readable(key) : ByteView();
  const std::size_t count = std::min(bytes.size(), reading_->into.size());
  if (count == 0 && !read_end_ && reading_->into.size() > 0) return;
  Read read = std::move(*reading_);
  reading_.reset();
  if (count == 0) return read.done(read.into.size() == 0 ? asio::error_code() : read_end_, 0);
  std::memcpy(read.into.data(), bytes.data(), count);
  driver->turn(input::Consumed{key, count});
  read.done({}, count);
}

void Stream::State::write(asio::const_buffer from, Done done) {
  KAD_CHECK(!writing_);
  writing_.emplace(from, std::move(done));
  try_write();
}

void Stream::State::try_write() {
  if (!writing_) return;
  Write write = std::move(*writing_);
  writing_.reset();
  if (write_end_ || !driver) return write.done(write_end_, 0);
  const ByteView bytes(static_cast<const std::uint8_t*>(write.from.data()), write.from.size());
  const std::size_t count = driver->turn(input::Write{key, bytes});
  if (count > 0 || bytes.empty()) return write.done({}, count);
  if (write_end_) return write.done(write_end_, 0);  // it ended within that turn
  writing_.emplace(std::move(write));
}

void Stream::State::abort_read() {
  if (auto read = std::exchange(reading_, std::nullopt))
    read->done(asio::error::operation_aborted, 0);
}

void Stream::State::abort_write() {
  if (auto write = std::exchange(writing_, std::nullopt))
    write->done(asio::error::operation_aborted, 0);
}

void Stream::State::finish() {
  write_end_ = asio::error::shut_down;
  if (driver) driver->turn(input::Finish{key});
}

void Stream::State::reset(std::uint32_t code) {
  if (driver) driver->turn(input::Reset{key, code});
  end(asio::error::operation_aborted);
}

void Stream::State::release() {
  abort_read();
  abort_write();
  if (driver) driver->turn(input::Release{key});
}

// --- the user's half

Stream& Stream::operator=(Stream&& other) noexcept {
  if (state_ && state_ != other.state_) state_->release();
  state_ = std::move(other.state_);
  return *this;
}

Stream::~Stream() {
  if (state_) state_->release();
}

Stream::executor_type Stream::get_executor() const { return state_->executor; }
const PeerId& Stream::peer() const { return state_->peer; }
std::string_view Stream::protocol() const { return state_->protocol; }
void Stream::finish() { state_->finish(); }
void Stream::reset(std::uint32_t code) { state_->reset(code); }

void Stream::start_read(asio::mutable_buffer into, Done done, Slot slot) {
  if (slot.is_connected())
    slot.assign([weak = std::weak_ptr(state_)](asio::cancellation_type) {
      if (const auto state = weak.lock()) state->abort_read();
    });
  state_->read(into, std::move(done));
}

void Stream::start_write(asio::const_buffer from, Done done, Slot slot) {
  if (slot.is_connected())
    slot.assign([weak = std::weak_ptr(state_)](asio::cancellation_type) {
      if (const auto state = weak.lock()) state->abort_write();
    });
  state_->write(from, std::move(done));
}

}  // namespace kadmesh
