// usage: ping [COUNT]
// Pings one after another on one connection, timed by whoever asks for them.
#include "loop_host.h"

namespace kadmesh::bench {
namespace {

void serve(const OtherSide::Say& say) {
  asio::io_context loop(1);
  const auto host = make_host(loop, listening());
  say(host->addrs().front().text());
  loop.run();
}

int run(std::size_t count) {
  OtherSide other(serve, Seats::apart);
  asio::io_context loop(1);
  const auto host = make_host(loop, {});
  const PeerId peer = connect(loop, *host, other.line());
  print_trips(count, [&] {
    const double start = seconds();
    finish<PingReport>(loop, [&](auto done) { host->async_ping(peer, std::move(done)); });
    return (seconds() - start) * 1e6;
  });
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 5000));
}
