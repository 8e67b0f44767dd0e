// Commands from a terminal: edited with libedit, kept in a history file, completed with Tab. Events
// appear above the line that is being typed.
//
//   prompting --a line--> running --answered--> prompting         Ctrl-D on an empty line leaves
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "kadnode/readiness.h"
#include "kadnode/session.h"

namespace kadmesh::kadnode {

class Shell {
 public:
  // Calls `leave` once.
  Shell(asio::io_context& loop, std::filesystem::path history, Duration limit,
        std::function<void()> leave);
  // Gives the terminal back as it was.
  ~Shell();

  // `session` outlives the use that is made of it: until it is closed.
  void start(Session& session);
  void on_event(const Event& event);
  // Above the line that is typed.
  void show(const std::string& line);
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh::kadnode
