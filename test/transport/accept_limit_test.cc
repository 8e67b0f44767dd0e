#include "transport/accept_limit.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

constexpr Time kStart{1h};

Endpoint v4(std::uint32_t host) {
  Endpoint at;
  for (int i = 0; i < 4; ++i) {
    at.host[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(host >> (24 - 8 * i));
  }
  return at;
}
Endpoint v6(std::uint8_t seventh, std::uint8_t eighth) {
  Endpoint at;
  at.v6 = true;
  at.host = {0x20, 0x01, 0x0d, 0xb8, 0, 0, seventh, eighth};
  return at;
}

int admitted(AcceptLimit& limit, const Endpoint& from, Time now, int tries = 100) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limit.admit(from, now) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("H73: handshakes of one address are limited before any cryptography") {
  AcceptLimit limit(10, 100ms);
  CHECK(admitted(limit, v4(0x01020304), kStart) == 10);
  CHECK(admitted(limit, v4(0x01020305), kStart) == 10);
  CHECK(admitted(limit, v4(0x01020304), kStart + 250ms) == 2);
  CHECK(admitted(limit, v4(0x01020304), kStart + 1h) == 10);
}

TEST_CASE("H73: all of an IPv6 /56 is one site") {
  AcceptLimit limit(10, 100ms);
  CHECK(admitted(limit, v6(1, 0), kStart) == 10);
  CHECK(admitted(limit, v6(1, 99), kStart) == 0);
  CHECK(admitted(limit, v6(2, 0), kStart) == 10);
}

TEST_CASE("accept limit: loopback is not limited, and nothing is without a burst") {
  AcceptLimit limit(10, 100ms), none(0, 100ms);
  CHECK(admitted(limit, v4(0x7f000001), kStart) == 100);
  CHECK(admitted(none, v4(0x01020304), kStart) == 100);
}

TEST_CASE("accept limit: remembers a bounded number of prefixes, and forgets full buckets first") {
  AcceptLimit limit(2, 1s);
  for (std::uint32_t i = 0; i < 10 * AcceptLimit::kMostPrefixes; ++i) {
    limit.admit(v4(0x01000000 + i), kStart);
  }
  CHECK(limit.prefixes() <= AcceptLimit::kMostPrefixes + 1);
  CHECK(admitted(limit, v4(0x7e000000), kStart) == 0);
  CHECK(admitted(limit, v4(0x7e000000), kStart + 10s) == 2);
}

}  // namespace kadmesh
