#include "sim/address_plan.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "kad/subnet.h"
#include "sim/luck.h"

namespace kadmesh {
namespace {

constexpr std::uint32_t kHosts = 254;  // in a /24, without network and broadcast

// First octets without an address of special use (IANA registry, RFC 6890).
bool ordinary(std::uint32_t octet) {
  for (const std::uint32_t special : {0u, 10u, 100u, 127u, 169u, 172u, 192u, 198u, 203u})
    if (octet == special) return false;
  return octet < 224;
}

std::vector<std::uint8_t> first_octets(std::uint64_t seed) {
  std::vector<std::uint8_t> octets;
  for (std::uint32_t octet = 1; octet < 224; ++octet)
    if (ordinary(octet)) octets.push_back(static_cast<std::uint8_t>(octet));
  Luck luck(mixed(seed));
  for (std::size_t i = octets.size(); i > 1; --i) std::swap(octets[i - 1], octets[luck.below(i)]);
  return octets;
}

struct Sizes {
  std::uint32_t hosts, nets, wide;
};
Sizes sizes(const AddressPlan& plan) {
  return {std::clamp(plan.per_24, 1u, kHosts), std::clamp(plan.per_16, 1u, 256u),
          std::clamp(plan.per_8, 1u, 256u)};
}

// The `n`-th of 256 in an order of the seed's: multiplication by an odd number permutes.
std::uint8_t scattered(std::uint64_t seed, std::uint32_t n) {
  return static_cast<std::uint8_t>(n * ((mixed(seed) | 1) & 0xFF) + (mixed(seed) >> 8));
}

}  // namespace

Endpoint ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.host = {a, b, c, d};
  endpoint.port = port;
  return endpoint;
}

std::uint64_t capacity(const AddressPlan& plan) {
  if (plan.scope == AddressPlan::Scope::one_private) return std::uint64_t{1} << 24;
  const Sizes per = sizes(plan);
  return std::uint64_t{per.hosts} * per.nets * per.wide * first_octets(0).size();
}

namespace {

// Of first octets: plans come to the last ones last. Some are left out, so there are more.
constexpr std::size_t kOwnedOctets = 8, kKeptFree = 32;

// One holder has all of it (kad/subnet.h): there its /16s would count as one.
bool is_whole(std::uint8_t octet) {
  const auto holder = [&](std::uint8_t second) {
    return holding(*public_subnet(Multiaddr::tcp(ipv4(octet, second, 1, 1))));
  };
  return holder(1) == holder(2);
}

std::vector<std::uint8_t> owned_octets(std::uint64_t seed) {
  std::vector<std::uint8_t> octets = first_octets(seed);
  octets.erase(octets.begin(), octets.end() - kKeptFree);
  std::erase_if(octets, is_whole);
  KAD_CHECK(octets.size() >= kOwnedOctets);
  octets.resize(kOwnedOctets);
  return octets;
}

}  // namespace

Endpoint owned_address(std::uint64_t seed, std::size_t network, std::size_t host) {
  KAD_CHECK(network < kMostOwnedNetworks && host < std::size_t{256} * kHosts);
  const std::uint8_t octet = owned_octets(seed)[network % kOwnedOctets];
  const auto second = static_cast<std::uint32_t>(network / kOwnedOctets);
  return ipv4(octet, scattered(seed + octet, second), static_cast<std::uint8_t>(host % 256),
              static_cast<std::uint8_t>(host / 256 + 1));
}

std::uint64_t capacity_beside_owned(const AddressPlan& plan) {
  const std::size_t octets = first_octets(0).size();
  return capacity(plan) / octets * (octets - kKeptFree);
}

Endpoint planned_address(const AddressPlan& plan, std::uint64_t seed, HostId host) {
  KAD_CHECK(host < capacity(plan));
  if (plan.scope == AddressPlan::Scope::one_private)
    return ipv4(10, static_cast<std::uint8_t>(host >> 16), static_cast<std::uint8_t>(host >> 8),
                static_cast<std::uint8_t>(host));
  const Sizes per = sizes(plan);
  const std::uint32_t in_24 = host % per.hosts, net = host / per.hosts;
  const std::uint32_t in_16 = net % per.nets, wide = net / per.nets;
  const std::uint32_t in_8 = wide % per.wide, octet = wide / per.wide;
  return ipv4(first_octets(seed)[octet], scattered(seed + octet, in_8),
              scattered(seed + wide, in_16), static_cast<std::uint8_t>(in_24 + 1));
}

}  // namespace kadmesh
