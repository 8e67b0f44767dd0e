// A block of IP addresses, and the blocks that a connection counts against in P6 (gossipsub-v1.1.md
// "The Score Function", IP Colocation Factor). An IPv4-mapped IPv6 address is the IPv4 address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/multiaddr.h"

namespace kadmesh {

class IpPrefix {
 public:
  // "127.0.0.0/8", "2001:db8::/32", or one address: "192.0.2.7". Errc::malformed for anything else,
  // also for bits that are set behind the prefix, which is a mistake more often than not.
  static Result<IpPrefix> from_text(std::string_view text);
  // The first `bits` of an address of 4 or 16 bytes in network order; at most all of them.
  static IpPrefix of(ByteView address, std::size_t bits);

  bool contains(const IpPrefix& other) const;
  std::string text() const;  // with its length
  std::size_t bits() const { return bits_; }

  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

 private:
  IpPrefix() = default;
  ByteView address() const { return ByteView(address_).first(v6_ ? 16 : 4); }

  bool v6_ = false;
  std::uint8_t bits_ = 0;
  std::array<std::uint8_t, 16> address_{};  // zeros behind the prefix
};

// 127.0.0.0/8 and ::1.
std::vector<IpPrefix> loopback_prefixes();

// Of the address a direct connection comes from or goes to: the IPv4 address, or the IPv6 address
// and its /64. None for a relayed connection, whose address is the relay's, and for what is no IP.
std::vector<IpPrefix> colocation_groups(const Multiaddr& remote);

}  // namespace kadmesh
