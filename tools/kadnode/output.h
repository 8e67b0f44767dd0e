// Lines to a descriptor that may be read slowly or not at all: a reader that sleeps must not stop
// the node. What does not fit waits, up to kMostWaiting bytes; beyond it events are dropped and
// counted, answers never are (a command is read only once the answer before it is out). When nobody
// can read it any more, or a disk is full, all is lost from then on.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "kadnode/readiness.h"

namespace kadmesh::kadnode {

class Output {
 public:
  static constexpr std::size_t kMostWaiting = 8 * 1024 * 1024;

  // `fd` stays the caller's.
  Output(asio::io_context& loop, int fd);

  // A newline is added. False: there was no room, and the line is gone.
  bool event(std::string line);
  void answer(std::string line);
  bool empty() const { return waiting_.empty(); }
  // Called whenever the last waiting line has left.
  void on_empty(std::function<void()> call) { on_empty_ = std::move(call); }
  // Called once, from the loop, when it cannot be written any more.
  void on_broken(std::function<void()> call) { on_broken_ = std::move(call); }
  // Why it cannot: Errc::io.
  const std::optional<Error>& failure() const { return failure_; }
  // Blocks until all is out, or so long.
  void flush(Duration limit);

 private:
  void add(std::string line);
  void write_some();
  void arm();
  bool ready(Duration within) const;
  bool write_piece();
  void break_off(int error);

  asio::io_context& loop_;
  int fd_;
  Readiness writable_;
  std::deque<std::string> waiting_;
  std::size_t bytes_ = 0;    // in waiting_
  std::size_t written_ = 0;  // of the first line
  bool armed_ = false;
  std::optional<Error> failure_;
  std::function<void()> on_empty_;
  std::function<void()> on_broken_;
};

}  // namespace kadmesh::kadnode
