#include "transport/dial_job.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

Multiaddr addr(std::string_view text) { return *Multiaddr::from_text(text); }

std::vector<Multiaddr> addrs(std::size_t count) {
  std::vector<Multiaddr> all;
  for (std::size_t i = 1; i <= count; ++i) {
    all.push_back(addr("/ip4/10.0.0." + std::to_string(i) + "/tcp/4001"));
  }
  return all;
}

PeerId peer(std::uint64_t seed) {
  Rng rng(seed);
  return KeyPair::make(rng).peer_id();
}

constexpr Time kStart{1h};

}  // namespace

TEST_CASE("dial job: the second address waits for the stagger") {
  DialJob job(peer(1));
  job.add(addrs(2));
  CHECK(job.due() <= kStart);
  CHECK(job.begin(kStart, ConnId{1}).to.port == 4001);
  CHECK(job.due() == kStart + kDialStagger);
  job.begin(kStart + kDialStagger, ConnId{2});
  CHECK(job.due() == kNever);
  CHECK(job.running() == std::vector{ConnId{1}, ConnId{2}});
}

TEST_CASE("dial job: a failure makes the next address due at once") {
  DialJob job(peer(1));
  job.add(addrs(2));
  job.begin(kStart, ConnId{1});
  job.failed(ConnId{1}, {Errc::refused, "refused"});
  CHECK(job.due() <= kStart);
  CHECK(!job.exhausted());
  job.begin(kStart, ConnId{2});
  job.failed(ConnId{2}, {Errc::timeout, "silence"});
  CHECK(job.exhausted());
}

TEST_CASE("dial job: no more than kDialsPerJob at once") {
  DialJob job(peer(1));
  job.add(addrs(kDialsPerJob + 1));
  Time now = kStart;
  for (std::uint64_t i = 0; i < kDialsPerJob; ++i) job.begin(now += kDialStagger, ConnId{i});
  CHECK(job.due() == kNever);
  job.failed(ConnId{3}, {Errc::refused, {}});
  CHECK(job.due() <= now);
}

TEST_CASE("dial job: the same address is tried once, with or without its /p2p") {
  DialJob job(peer(1));
  const auto one = addrs(1);
  job.add(one);
  job.add(std::vector{one.front().with_peer(peer(1))});
  job.begin(kStart, ConnId{1});
  CHECK(job.due() == kNever);
}

TEST_CASE("dial job: what cannot be dialed is a failure with a cause of its own") {
  DialJob job(peer(1));
  job.add(std::vector{addr("/ip4/1.2.3.4/udp/4001/quic-v1"), addr("/dns4/example.com/tcp/1"),
                      addrs(1).front().with_peer(peer(2)), addr("/ip4/0.0.0.0/tcp/4001"),
                      addr("/ip6/::1/tcp/0")});
  CHECK(job.exhausted());
  REQUIRE(job.failures().size() == 5);
  CHECK(job.failures()[0].cause.code == Errc::unsupported);
  CHECK(job.failures()[1].cause.code == Errc::unsupported);
  for (std::size_t i : {2U, 3U, 4U}) CHECK(job.failures()[i].cause.code == Errc::invalid);
}

TEST_CASE("dial job: an address by name says so, and what to give instead") {
  for (const char* name : {"/dns4/example.com/tcp/1", "/dns6/example.com/tcp/1",
                           "/dns/example.com/tcp/1", "/dnsaddr/example.com"}) {
    DialJob job(std::nullopt);
    job.add(std::vector{addr(name)});
    CHECK(job.failure().code == Errc::unsupported);
    CHECK(job.failure().detail.find("give the host's /ip4 or /ip6") != std::string::npos);
  }
}

TEST_CASE("dial job: one address that could be dialed makes it unreachable") {
  DialJob job(peer(1));
  CHECK(job.failure().code == Errc::unreachable);
  job.add(std::vector{addr("/dns4/example.com/tcp/1"), addr("/ip4/1.2.3.4/tcp/1")});
  job.begin(kStart, ConnId{1});
  job.failed(ConnId{1}, {Errc::refused, "nobody listens"});
  CHECK(job.failure().code == Errc::unreachable);
}

TEST_CASE("dial job: its error names every address and its cause") {
  DialJob job(peer(1));
  job.add(addrs(3));
  job.begin(kStart, ConnId{1});
  job.failed(ConnId{1}, {Errc::refused, "nobody listens"});
  job.begin(kStart, ConnId{2});
  const Error error = job.error(Errc::timeout, "too late");
  CHECK(error.code == Errc::timeout);
  CHECK(error.detail ==
        "too late; /ip4/10.0.0.1/tcp/4001: refused: nobody listens; /ip4/10.0.0.2/tcp/4001: no "
        "answer yet; /ip4/10.0.0.3/tcp/4001: not tried yet");
}

TEST_CASE("H72: a job takes a bounded number of addresses") {
  DialJob job(peer(1));
  std::vector<Multiaddr> many;
  for (int i = 0; i < 1000; ++i) many.push_back(addr("/ip4/1.2.3.4/tcp/" + std::to_string(i + 1)));
  job.add(many);
  Time now = kStart;
  std::uint64_t begun = 0;
  for (; job.due() != kNever; now += kDialStagger) {
    job.begin(now, ConnId{++begun});
    job.failed(ConnId{begun}, {Errc::refused, {}});
  }
  CHECK(begun == kMostDialAddrs);
  CHECK(job.exhausted());
}

TEST_CASE("dial job: without a peer an address says whom it must reach") {
  DialJob job(std::nullopt);
  job.add(std::vector{addrs(1).front().with_peer(peer(5)), addrs(2).back()});
  CHECK(job.begin(kStart, ConnId{1}).expected == peer(5));
  CHECK(!job.begin(kStart + kDialStagger, ConnId{2}).expected);
}

}  // namespace kadmesh
