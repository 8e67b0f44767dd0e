// usage: connect [COUNT]
// Connections one after another: TCP, Noise, muxer, closed. CPU time of both sides, each.
#include "loop_host.h"

namespace kadmesh::bench {
namespace {

void serve(const OtherSide::Say& say) {
  asio::io_context loop(1);
  const auto host = make_host(loop, bare(listening()));
  say(host->addrs().front().text());
  loop.run();
}

class Dialer {
 public:
  explicit Dialer(std::string to) : to_(std::move(to)), host_(make_host(loop_, bare({}))) {
    host_->observe([this](const Report& report) {
      if (std::holds_alternative<PeerDisconnected>(report)) ++ended_;
    });
  }

  void connect_and_close(std::size_t count) {
    for (const std::size_t all = ended_ + count; ended_ < all;) {
      const std::size_t before = ended_;
      host_->disconnect(connect(loop_, *host_, to_));
      run_until(loop_, [&] { return ended_ > before; });
    }
  }

 private:
  const std::string to_;
  asio::io_context loop_{1};
  std::unique_ptr<Host> host_;
  std::size_t ended_ = 0;
};

// The other side may have some of the last connections before it.
void let_catch_up(const OtherSide& other) {
  for (double before = -1; before < other.cpu_seconds(); usleep(20'000))
    before = other.cpu_seconds();
}

int run(std::size_t count) {
  OtherSide other(serve);
  Dialer dialer(other.line());
  dialer.connect_and_close(count / 10 + 1);
  let_catch_up(other);
  const Stopwatch watch(other);
  dialer.connect_and_close(count);
  const double elapsed = watch.elapsed();
  let_catch_up(other);
  const double each = 1e6 / static_cast<double>(count);
  print({{"cpu_us", watch.both() / 2 * each},
         {"dialer_us", watch.ours() * each},
         {"listener_us", watch.theirs() * each},
         {"elapsed_us", elapsed * each}});
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 2000));
}
