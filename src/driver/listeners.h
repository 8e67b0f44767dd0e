// Listening sockets under their node's ids. A wildcard is told as the interfaces' real addresses,
// port 0 as the port that the kernel chose.
//
// At the descriptor limit accepting pauses until a descriptor is freed or kPause has gone by, and
// says so once; a loop that tried again at once would take a whole core and accept nobody.
#pragma once

#include <asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/multiaddr.h"
#include "node/report.h"

namespace kadmesh {

class Listeners {
 public:
  static constexpr Duration kPause = 1s;

  struct Events {
    std::function<void(asio::ip::tcp::socket)> accepted;
    std::function<void(Error)> trouble;
  };

  Listeners(asio::any_io_executor loop, Events events);
  ~Listeners();

  // The addresses it can be reached at.
  Result<std::vector<Multiaddr>> open(ListenId id, const Endpoint& at);
  void close(ListenId id);
  // A descriptor is free again: paused listeners go on.
  void resume();

 private:
  struct Listener;
  void accept(const std::shared_ptr<Listener>& listener);
  void pause(const std::shared_ptr<Listener>& listener, const asio::error_code& error);

  asio::any_io_executor loop_;
  Events events_;
  std::map<ListenId, std::shared_ptr<Listener>> open_;
};

// Up interfaces' addresses of one family, loopback included, link-local ones not.
std::vector<Endpoint> interface_addresses(bool v6);

}  // namespace kadmesh
