// HostConfig::gossip_trace: the file, and when there is none.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "driver/hosts.h"

namespace kadmesh {
namespace {

namespace fs = std::filesystem;

class Traces : public Hosts {
 public:
  Traces() { fs::create_directory(folder); }
  ~Traces() { fs::remove_all(folder); }

  std::string text() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder = fs::temp_directory_path() / ("kadmesh-trace-test-" + std::to_string(getpid()));
  fs::path file = folder / "trace.json";
};

}  // namespace

TEST_CASE_FIXTURE(Traces, "gossip trace: a host's file tells what happened, to its owner alone") {
  HostConfig config;
  config.gossip_trace = file;
  const auto alice = host(std::move(config));
  REQUIRE(alice->subscribe("news", nullptr));
  CHECK((fs::status(file).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(text().find("\"join\":{\"topic\":\"news\"}") != std::string::npos);
}

TEST_CASE_FIXTURE(Traces,
                  "gossip trace: a file that exists is left alone, and nothing is recorded") {
  std::ofstream(file) << "mine";
  HostConfig config;
  config.listen = {loopback()};
  config.gossip_trace = file;
  config.record = RecordTo{folder / "recording"};
  const auto refused = Host::create(io, std::move(config));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::io);
  CHECK(text() == "mine");
  CHECK_FALSE(fs::exists(folder / "recording"));
}

TEST_CASE_FIXTURE(Traces, "gossip trace: a host that cannot listen leaves none") {
  const Silent taken(io);
  HostConfig config;
  config.listen = {taken.addr()};
  config.gossip_trace = file;
  REQUIRE_FALSE(Host::create(io, std::move(config)));
  CHECK_FALSE(fs::exists(file));
}

}  // namespace kadmesh
