#include "driver/listeners.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "driver/loop.h"
#include "driver/pipes.h"

namespace kadmesh {
namespace {

using asio::ip::tcp;

struct Listening : Loop {
  Listeners::Events events() {
    return {.accepted = [this](tcp::socket socket) { accepted.push_back(std::move(socket)); },
            .trouble = [this](Error what) { troubles.push_back(std::move(what)); }};
  }
  tcp::endpoint open(const std::string& addr, std::uint64_t id = 1) {
    const auto at = Multiaddr::from_text(addr)->tcp_endpoint();
    const auto addrs = listeners.open(ListenId{id}, *at);
    REQUIRE(addrs);
    REQUIRE(addrs->size() == 1);
    return to_asio(*addrs->front().tcp_endpoint());
  }

  std::vector<tcp::socket> accepted;
  std::vector<Error> troubles;
  Listeners listeners{io.get_executor(), events()};
};

// So many descriptors and no more, while it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t left) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int next = dup(0);  // the lowest that is free
    REQUIRE(next >= 0);
    close(next);
    const rlimit now{static_cast<rlim_t>(next) + left, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE_FIXTURE(Listening, "listeners: port 0 is told as the one that the kernel chose") {
  const tcp::endpoint at = open("/ip4/127.0.0.1/tcp/0");
  CHECK(at.port() != 0);
  tcp::socket dialer(io);
  dialer.connect(at);
  CHECK(run_until([&] { return accepted.size() == 1; }));
}

TEST_CASE_FIXTURE(Listening, "listeners: IPv6, too") {
  tcp::socket dialer(io);
  dialer.connect(open("/ip6/::1/tcp/0"));
  CHECK(run_until([&] { return accepted.size() == 1; }));
}

TEST_CASE_FIXTURE(Listening, "listeners: a port that is taken is an error that names it") {
  const tcp::endpoint at = open("/ip4/127.0.0.1/tcp/0");
  const auto again = listeners.open(ListenId{2}, to_endpoint(at));
  REQUIRE(!again);
  CHECK(again.error().code == Errc::io);
  CHECK(again.error().detail.find("/tcp/" + std::to_string(at.port())) != std::string::npos);
}

TEST_CASE_FIXTURE(Listening, "listeners: closed, nobody listens there") {
  const tcp::endpoint at = open("/ip4/127.0.0.1/tcp/0");
  listeners.close(ListenId{1});
  run_ready();
  tcp::socket dialer(io);
  asio::error_code error;
  dialer.connect(at, error);
  CHECK(error == asio::error::connection_refused);
}

TEST_CASE("listeners: a wildcard stands for the interfaces' addresses") {
  const auto v4 = interface_addresses(false);
  CHECK(std::ranges::count(v4, *Multiaddr::from_text("/ip4/127.0.0.1/tcp/0")->tcp_endpoint()) == 1);
  CHECK(std::ranges::none_of(v4, [](const Endpoint& at) { return at.v6 || at.unspecified(); }));
  CHECK(std::ranges::all_of(interface_addresses(true), [](const Endpoint& at) { return at.v6; }));
}

TEST_CASE_FIXTURE(Listening, "listeners: out of descriptors they pause, say so once and go on") {
  const tcp::endpoint at = open("/ip4/127.0.0.1/tcp/0");
  std::vector<tcp::socket> dialers;
  for (int i = 0; i < 4; ++i) dialers.emplace_back(io).connect(at);
  {
    const DescriptorLimit limit(2);
    CHECK(run_until([&] { return !troubles.empty(); }));
    CHECK(accepted.size() == 2);
    CHECK(troubles.front().code == Errc::limit);
    // A loop that tried again at once would never run dry of handlers.
    io.restart();
    CHECK(io.poll() < 10);
  }
  accepted.clear();
  listeners.resume();
  CHECK(run_until([&] { return accepted.size() == 2; }));
  CHECK(troubles.size() == 1);
}

}  // namespace
}  // namespace kadmesh
