// A socket at which Prometheus scrapes a node: HTTP/1.0, `GET /metrics`, one answer a connection.
//
// Nothing here keeps the loop from its work. The text is made when it is asked for and older than
// kFresh, and all who ask meanwhile get the same: however often somebody asks, it is made once in
// kFresh. It leaves kSlice bytes at a time, as the reader takes them.
//
//   accepted --whole request--> answering --all taken--> gone
//      \-- kPatience, kMostRequest, or room is needed --/
//
// kMostClients are served at a time, each for kPatience at most. One more takes the place of the
// one that came first of those that have not yet sent a whole request, or else of the one that
// came first: clients that say nothing, or read nothing, keep nobody out.
//
// Whoever can connect can read: listen on loopback, or on a network that you trust. Web pages are
// kept from it (driver/http_request.h): a request whose Host is no IP address, nor localhost, nor
// one of MetricsOptions::names gets a 421.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/multiaddr.h"
#include "base/result.h"
#include "base/time.h"

namespace asio {
class io_context;
}

namespace kadmesh {

struct MetricsOptions {
  static constexpr Duration kPatience = 5s, kFresh = 1s;

  std::vector<std::string> names{};  // of this machine, by which it may be asked; without a port
  Duration patience = kPatience;     // for all of one client
  Duration fresh = kFresh;           // of a text
};

class MetricsListener {
 public:
  static constexpr std::size_t kMostClients = 16;
  static constexpr std::size_t kMostRequest = 4096;
  static constexpr std::size_t kSlice = 16 * 1024;

  // `text` makes what /metrics answers, on the loop. Errc::io when the socket says no. `loop`
  // outlives the listener.
  static Result<std::unique_ptr<MetricsListener>> open(asio::io_context& loop, const Endpoint& at,
                                                       std::function<std::string()> text,
                                                       MetricsOptions options = {});
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
