// A Host on the loopback interface, and waiting for what it reports.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "driver/host.h"
#include "measure.h"

namespace kadmesh::bench {

inline HostConfig listening() {
  HostConfig config;
  config.listen.push_back(*Multiaddr::from_text("/ip4/127.0.0.1/tcp/0"));
  return config;
}

// Neither identify nor ping: what is left is the way to an authenticated, muxed connection.
inline HostConfig bare(HostConfig config) {
  config.node.identify = false;
  config.node.ping = false;
  return config;
}

inline std::unique_ptr<Host> make_host(asio::io_context& loop, HostConfig config) {
  auto host = Host::create(loop, std::move(config));
  if (!host) give_up(to_string(host.error()));
  return *std::move(host);
}

template <class T>
T value(Result<T> result) {
  if (!result) give_up(to_string(result.error()));
  return *std::move(result);
}

inline void run_until(asio::io_context& loop, const auto& ready) {
  while (!ready()) loop.run_one();
}

// Starts an operation and runs the loop until its result is there.
template <class T>
T finish(asio::io_context& loop, const auto& start) {
  std::optional<Result<T>> result;
  start([&](Result<T> got) { result.emplace(std::move(got)); });
  run_until(loop, [&] { return result.has_value(); });
  return value(*std::move(result));
}

inline PeerId connect(asio::io_context& loop, Host& host, const std::string& addr) {
  return finish<ConnectReport>(
             loop,
             [&](auto done) { host.async_connect(*Multiaddr::from_text(addr), std::move(done)); })
      .peer;
}

}  // namespace kadmesh::bench
