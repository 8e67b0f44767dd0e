#include "gossip/ip_prefix.h"

#include <optional>

#include "base/check.h"
#include "base/ip_text.h"

namespace kadmesh {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(ByteView address) {
  return address.size() == 16 && equal(address.first(kMapped.size()), kMapped);
}

std::optional<Bytes> parse_ip(std::string_view text) {
  if (const auto v4 = parse_ip4(text)) return to_bytes(*v4);
  if (const auto v6 = parse_ip6(text)) return to_bytes(*v6);
  return std::nullopt;
}

// The byte's bits that belong to a prefix of which `left` bits begin with it.
std::uint8_t mask(std::size_t left) {
  return left >= 8 ? 0xff : static_cast<std::uint8_t>(0xff00U >> left);
}

}  // namespace

IpPrefix IpPrefix::of(ByteView address, std::size_t bits) {
  KAD_CHECK((address.size() == 4 || address.size() == 16) && bits <= 8 * address.size());
  if (is_mapped(address) && bits >= 8 * kMapped.size())
    return of(address.last(4), bits - 8 * kMapped.size());
  IpPrefix prefix;
  prefix.v6_ = address.size() == 16;
  prefix.bits_ = static_cast<std::uint8_t>(bits);
  for (std::size_t i = 0; 8 * i < bits; ++i) prefix.address_[i] = address[i] & mask(bits - 8 * i);
  return prefix;
}

Result<IpPrefix> IpPrefix::from_text(std::string_view text) {
  const auto malformed = [&] {
    return fail(Errc::malformed, "not a prefix of IP addresses: \"" + std::string(text) + '"');
  };
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return malformed();
  const std::size_t all = 8 * address->size();
  const auto bits = slash == text.npos ? all : parse_decimal(text.substr(slash + 1), all);
  if (!bits) return malformed();
  const IpPrefix prefix = of(*address, *bits);
  if (prefix.address_ != of(*address, all).address_) return malformed();
  return prefix;
}

bool IpPrefix::contains(const IpPrefix& other) const {
  return bits_ <= other.bits_ && of(other.address(), bits_) == *this;
}

std::string IpPrefix::text() const {
  return (v6_ ? ip6_text(address()) : ip4_text(address())) + '/' + std::to_string(bits_);
}

std::vector<IpPrefix> loopback_prefixes() {
  constexpr std::array<std::uint8_t, 4> kLoopback4{127, 0, 0, 0};
  std::array<std::uint8_t, 16> loopback6{};
  loopback6.back() = 1;
  return {IpPrefix::of(kLoopback4, 8), IpPrefix::of(loopback6, 128)};
}

std::vector<IpPrefix> colocation_groups(const Multiaddr& remote) {
  if (remote.has(AddrCode::p2p_circuit)) return {};
  const std::vector<AddrPart> parts = remote.parts();
  const ByteView address = parts.front().value;
  if (parts.front().code == AddrCode::ip4) return {IpPrefix::of(address, 32)};
  if (parts.front().code != AddrCode::ip6) return {};
  if (is_mapped(address)) return {IpPrefix::of(address, 128)};
  return {IpPrefix::of(address, 128), IpPrefix::of(address, 64)};
}

}  // namespace kadmesh
