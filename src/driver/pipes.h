// TCP connections under their node's ids: one read loop and one write at a time each.
//
// Reading takes no memory of a connection: all share one buffer. Everything that a turn writes to a
// connection leaves in one system call.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/multiaddr.h"
#include "transport/peer_link.h"

namespace kadmesh {

Endpoint to_endpoint(const asio::ip::tcp::endpoint& endpoint);
asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint);
Error to_error(const asio::error_code& error);

class Pipes {
 public:
  // Bytes read from one connection before others, and whoever consumes the bytes, get their turn.
  // About one Noise message: a reader that keeps pace finds them in the processor's cache. Four
  // times as much costs a bulk transfer a third of its speed.
  static constexpr std::size_t kReadBuffer = std::size_t{64} * 1024;
  // A connection that is closing may take so long to write what it has left.
  static constexpr Duration kFlushTimeout = 5s;

  // All run from the loop, never inside a call of Pipes.
  struct Events {
    std::function<void(ConnId, const Endpoint& local)> dialed;
    std::function<void(ConnId, const Error&)> dial_failed;
    std::function<void(ConnId, ByteView)> bytes;
    std::function<void(ConnId, std::size_t)> written;
    std::function<void(ConnId, const Error&)> closed;  // by the other side, or broken
    std::function<void()> gone;                        // one of them; its descriptor is free
  };

  Pipes(asio::any_io_executor loop, Events events);
  ~Pipes();

  void dial(ConnId id, const Endpoint& to);
  void adopt(ConnId id, asio::ip::tcp::socket socket);
  // How many of the bytes the kernel took at once, which it does with what answers the bytes just
  // read; the others are reported by Events::written. Once for what was read: who answers its own
  // writing must not keep the loop.
  std::size_t write(ConnId id, Bytes bytes);
  // Bytes are left in the kernel while not wanted; they are from the start.
  void read(ConnId id, bool wanted);
  // No event names `id` any more. What was written before is flushed first, unless `abort`.
  void close(ConnId id, bool abort);
  // Those included that have something left to flush.
  std::size_t size() const { return open_.size(); }
  // Connections that were closed with bytes which the other side had not taken by the deadline.
  std::size_t dropped() const { return dropped_; }

 private:
  struct Pipe;
  void start(const std::shared_ptr<Pipe>& pipe);
  void await_bytes(const std::shared_ptr<Pipe>& pipe);
  void on_awaited(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error);
  void read(const std::shared_ptr<Pipe>& pipe);
  std::size_t answer(Pipe& pipe, ByteView bytes);
  void flush(const std::shared_ptr<Pipe>& pipe);
  void on_flushed(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error,
                  std::size_t count);
  void broken(const std::shared_ptr<Pipe>& pipe, const asio::error_code& error);
  void shut(const std::shared_ptr<Pipe>& pipe);
  void forget(ConnId id);

  asio::any_io_executor loop_;
  Events events_;
  std::map<ConnId, std::shared_ptr<Pipe>> open_;
  Bytes buffer_;
  std::size_t dropped_ = 0;
};

}  // namespace kadmesh
