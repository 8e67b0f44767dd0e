// Who gets which address. Defences against Sybils count addresses by /24, /16 and /8: a plan says
// how many hosts share each.
#pragma once

#include <cstdint>

#include "base/multiaddr.h"
#include "sim/latency.h"

namespace kadmesh {

struct AddressPlan {
  enum class Scope {
    one_private,  // 10.0.0.0/8 in order: a machine's or a lab's own network
    spread,       // public unicast IPv4, in groups
  } scope = Scope::one_private;
  // spread: hosts in a /24 (at most 254), /24s in use of a /16 (at most 256), /16s of a /8 (256).
  std::uint32_t per_24 = 1, per_16 = 4, per_8 = 64;
};

// Port 0. Different for every host as long as the plan has room, which the caller must see to
// (capacity()).
Endpoint planned_address(const AddressPlan& plan, std::uint64_t seed, HostId host);
std::uint64_t capacity(const AddressPlan& plan);

// Public networks that belong to somebody: the `host`-th address of the `network`-th /16, in a /24
// of its own as long as there are. Port 0. No address of a plan (Scope::spread, the same seed) that
// has no more than capacity_beside_owned() hosts. network < kMostOwnedNetworks, host < 65,024.
inline constexpr std::uint32_t kMostOwnedNetworks = 2048;
Endpoint owned_address(std::uint64_t seed, std::size_t network, std::size_t host);
std::uint64_t capacity_beside_owned(const AddressPlan& plan);

Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
              std::uint16_t port = 0);

}  // namespace kadmesh
