// Peers and addresses for tests, by number; bytes by text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/peer_id.h"
#include "base/time.h"
#include "kad/key.h"

namespace kadmesh::testing {

// An Ed25519 key's protobuf whose key is the number: as a peer id, all that matters.
inline PeerId peer(std::uint32_t number) {
  Bytes key{0x08, 0x01, 0x12, 0x20};
  key.resize(36);
  for (std::size_t i = 0; i < 4; ++i) key[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return PeerId::of_key(key);
}

inline Multiaddr tcp(std::uint32_t ip, std::uint16_t port = 4001) {
  Endpoint endpoint;
  for (std::size_t i = 0; i < 4; ++i)
    endpoint.host[i] = static_cast<std::uint8_t>(ip >> (8 * (3 - i)));
  endpoint.port = port;
  return Multiaddr::tcp(endpoint);
}

// 10.x.y.z, a place of its own for each number.
inline Multiaddr home(std::uint32_t number) { return tcp(0x0a000000 + number); }
inline std::vector<Dialable> listens_at(std::uint32_t number) {
  return {Dialable(home(number), Source::identify)};
}
inline Contact contact(std::uint32_t number) { return {peer(number), listens_at(number)}; }

inline Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

inline Time at(Duration since_start) { return Time(since_start); }

// The first number from `from` on whose peer shares exactly `prefix` bits with `self`.
inline std::uint32_t in_bucket(const PeerId& self, unsigned prefix, std::uint32_t from) {
  while (common_prefix(KadId::of(self), KadId::of(peer(from))) != prefix) ++from;
  return from;
}

}  // namespace kadmesh::testing
