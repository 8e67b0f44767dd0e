// usage: packets [PACKETS]
// CPU per packet that the simulated network delivers: 1,000 hosts with twenty connections each, on
// every one of which a packet of 100 bytes goes back and forth in either direction; latencies and
// jitter drawn, what was written reported. Nodes there are none.
#include "measure.h"
#include "sim/network.h"

namespace kadmesh::bench {
namespace {

constexpr std::size_t kHosts = 1000, kDials = 10, kSize = 100;
constexpr std::uint16_t kPort = 4001;

class Echoes final : public NetworkUser {
 public:
  Echoes() : network_(1, link(), {}, calendar_, *this) {
    for (std::size_t i = 0; i < kHosts; ++i) network_.listen(network_.add_host(), kPort);
    Luck luck(1);
    for (HostId from = 0; from < kHosts; ++from)
      for (std::size_t i = 0; i < kDials; ++i)
        dial(from, static_cast<HostId>((from + 1 + luck.below(kHosts - 1)) % kHosts));
  }

  void run(std::size_t packets) {
    const std::uint64_t end = network_.segments() + packets;
    while (network_.segments() < end) network_.handle(*calendar_.pop(kNever));
  }

  bool awake(HostId) const override { return true; }
  void dialed(HostId, SocketToken token, const Endpoint&) override { say(token); }
  void dial_failed(HostId, SocketToken, const Error& cause) override { give_up(cause.detail); }
  void accepted(HostId, SocketId socket, const Endpoint&, const Endpoint&) override {
    network_.adopt(socket, sockets_.size());
    sockets_.push_back(socket);
    say(sockets_.size() - 1);
  }
  void bytes(HostId, SocketToken token, ByteView, std::uint64_t) override { say(token); }
  void written(HostId, SocketToken, std::size_t) override {}
  void closed(HostId, SocketToken, const Error& cause) override { give_up(cause.detail); }
  void renumbered(HostId, SocketToken, SocketId) override {}

 private:
  static LinkConfig link() {
    LinkConfig link;
    link.latency = PairLatency{Uniform{10ms, 90ms}};
    link.jitter = 5ms;
    return link;
  }
  void dial(HostId from, HostId to) {
    const std::size_t token = sockets_.size();
    sockets_.emplace_back();
    sockets_[token] = network_.dial(from, token, network_.address(to, kPort));
  }
  void say(SocketToken token) { network_.write(sockets_[token], Bytes(kSize)); }

  Calendar calendar_;
  Network network_;
  std::vector<SocketId> sockets_;
};

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  const std::size_t packets = argument(argc, argv, 1, 3'000'000);
  Echoes echoes;
  echoes.run(packets / 4);
  const double start = cpu_seconds();
  echoes.run(packets);
  print({{"packet_ns", (cpu_seconds() - start) * 1e9 / static_cast<double>(packets)}});
}
