// The public network that an address belongs to: who fills a bucket from one /24 owns one network,
// not many nodes. Private, loopback and link-local addresses belong to none: they are one site, and
// whoever can speak from there is in it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>

#include "base/address.h"

namespace kadmesh {

struct Subnet {
  bool v6 = false;
  std::array<std::uint8_t, 6> prefix{};  // /24 of IPv4 (three bytes), /48 of IPv6
  friend auto operator<=>(const Subnet&, const Subnet&) = default;
};

// None for names, relays' circuits and addresses that are not public.
std::optional<Subnet> public_subnet(const Multiaddr& addr);
// Of the first address that has one.
std::optional<Subnet> public_subnet(std::span<const Dialable> addrs);

}  // namespace kadmesh
