// The space in which Kademlia measures (libp2p specs, kad-dht/README.md, "Distance"): SHA-256 of
// whatever bytes name a thing, and XOR between two of those, read as big-endian numbers.
//
//   a peer       the bytes of its peer id (the multihash, not the public key)
//   a value      the bytes of the record key
//   a provider   the bytes of the multihash
//   FIND_NODE    whatever bytes its key holds
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"
#include "base/peer_id.h"

namespace kadmesh {

inline constexpr unsigned kKadBits = 256;

struct KadId {
  std::array<std::uint8_t, kKadBits / 8> bytes{};

  static KadId of(ByteView name);
  static KadId of(const PeerId& peer) { return of(peer.bytes()); }
  friend auto operator<=>(const KadId&, const KadId&) = default;
};

// Ordered as the number it is; equal only for the same pair of ends, so among candidates for one
// target no two distances tie.
struct Distance {
  std::array<std::uint8_t, kKadBits / 8> bytes{};

  friend auto operator<=>(const Distance&, const Distance&) = default;
};

Distance distance(const KadId& a, const KadId& b);

// Leading bits that agree, 0..256; 256 only for equal ids.
unsigned common_prefix(const KadId& a, const KadId& b);

// With the bit turned over, 0 being the leading one.
KadId flipped(KadId id, unsigned bit);

}  // namespace kadmesh
