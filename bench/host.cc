// usage: host [DATABASE]
// A host of the default configuration that says where it listens and serves until its input ends.
// With a database it keeps its records there.
#include <asio/posix/stream_descriptor.hpp>
#include <cstdio>

#include "loop_host.h"
#include "store/sqlite_store.h"

namespace kadmesh::bench {
namespace {

int run(const char* database) {
  asio::io_context loop(1);
  HostConfig config = listening();
  if (database) config.store = value(SqliteStore::open(database, StoreLimits{}));
  const auto host = make_host(loop, std::move(config));
  std::printf("%s\n", host->addrs().front().text().c_str());
  std::fflush(stdout);
  asio::posix::stream_descriptor input(loop, STDIN_FILENO);
  input.async_wait(asio::posix::stream_descriptor::wait_read,
                   [&](asio::error_code) { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) { return kadmesh::bench::run(argc > 1 ? argv[1] : nullptr); }
