// Lines to a descriptor that may be read slowly or not at all: a reader that sleeps must not stop
// the node. What does not fit waits, up to kMostWaiting bytes; beyond it events are dropped and
// counted, answers never are (a command is read only once the answer before it is out).
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

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
  // Blocks until all is out, or so long.
  void flush(Duration limit);

 private:
  void add(std::string line);
  void write_some();
  void arm();
  bool ready(Duration within) const;
  bool write_piece();

  int fd_;
  Readiness writable_;
  std::deque<std::string> waiting_;
  std::size_t bytes_ = 0;    // in waiting_
  std::size_t written_ = 0;  // of the first line
  bool armed_ = false;
  std::function<void()> on_empty_;
};

}  // namespace kadmesh::kadnode
