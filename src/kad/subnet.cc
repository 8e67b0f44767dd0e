#include "kad/subnet.h"

#include <algorithm>
#include <charconv>
#include <string>

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

unsigned most_bits(bool v6) { return v6 ? 48 : 24; }

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

Subnet holding(const Subnet& subnet) {
  static constexpr std::uint8_t kOfOneHolder[] = {12, 17, 19, 38, 48, 53, 56, 73};
  const bool whole =
      !subnet.v6 && std::ranges::find(kOfOneHolder, subnet.prefix[0]) != std::end(kOfOneHolder);
  Subnet around{subnet.v6, {}};
  const std::size_t kept = subnet.v6 ? 4 : whole ? 1 : 2;
  std::copy_n(subnet.prefix.begin(), kept, around.prefix.begin());
  return around;
}

bool SubnetRange::contains(const Subnet& subnet) const {
  if (subnet.v6 != first.v6) return false;
  for (unsigned bit = 0; bit < std::min(bits, most_bits(first.v6)); ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if (((subnet.prefix[bit / 8] ^ first.prefix[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

Result<SubnetRange> SubnetRange::from_text(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid, "'" + std::string(text) +
                                   "' is no range of networks; one is like 198.18.0.0/15, of at "
                                   "most 24 bits (IPv6: 48)");
  };
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return wrong();
  const std::string host(text.substr(0, slash));
  const bool v6 = host.find(':') != host.npos;
  const auto addr = Multiaddr::from_text((v6 ? "/ip6/" : "/ip4/") + host);
  unsigned bits = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
  if (!addr || addr->parts().size() != 1 || error != std::errc() || stopped != end ||
      bits > most_bits(v6))
    return wrong();
  return SubnetRange{prefix_of(v6, addr->parts().front().value), bits};
}

}  // namespace kadmesh
