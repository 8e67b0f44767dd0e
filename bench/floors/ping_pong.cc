// usage: ping_pong [COUNT]
// The floor of a ping: 32 bytes there and back over loopback TCP, by blocking calls.
#include <array>

#include "sockets.h"

namespace kadmesh::bench {
namespace {

using Ping = std::array<unsigned char, 32>;

void serve(const OtherSide::Say& say) {
  const Listener listener = listen_anywhere();
  say(std::to_string(listener.port));
  const int socket = accept_one(listener.socket);
  Ping ping;
  while (read_whole(socket, ping.data(), ping.size()))
    write_whole(socket, ping.data(), ping.size());
}

int run(std::size_t count) {
  OtherSide other(serve, Seats::apart);
  const int socket = connect_to(std::stoi(other.line()));
  Ping bytes{};
  print_trips(count, [&] {
    const double start = seconds();
    write_whole(socket, bytes.data(), bytes.size());
    if (!read_whole(socket, bytes.data(), bytes.size())) give_up("the other side left");
    return (seconds() - start) * 1e6;
  });
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 5000));
}
