// One io_context and what the driver's tests do with it: run until something has come true.
#pragma once

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <vector>

#include "driver/host.h"

namespace kadmesh {

inline constexpr std::chrono::seconds kPatience{20};  // of a test; nothing waits as long

class Loop {
 public:
  // False when patience ran out.
  template <class Condition>
  bool run_until(Condition met) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    io.restart();
    while (!met() && std::chrono::steady_clock::now() < end)
      if (io.run_one_for(std::chrono::milliseconds(50)) == 0) io.restart();
    return met();
  }
  // All that is ready now, and what that makes ready.
  void run_ready() {
    io.restart();
    io.poll();
  }

  asio::io_context io;
};

inline Multiaddr loopback(std::uint16_t port = 0) {
  return *Multiaddr::from_text("/ip4/127.0.0.1/tcp/" + std::to_string(port));
}

inline asio::ip::tcp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

}  // namespace kadmesh
