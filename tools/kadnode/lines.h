// Commands from a pipe or a file, a line each; answers and events to standard output. Commands run
// one after the other, and the next is read only once the answer before it has left: a script that
// says `connect` and then `put` means that order.
#pragma once

#include <cstdint>
#include <functional>

#include "kadnode/line_buffer.h"
#include "kadnode/output.h"
#include "kadnode/readiness.h"
#include "kadnode/session.h"

namespace kadmesh::kadnode {

class Lines {
 public:
  static constexpr std::size_t kMostLine = 4 * 1024 * 1024;  // a message of 1 MiB in hexadecimal

  struct Config {
    bool json = false;
    bool stay = false;  // at the end of the input
    Duration limit{};   // of a command
    int in = 0;         // stays the caller's
  };

  // Calls `leave` once: at `quit`, or at the end of the input when every command is answered.
  Lines(asio::io_context& loop, Output& output, Config config, std::function<void()> leave);

  // `session` outlives the use that is made of it: until it is closed.
  void start(Session& session);
  void on_event(const Event& event);
  // Reads no more. A command that runs is still answered.
  void stop();

 private:
  void next();
  bool may_take() const;
  void await_input();
  void read();
  void take(const std::string& line);
  void refuse(std::string_view command, Error error);
  void answer(std::string_view command, Result<Answer> answer);
  void end();

  Output& output_;
  const Config config_;
  std::function<void()> leave_;
  Session* session_ = nullptr;
  Readiness readable_;
  LineBuffer lines_{kMostLine};
  std::uint64_t seq_ = 0;
  std::size_t dropped_ = 0;
  bool busy_ = false;   // a command runs
  bool ended_ = false;  // no more input is wanted, or there is none
};

}  // namespace kadmesh::kadnode
