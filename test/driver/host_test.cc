#include "driver/host.h"

#include <unistd.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>
#include <filesystem>
#include <thread>

#include "base/signature_memo.h"
#include "hosts.h"

namespace kadmesh {
namespace {

HostConfig keeps_values() {
  HostConfig config;
  config.node.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  return config;
}

TEST_CASE_FIXTURE(Hosts, "host: a connection is in the table of both when connect completes") {
  const auto alice = host(), bob = host();
  const auto connected = connect(*bob, *alice);
  REQUIRE(connected);
  CHECK(connected->peer == alice->id());
  CHECK(bob->node().info(alice->id()).has_value() == false);  // identify comes later
  CHECK(run_until([&] { return !alice->node().connections().empty(); }));
  CHECK(bob->node().check_invariants().empty());
}

TEST_CASE_FIXTURE(Hosts, "host: what a simulation may leave out, a host may not") {
  HostConfig plain, believes, gossip_believes;
  plain.node.swarm.security = Security::plain;
  believes.node.signatures = std::make_shared<SignatureMemo>();
  gossip_believes.node.gossip.signatures = std::make_shared<SignatureMemo>();
  for (HostConfig* config : {&plain, &believes, &gossip_believes}) {
    const auto made = Host::create(io, std::move(*config));
    REQUIRE(!made);
    CHECK(made.error().code == Errc::invalid);
  }
}

TEST_CASE_FIXTURE(Hosts, "host: one that cannot listen leaves no recording, which holds its key") {
  const auto file = std::filesystem::temp_directory_path() /
                    ("kadmesh-host-test-" + std::to_string(getpid()) + ".recording");
  const auto first = host();
  HostConfig config;
  config.listen = first->addrs();
  config.record = RecordTo{file};
  CHECK(!Host::create(io, std::move(config)));
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE_FIXTURE(Hosts, "host: an address without a peer id reaches whoever is there") {
  const auto alice = host(), bob = host();
  const Multiaddr addr = alice->addrs().front().without_peer();
  const auto connected = run<ConnectReport>([&](auto token) { bob->async_connect(addr, token); });
  REQUIRE(connected);
  CHECK(connected->peer == alice->id());
}

TEST_CASE_FIXTURE(Hosts,
                  "host: a peer that accepts and is silent ends at the limit, which says so") {
  const auto alice = host();
  const Silent nobody(io);
  const auto result =
      run<ConnectReport>([&](auto token) { alice->async_connect(nobody.addr(), token, 100ms); });
  REQUIRE(!result);
  CHECK(result.error().code == Errc::timeout);
  CHECK(result.error().detail.find("127.0.0.1") != std::string::npos);
}

TEST_CASE_FIXTURE(Hosts, "host: cancelling ends an operation and what is under it") {
  const auto alice = host();
  const Silent nobody(io);
  asio::cancellation_signal signal;
  std::optional<Result<ConnectReport>> result;
  alice->async_connect(nobody.addr(),
                       asio::bind_cancellation_slot(signal.slot(), [&](Result<ConnectReport> got) {
                         result = std::move(got);
                       }));
  run_ready();
  CHECK(!result);
  signal.emit(asio::cancellation_type::terminal);
  CHECK(run_until([&] { return result.has_value(); }));
  CHECK(result->error().code == Errc::cancelled);
  CHECK(alice->node().leftovers().find("dial") == std::string::npos);
}

TEST_CASE_FIXTURE(Hosts, "host: a coroutine awaits operations one after another") {
  const auto alice = host(keeps_values()), bob = host(keeps_values());
  std::string value;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const Multiaddr addr = alice->addrs().front();
        const auto connected = co_await bob->async_connect(addr, asio::use_awaitable);
        REQUIRE(connected);
        const auto ready = co_await bob->async_ready(1, asio::use_awaitable);
        REQUIRE(ready);
        const auto put = co_await bob->async_put(to_bytes(as_bytes("/v/a")),
                                                 to_bytes(as_bytes("one")), asio::use_awaitable);
        REQUIRE(put);
        const auto got = co_await alice->async_get(to_bytes(as_bytes("/v/a")), asio::use_awaitable);
        REQUIRE(got);
        value = as_text(got->value);
      },
      asio::detached);
  CHECK(run_until([&] { return !value.empty(); }));
  CHECK(value == "one");
}

TEST_CASE_FIXTURE(Hosts, "host: operations may be started from another thread") {
  const auto alice = host(), bob = host();
  std::optional<Result<ConnectReport>> result;
  std::jthread other([&, addr = alice->addrs().front()] {
    result = bob->async_connect(addr, asio::use_future).get();
    asio::post(io, [] {});
  });
  CHECK(run_until([&] { return !bob->node().connections().empty(); }));
  run_until([&] { return !other.joinable() || result.has_value(); });
  other.join();
  CHECK(result->has_value());
}

TEST_CASE_FIXTURE(Hosts, "host: one that goes completes what runs, with closed, and never later") {
  auto alice = host();
  const Silent nobody(io);
  asio::cancellation_signal signal;
  std::optional<Errc> why;
  alice->async_connect(nobody.addr(),
                       asio::bind_cancellation_slot(signal.slot(), [&](Result<ConnectReport> got) {
                         CHECK(!why);
                         why = got.error().code;
                       }));
  run_ready();
  alice.reset();
  signal.emit(asio::cancellation_type::terminal);
  CHECK(run_until([&] { return why.has_value(); }));
  CHECK(why == Errc::closed);
  io.restart();
  CHECK(io.run_for(std::chrono::seconds(0)) == 0);
}

TEST_CASE_FIXTURE(Hosts, "host: one that goes before the loop has seen an operation completes it") {
  auto alice = host();
  std::optional<Errc> why;
  std::jthread([&] {
    alice->async_connect(loopback(1), [&](Result<ConnectReport> got) { why = got.error().code; });
  }).join();
  alice.reset();
  CHECK(run_until([&] { return why.has_value(); }));
  CHECK(why == Errc::closed);
}

TEST_CASE_FIXTURE(Hosts, "host: shutdown completes when peers have what was written for them") {
  const auto alice = host();
  auto bob = host();
  std::string heard;
  alice->subscribe(
      "news", [&](const GossipDeliver& delivered) { heard = as_text(delivered.message.data); });
  bob->subscribe("news", [](const GossipDeliver&) {});
  REQUIRE(connect(*bob, *alice));
  CHECK(run_until([&] { return bob->publish("news", Bytes(300'000, 'x')).has_value(); }));
  CHECK(run<void>([&](auto token) { bob->async_shutdown(token); }));
  bob.reset();
  CHECK(run_until([&] { return heard.size() == 300'000; }));
  CHECK(run_until([&] { return alice->node().connections().empty(); }));
}

TEST_CASE_FIXTURE(Hosts, "host: after shutdown nothing begins, and the loop has nothing left") {
  auto alice = host();
  CHECK(run<void>([&](auto token) { alice->async_shutdown(token); }));
  const auto late =
      run<ConnectReport>([&](auto token) { alice->async_connect(loopback(1), token); });
  CHECK(late.error().code == Errc::closed);
  alice.reset();
  io.restart();
  io.run_for(kPatience);
  CHECK(io.stopped());
}

TEST_CASE_FIXTURE(Hosts, "host: addresses that cannot be listened on are refused") {
  HostConfig config;
  config.listen = {*Multiaddr::from_text("/dns4/example.test/tcp/1")};
  CHECK(Host::create(io, std::move(config)).error().code == Errc::invalid);
  const auto alice = host();
  HostConfig taken;
  taken.listen = {alice->addrs().front().without_peer()};
  CHECK(Host::create(io, std::move(taken)).error().code == Errc::io);
}

TEST_CASE_FIXTURE(Hosts, "host: a name that is no protocol's is refused as the DHT's") {
  for (const char* name : {"", "mine/kad", "/mine\n/kad"}) {
    HostConfig config;
    config.node.kad.protocol = name;
    const auto made = Host::create(io, std::move(config));
    REQUIRE(!made);
    CHECK(made.error().code == Errc::invalid);
  }
}

TEST_CASE_FIXTURE(Hosts, "host: a stream that begins with too much is refused, and nobody dialed") {
  const auto alice = host(), bob = host();
  const auto opened = run<Stream>([&](auto token) {
    bob->async_open_stream(alice->id(), "/talk/1", Bytes(kMostFirstBytes + 1), std::move(token));
  });
  REQUIRE(!opened);
  CHECK(opened.error().code == Errc::limit);
  CHECK(bob->node().connections().empty());
}

TEST_CASE_FIXTURE(Hosts, "host: addresses are told with the port and the peer id") {
  const auto alice = host();
  const auto addrs = alice->addrs();
  REQUIRE(addrs.size() == 1);
  CHECK(addrs.front().peer() == alice->id());
  CHECK(addrs.front().tcp_endpoint()->port != 0);
}

}  // namespace
}  // namespace kadmesh
