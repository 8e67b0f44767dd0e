// How often one part of the network may make us start a handshake: a token bucket per IPv4 address
// or IPv6 /56, asked before any cryptography. (A site gets a /56, and can use all of it.)
//
// A handshake costs us about 200 µs and the other side, if it sends garbage, nothing. The bucket is
// large, because a whole office can be behind one address, and a node that restarts sees all of its
// peers at once. Loopback is not limited.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/multiaddr.h"
#include "base/time.h"

namespace kadmesh {

class AcceptLimit {
 public:
  // Prefixes that are remembered. A bucket that is full again is forgotten first; when none is,
  // further prefixes share one bucket.
  static constexpr std::size_t kMostPrefixes = 4096;

  // `burst` at once, then one per `interval`. A burst of 0 limits nothing.
  AcceptLimit(std::uint32_t burst, Duration interval) : burst_(burst), interval_(interval) {}

  bool admit(const Endpoint& from, Time now);
  std::size_t prefixes() const { return buckets_.size(); }

 private:
  using Prefix = std::array<std::uint8_t, 8>;
  // Full again at `full`; each handshake puts that off by one interval.
  struct Bucket {
    Time full;
  };

  static Prefix prefix(const Endpoint& from);
  Bucket& bucket(const Prefix& prefix, Time now);

  std::uint32_t burst_;
  Duration interval_;
  std::map<Prefix, Bucket> buckets_;
};

}  // namespace kadmesh
