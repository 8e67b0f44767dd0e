// usage: subscribers ADDR [COUNT] [TOPICS]
// COUNT hosts, each with an identity of its own, connect to one peer. Says how many are identified;
// after the next line of input each subscribes to TOPICS topics, t-0, t-1 ..., and they stay until
// the input ends. Says how often a host has the peer in a mesh, and in the end how many were
// disconnected.
#include <sys/resource.h>

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read.hpp>
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

// Of another DHT than the peer: it is asked nothing.
HostConfig member() {
  HostConfig config;
  config.node.kad.mode = KadMode::client;
  config.node.kad.protocol = "/subscribers/kad/1.0.0";
  config.node.swarm.idle_timeout = 5min;
  return config;
}

class Subscribers {
 public:
  explicit Subscribers(std::string to) : to_(std::move(to)) {}

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

  // Until the next byte of input, or its end.
  void stay() {
    bool over = false;
    std::array<char, 1> byte{};
    asio::async_read(input_, asio::buffer(byte),
                     [&](asio::error_code, std::size_t) { over = true; });
    run_until(loop_, [&] { return over; });
  }

  void subscribe(std::size_t topics) {
    for (const auto& host : hosts_)
      for (std::size_t n = 0; n < topics; ++n)
        if (!host->subscribe("t-" + std::to_string(n), [](const GossipDeliver&) {}))
          give_up("a topic is refused");
  }

  double in_mesh() const {
    std::size_t count = 0;
    for (const auto& host : hosts_)
      for (const TopicView& topic : host->node().gossip().topics()) count += topic.mesh.size();
    return static_cast<double>(count);
  }
  double identified() const { return static_cast<double>(identified_); }
  double left() const { return static_cast<double>(left_); }

 private:
  const std::string to_;
  asio::io_context loop_{1};
  asio::posix::stream_descriptor input_{loop_, STDIN_FILENO};
  std::vector<std::unique_ptr<Host>> hosts_;
  std::size_t identified_ = 0;
  std::size_t left_ = 0;
};

int run(const std::string& to, std::size_t count, std::size_t topics) {
  raise_limits();
  Subscribers all(to);
  for (std::size_t i = 0; i < count; ++i) all.join();
  print({{"identified", all.identified()}});
  all.stay();
  all.subscribe(topics);
  all.stay();
  print({{"in_mesh", all.in_mesh()}, {"left", all.left()}});
  std::_Exit(0);
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using kadmesh::bench::argument;
  if (argc < 2) kadmesh::bench::give_up("usage: subscribers ADDR [COUNT] [TOPICS]");
  return kadmesh::bench::run(argv[1], argument(argc, argv, 2, 100), argument(argc, argv, 3, 100));
}
