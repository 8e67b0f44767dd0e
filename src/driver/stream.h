// A stream of a user's protocol, as Asio models streams: AsyncReadStream and AsyncWriteStream, so
// that asio::async_read, async_write and coroutines work on it.
//
// At most one read and one write at a time; one more aborts. Errors are Asio's: error::eof after
// the other side's last byte, error::connection_reset, error::shut_down for a write after finish(),
// error::operation_aborted for what was cancelled, reset here, or left when the host went.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "transport/peer_link.h"

namespace kadmesh {

class Stream {
 public:
  using executor_type = asio::any_io_executor;
  using Done = std::move_only_function<void(asio::error_code, std::size_t)>;
  struct State;  // shared with the host

  explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept;
  // Releases it: a stream that both sides have finished ends quietly, any other is reset.
  ~Stream();

  executor_type get_executor() const;
  const PeerId& peer() const;
  std::string_view protocol() const;

  template <class MutableBuffers, class Token>
  auto async_read_some(const MutableBuffers& buffers, Token&& token) {
    return initiate(
        token,
        [this](const asio::mutable_buffer& buffer, Done done, auto slot) {
          start_read(buffer, std::move(done), slot);
        },
        first<asio::mutable_buffer>(buffers));
  }

  template <class ConstBuffers, class Token>
  auto async_write_some(const ConstBuffers& buffers, Token&& token) {
    return initiate(
        token,
        [this](const asio::const_buffer& buffer, Done done, auto slot) {
          start_write(buffer, std::move(done), slot);
        },
        first<asio::const_buffer>(buffers));
  }

  // We write no more; what was written is still delivered.
  void finish();
  // Ends both directions at once. `code` is the application's.
  void reset(std::uint32_t code = 0);

 private:
  using Slot = asio::cancellation_slot;
  void start_read(asio::mutable_buffer into, Done done, Slot slot);
  void start_write(asio::const_buffer from, Done done, Slot slot);

  // Reading or writing "some" may stop after the first buffer that holds anything.
  template <class Buffer, class Buffers>
  static Buffer first(const Buffers& buffers) {
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
         ++at)
      if (Buffer buffer(*at); buffer.size() > 0) return buffer;
    return {};
  }

  template <class Token, class Start, class Buffer>
  auto initiate(Token& token, Start start, Buffer buffer) {
    return asio::async_initiate<Token, void(asio::error_code, std::size_t)>(
        [executor = get_executor(), start, buffer](auto handler) {
          const auto slot = asio::get_associated_cancellation_slot(handler);
          auto to = asio::get_associated_executor(handler, executor);
          start(
              buffer,
              [handler = std::move(handler), to](asio::error_code error,
                                                 std::size_t count) mutable {
                asio::post(to, [handler = std::move(handler), error, count]() mutable {
                  std::move(handler)(error, count);
                });
              },
              slot);
        },
        token);
  }

  std::shared_ptr<State> state_;
};

}  // namespace kadmesh
