// Tells when a descriptor can be read or written, and leaves its flags alone. Standard input and
// output belong to others too: a terminal that Asio made non-blocking would stay so for the user's
// shell. It also takes what epoll does not: a regular file and /dev/null are always ready.
#pragma once

#include <functional>
#include <memory>

namespace asio {
class io_context;
}

namespace kadmesh::kadnode {

class Readiness {
 public:
  enum class For { reading, writing };

  // `fd` stays the caller's.
  Readiness(asio::io_context& loop, int fd, For purpose);
  ~Readiness();

  // Calls `on_ready` once, from the loop; not at all after cancel() or destruction.
  void wait(std::function<void()> on_ready);
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kadmesh::kadnode
