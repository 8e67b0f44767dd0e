// What the parts share. A benchmark NAME that has a floor stands beside one called floor_NAME, with
// the same arguments: only what cannot be left out, by the library's own calls.
// bench/runner/parts.py prints one as a multiple of the other.
#pragma once

#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

#include "base/keys.h"
#include "base/multiaddr.h"

namespace kadmesh::bench {

inline Bytes content(std::size_t size) { return Bytes(size, 0x5a); }
inline Bytes content(const benchmark::State& state) {
  return content(static_cast<std::size_t>(state.range(0)));
}

inline void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// The n-th of any number of keys, peers and addresses; always the same.
inline KeyPair key(std::uint32_t n) {
  Ed25519Seed seed{};
  for (std::size_t i = 0; i < 4; ++i) seed[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return KeyPair::from_seed(seed);
}
inline PeerId peer(std::uint32_t n) { return key(n).peer_id(); }
inline Multiaddr addr(std::uint32_t n) {
  Endpoint at;
  at.host = {10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
             static_cast<std::uint8_t>(n)};
  at.port = 4001;
  return Multiaddr::tcp(at);
}

// What a benchmark's preparation cannot do without.
inline void need(bool holds) {
  if (!holds) throw std::logic_error("a benchmark's preparation failed");
}

}  // namespace kadmesh::bench
