// The Asio driver: carries bytes, time and storage between one Node and the machine. One thread
// runs it; it holds no protocol state. It drives the node by values alone, and can record them.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "driver/listeners.h"
#include "driver/pipes.h"
#include "driver/storage.h"
#include "replay/recorded_node.h"

namespace kadmesh {

class Driver {
 public:
  // Reports run from the loop while no node call is on the stack, so that they may call back in.
  using OnReport = std::function<void(Report)>;
  struct Unheard {
    void operator()(const auto&) const {}
  };

  Driver(asio::io_context& loop, const KeyPair& identity, NodeConfig config,
         std::unique_ptr<Store> store, OnReport on_report,
         std::optional<Recorder> recorder = std::nullopt);
  ~Driver();

  // Waits until what was written has left, shuts the node down, and waits for its connections to
  // close: each for no longer than Pipes::kFlushTimeout. `done` runs from the loop, once, and is
  // told whether peers took everything.
  void shutdown(std::function<void(bool all_taken)> done);

  // Runs one input or command (node/input.h) against the node, then everything that it set off.
  // `then` sees the answer before that.
  template <class Input, class Then = Unheard>
  auto turn(Input input, Then then = {}) {
    struct Settle {
      Driver& driver;
      ~Settle() { driver.settle(); }
    } settle{*this};
    if constexpr (requires { then(node_.apply(now(), std::move(input))); }) {
      auto answer = node_.apply(now(), std::move(input));
      then(answer);
      return answer;
    } else {
      node_.apply(now(), std::move(input));
    }
  }

  const Node& node() const { return *node_; }
  Now now() const;
  // Secrets of every new connection, a line each, to this file; none by default. Owned by the
  // caller.
  void set_keylog(std::FILE* file) { keylog_ = file; }
  const Storage& storage() const { return storage_; }
  asio::io_context& loop() { return loop_; }

 private:
  void settle();
  void tell_trouble();
  void perform(NodeAction action);
  void write(WritePipe action);
  void listen(const ListenPipe& action);
  void accepted(asio::ip::tcp::socket socket);
  void log_key(const KeyLogLine& line);
  void arm_timer();
  void on_pipe_gone();
  void on_written(ConnId id, std::size_t count);
  void close_node();
  Pipes::Events pipe_events();

  asio::io_context& loop_;
  RecordedNode node_;
  OnReport on_report_;
  Pipes pipes_;
  Listeners listeners_;
  Storage storage_;
  asio::steady_timer timer_;
  Time armed_ = kNever;
  std::FILE* keylog_ = nullptr;
  bool settling_ = false;
  enum class Leaving : std::uint8_t { no, draining, closing };
  Leaving leaving_ = Leaving::no;
  bool all_taken_ = true;
  std::function<void(bool)> on_gone_;
  asio::steady_timer drain_deadline_;
  std::shared_ptr<Driver*> alive_;  // what the loop still holds of ours finds it expired
};

}  // namespace kadmesh
