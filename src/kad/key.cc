#include "kad/key.h"

#include <bit>

#include "base/crypto.h"

namespace kadmesh {

KadId KadId::of(ByteView name) { return {sha256(name)}; }

Distance distance(const KadId& a, const KadId& b) {
  Distance out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i)
    out.bytes[i] = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  return out;
}

unsigned common_prefix(const KadId& a, const KadId& b) {
  const Distance apart = distance(a, b);
  for (unsigned i = 0; i < apart.bytes.size(); ++i)
    if (apart.bytes[i] != 0) return i * 8 + static_cast<unsigned>(std::countl_zero(apart.bytes[i]));
  return kKadBits;
}

KadId flipped(KadId id, unsigned bit) {
  id.bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> bit % 8);
  return id;
}

}  // namespace kadmesh
