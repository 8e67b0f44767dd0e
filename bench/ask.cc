// usage: ask ADDR
// Dials a peer and asks its echo service something. Seconds until the first byte of the answer is
// read.
#include "loop_host.h"

namespace kadmesh::bench {
namespace {

constexpr const char* kEcho = "/test/echo/1.0.0";

int run(const char* addr) {
  asio::io_context loop(1);
  const auto host = make_host(loop, bare({}));
  const double start = seconds();
  const PeerId peer = connect(loop, *host, addr);
  Stream stream = finish<Stream>(loop, [&](auto done) {
    host->async_open_stream(peer, kEcho, to_bytes(as_bytes("question")), std::move(done));
  });
  std::array<char, 1> first{};
  finish<std::size_t>(loop, [&](auto done) {
    stream.async_read_some(asio::buffer(first), [done](asio::error_code error, std::size_t count) {
      error ? done(fail(Errc::io, error.message())) : done(count);
    });
  });
  print({{"seconds", seconds() - start}});
  return first[0] == 'q' ? 0 : 1;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  if (argc < 2) kadmesh::bench::give_up("usage: ask ADDR");
  return kadmesh::bench::run(argv[1]);
}
