// A socket at which Prometheus scrapes a node: HTTP/1.0, `GET /metrics`, one answer a connection.
//
// Nothing here keeps the loop from its work. The text is made at once, when the request is there;
// it leaves kSlice bytes at a time, as the reader takes them. kMostClients are served at a time,
// one more is turned away; each has kPatience for all of it, a reader that sleeps as well as one
// that asks for nothing. Whoever can connect can read: listen on loopback, or on a network that you
// trust.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/multiaddr.h"
#include "base/result.h"
#include "base/time.h"

namespace asio {
class io_context;
}

namespace kadmesh {

class MetricsListener {
 public:
  static constexpr std::size_t kMostClients = 4;
  static constexpr std::size_t kMostRequest = 4096;
  static constexpr std::size_t kSlice = 16 * 1024;
  static constexpr Duration kPatience = 5s;

  // `text` makes what /metrics answers, on the loop. Errc::io when the socket says no. `loop`
  // outlives the listener.
  static Result<std::unique_ptr<MetricsListener>> open(asio::io_context& loop, const Endpoint& at,
                                                       std::function<std::string()> text,
                                                       Duration patience = kPatience);
  // Ends every client; `text` is called no more.
  ~MetricsListener();

  Endpoint at() const;  // with the real port
  std::size_t clients() const;

 private:
  struct State;
  explicit MetricsListener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace kadmesh
