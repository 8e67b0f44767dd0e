#include "kad/subnet.h"

#include <algorithm>

namespace kadmesh {
namespace {

// 0/8, 10/8, 127/8, 100.64/10, 169.254/16, 172.16/12, 192.168/16 (RFC 6890), 224/3 upwards.
bool is_public_v4(ByteView host) {
  const unsigned a = host[0], b = host[1];
  if (a == 0 || a == 10 || a == 127 || a >= 224) return false;
  if (a == 100) return (b & 0xc0) != 64;
  if (a == 169) return b != 254;
  if (a == 172) return (b & 0xf0) != 16;
  if (a == 192) return b != 168;
  return true;
}

// 2000::/3 is all that is given out of global unicast (RFC 4291).
bool is_public_v6(ByteView host) { return (host[0] & 0xe0) == 0x20; }

Subnet prefix_of(bool v6, ByteView host) {
  Subnet subnet{v6, {}};
  std::ranges::copy(host.first(v6 ? 6 : 3), subnet.prefix.begin());
  return subnet;
}

}  // namespace

std::optional<Subnet> public_subnet(const Multiaddr& addr) {
  if (addr.has(AddrCode::p2p_circuit)) return std::nullopt;
  const AddrPart first = addr.parts().front();
  if (first.code == AddrCode::ip4 && is_public_v4(first.value))
    return prefix_of(false, first.value);
  if (first.code == AddrCode::ip6 && is_public_v6(first.value)) return prefix_of(true, first.value);
  return std::nullopt;
}

std::optional<Subnet> public_subnet(std::span<const Dialable> addrs) {
  for (const Dialable& addr : addrs)
    if (auto subnet = public_subnet(addr.addr())) return subnet;
  return std::nullopt;
}

}  // namespace kadmesh
