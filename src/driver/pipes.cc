#include "driver/pipes.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

namespace kadmesh {

using asio::ip::tcp;

Endpoint to_endpoint(const tcp::endpoint& endpoint) {
  Endpoint out;
  out.port = endpoint.port();
  out.v6 = endpoint.address().is_v6();
  if (out.v6) {
    out.host = endpoint.address().to_v6().to_bytes();
  } else {
    std::ranges::copy(endpoint.address().to_v4().to_bytes(), out.host.begin());
  }
  return out;
}

tcp::endpoint to_asio(const Endpoint& endpoint) {
  if (endpoint.v6) return {asio::ip::address_v6(endpoint.host), endpoint.port};
  asio::ip::address_v4::bytes_type v4;
  std::copy_n(endpoint.host.begin(), v4.size(), v4.begin());
  return {asio::ip::address_v4(v4), endpoint.port};
}

Error to_error(const asio::error_code& error) {
  if (error == asio::error::eof) return {Errc::closed, "the other side closed the connection"};
  if (error == asio::error::connection_reset) return {Errc::reset, "reset by the other side"};
  if (error == asio::error::connection_refused)
    return {Errc::refused, "nobody listens there (connection refused)"};
  if (error == asio::error::timed_out) return {Errc::timeout, "no answer from that address"};
  if (error == asio::error::host_unreachable || error == asio::error::network_unreachable)
    return {Errc::unreachable, error.message()};
  return {Errc::io, error.message()};
}

struct Pipes::Pipe {
  Pipe(ConnId which, tcp::socket with) : id(which), socket(std::move(with)) {}

  ConnId id;
  tcp::socket socket;
  std::deque<Bytes> waiting;  // bounded by the node's write credit
  std::vector<Bytes> flying;
  bool wanted = true;  // its bytes, by the node
  bool awaiting = false;
  bool heard = false;    // bytes were read, and nothing was written since
  bool closing = false;  // the node has let go; only the flush is left
  std::unique_ptr<asio::steady_timer> flush_deadline;
};

Pipes::Pipes(asio::any_io_executor loop, Events events)
    : loop_(std::move(loop)), events_(std::move(events)), buffer_(kReadBuffer) {}

// Handlers still to come see `closing` and touch nothing else. No timer keeps the loop busy.
Pipes::~Pipes() {
  for (const auto& [id, pipe] : open_) {
    pipe->closing = true;
    pipe->flush_deadline.reset();
    asio::error_code ignored;
    pipe->socket.close(ignored);
  }
}

void Pipes::dial(ConnId id, const Endpoint& to) {
  auto pipe = std::make_shared<Pipe>(id, tcp::socket(loop_));
  open_.emplace(id, pipe);
  pipe->socket.async_connect(to_asio(to), [this, pipe](const asio::error_code& error) {
    if (pipe->closing) return;
    asio::error_code lost;
    const auto local = pipe->socket.local_endpoint(lost);
    if (error || lost) {
      forget(pipe->id);
      return events_.dial_failed(pipe->id, to_error(error ? error : lost));
    }
    start(pipe);
    events_.dialed(pipe->id, to_endpoint(local));
  });
}

void Pipes::adopt(ConnId id, tcp::socket socket) {
  auto pipe = std::make_shared<Pipe>(id, std::move(socket));
  open_.emplace(id, pipe);
  start(pipe);
}

void Pipes::start(const std::shared_ptr<Pipe>& pipe) {
  asio::error_code ignored;
  pipe->socket.set_option(tcp::no_delay(true), ignored);
  pipe->socket.non_blocking(true, ignored);
  await_bytes(pipe);
}

void Pipes::await_bytes(const std::shared_ptr<Pipe>& pipe) {
  if (!pipe->wanted || std::exchange(pipe->awaiting, true)) return;
  pipe->socket.async_wait(tcp::socket::wait_read,
                          [this, pipe](const asio::error_code& error) { on_awaited(pipe, error); });
}

void Pipes::on_awaited(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error) {
  if (pipe->closing || !pipe->socket.is_open()) return;
  pipe->awaiting = false;
  if (error) return broken(pipe, error);
  if (pipe->wanted) read(pipe);
}

void Pipes::read(const std::shared_ptr<Pipe>& pipe) {
  asio::error_code error;
  const std::size_t count = pipe->socket.read_some(asio::buffer(buffer_), error);
  pipe->heard = count > 0;
  if (count > 0) events_.bytes(pipe->id, ByteView(buffer_).first(count));
  if (pipe->closing || !pipe->socket.is_open()) return;
  if (error && error != asio::error::would_block) return broken(pipe, error);
  if (count < buffer_.size()) return await_bytes(pipe);
  if (!pipe->wanted || std::exchange(pipe->awaiting, true)) return;
  asio::post(loop_, [this, pipe] { on_awaited(pipe, {}); });
}

void Pipes::read(ConnId id, bool wanted) {
  const auto at = open_.find(id);
  if (at == open_.end() || at->second->closing) return;
  at->second->wanted = wanted;
  await_bytes(at->second);
}

std::size_t Pipes::write(ConnId id, Bytes bytes) {
  const auto at = open_.find(id);
  if (at == open_.end() || at->second->closing) return 0;
  Pipe& pipe = *at->second;
  const std::size_t taken = answer(pipe, bytes);
  if (taken == bytes.size()) return taken;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  pipe.waiting.push_back(std::move(bytes));
  if (pipe.flying.empty()) flush(at->second);
  return taken;
}

// A pipe that is broken says so when the rest is flushed.
std::size_t Pipes::answer(Pipe& pipe, ByteView bytes) {
  const bool first = pipe.flying.empty() && pipe.waiting.empty();
  if (!std::exchange(pipe.heard, false) || !first) return 0;
  asio::error_code error;
  const std::size_t taken = pipe.socket.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  return error ? 0 : taken;
}

void Pipes::flush(const std::shared_ptr<Pipe>& pipe) {
  std::vector<asio::const_buffer> buffers;
  while (!pipe->waiting.empty()) {
    pipe->flying.push_back(std::move(pipe->waiting.front()));
    pipe->waiting.pop_front();
  }
  for (const Bytes& bytes : pipe->flying) buffers.emplace_back(bytes.data(), bytes.size());
  asio::async_write(pipe->socket, buffers,
                    [this, pipe](const asio::error_code& error, std::size_t count) {
                      on_flushed(pipe, error, count);
                    });
}

void Pipes::on_flushed(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error,
                       std::size_t count) {
  if (!pipe->socket.is_open()) return;
  pipe->flying.clear();
  if (error) return pipe->closing ? shut(pipe) : broken(pipe, error);
  if (!pipe->closing) events_.written(pipe->id, count);
  if (!pipe->socket.is_open() || !pipe->flying.empty()) return;
  if (!pipe->waiting.empty()) return flush(pipe);
  if (pipe->closing) shut(pipe);
}

void Pipes::close(ConnId id, bool abort) {
  const auto at = open_.find(id);
  if (at == open_.end() || at->second->closing) return;
  const auto pipe = at->second;
  pipe->closing = true;
  if (abort || (pipe->flying.empty() && pipe->waiting.empty())) return shut(pipe);
  pipe->flush_deadline = std::make_unique<asio::steady_timer>(loop_, kFlushTimeout);
  pipe->flush_deadline->async_wait([this, pipe](const asio::error_code& error) {
    if (error) return;
    ++dropped_;
    shut(pipe);
  });
}

void Pipes::broken(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error) {
  shut(pipe);
  events_.closed(pipe->id, to_error(error));
}

void Pipes::shut(const std::shared_ptr<Pipe>& pipe) {
  if (!pipe->socket.is_open()) return;
  asio::error_code ignored;
  pipe->flush_deadline.reset();
  pipe->socket.close(ignored);
  forget(pipe->id);
}

void Pipes::forget(ConnId id) {
  open_.erase(id);
  events_.gone();
}

}  // namespace kadmesh
