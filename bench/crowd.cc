// usage: crowd ADDR [COUNT]
// COUNT hosts, each with an identity of its own, connect to one peer and stay until the input ends.
// Says how many are identified, and at the end how many still are connected.
#include <sys/resource.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <vector>

#include "loop_host.h"

namespace kadmesh::bench {
namespace {

// A host has a thread for its store, and a socket.
void raise_limits() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// Members of another DHT, who ask the peer nothing while they stay: it is to be idle.
HostConfig member() {
  HostConfig config;
  config.node.kad.protocol = "/crowd/kad/1.0.0";
  return config;
}

class Crowd {
 public:
  explicit Crowd(std::string to) : to_(std::move(to)) {}

  void join() {
    const auto& host = hosts_.emplace_back(make_host(loop_, member()));
    host->observe([this](const Report& report) {
      const auto* told = std::get_if<PeerIdentified>(&report);
      if (told && !told->pushed) ++identified_;
      if (std::holds_alternative<PeerDisconnected>(report)) ++left_;
    });
    connect(loop_, *host, to_);
    run_until(loop_, [this] { return identified_ + left_ >= hosts_.size(); });
  }

  void stay() {
    asio::posix::stream_descriptor input(loop_, STDIN_FILENO);
    input.async_wait(asio::posix::stream_descriptor::wait_read,
                     [&](asio::error_code) { loop_.stop(); });
    loop_.run();
  }

  double identified() const { return static_cast<double>(identified_); }
  double left() const { return static_cast<double>(left_); }

 private:
  const std::string to_;
  asio::io_context loop_{1};
  std::vector<std::unique_ptr<Host>> hosts_;
  std::size_t identified_ = 0;
  std::size_t left_ = 0;
};

int run(const std::string& to, std::size_t count) {
  raise_limits();
  Crowd crowd(to);
  for (std::size_t i = 0; i < count; ++i) crowd.join();
  print({{"identified", crowd.identified()}});
  crowd.stay();
  print({{"left", crowd.left()}});
  std::_Exit(0);  // a thousand goodbyes would measure nothing
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  if (argc < 2) kadmesh::bench::give_up("usage: crowd ADDR [COUNT]");
  return kadmesh::bench::run(argv[1], kadmesh::bench::argument(argc, argv, 2, 1000));
}
