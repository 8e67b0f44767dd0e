#include "kad/random_key.h"

#include "kad/params.h"

namespace kadmesh {

std::optional<Bytes> random_key(Rng& rng, const KadId& near, unsigned bits) {
  constexpr std::uint64_t kPatience = 16;  // times the average; missed once in 9 million
  if (bits > kMostRandomBits) return std::nullopt;
  const std::uint64_t tries = kPatience << bits;
  Bytes key(34);
  key[0] = 0x12;  // a SHA-256 multihash: js reads the key as a peer id
  key[1] = 0x20;
  for (std::uint64_t i = 0; i < tries; ++i) {
    rng.fill(std::span(key).subspan(2));
    if (common_prefix(near, KadId::of(key)) >= bits) return key;
  }
  return std::nullopt;
}

}  // namespace kadmesh
