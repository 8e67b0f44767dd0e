// Hosts on 127.0.0.1 that share one loop.
#pragma once

#include <optional>
#include <utility>

#include "driver/host.h"
#include "driver/loop.h"

namespace kadmesh {

class Hosts : public Loop {
 public:
  std::unique_ptr<Host> host(HostConfig config = {}) {
    config.listen = {loopback()};
    auto made = Host::create(io, std::move(config));
    REQUIRE(made);
    return *std::move(made);
  }

  // Runs one operation, `start(token)`, to its end.
  template <class T, class Start>
  Result<T> run(Start start) {
    std::optional<Result<T>> result;
    start([&](Result<T> got) { result = std::move(got); });
    REQUIRE(run_until([&] { return result.has_value(); }));
    return *std::move(result);
  }
  Result<ConnectReport> connect(Host& from, Host& to) {
    return run<ConnectReport>([&](auto token) { from.async_connect(to.addrs().front(), token); });
  }
  Result<Stream> open(Host& from, Host& to, const std::string& protocol) {
    return run<Stream>(
        [&](auto token) { from.async_open_stream(to.id(), protocol, std::move(token)); });
  }
};

// A socket that listens and never answers.
class Silent {
 public:
  explicit Silent(asio::io_context& io) : acceptor_(io, any_port()) {}
  Multiaddr addr() const { return loopback(acceptor_.local_endpoint().port()); }

 private:
  asio::ip::tcp::acceptor acceptor_;
};

}  // namespace kadmesh
