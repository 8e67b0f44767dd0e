// The public network that an address belongs to: who fills a bucket from one /24 owns one network,
// not many nodes. Private, loopback and link-local addresses belong to none: they are one site, and
// whoever can speak from there is in it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

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

// Whose it is, rather than where: the /16 around a /24 of IPv4, or the /8 where one holder got a
// whole one (go-libp2p-kbucket, peerdiversity: "legacy class A"); the /32 around a /48 of IPv6,
// which is what a provider is given (RFC 6177; go asks a table of autonomous systems).
Subnet holding(const Subnet& subnet);

// A range of subnets, such as 198.18.0.0/15.
struct SubnetRange {
  Subnet first;
  unsigned bits = 0;  // at most those of a Subnet: 24, IPv6 48

  bool contains(const Subnet& subnet) const;
  // Errc::invalid for what is none, and for narrower ones.
  static Result<SubnetRange> from_text(std::string_view text);
  friend bool operator==(const SubnetRange&, const SubnetRange&) = default;
};

}  // namespace kadmesh
