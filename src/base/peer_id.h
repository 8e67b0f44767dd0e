// Who a peer is: the multihash of its public key (libp2p specs, peer-ids/peer-ids.md).
// Keys whose protobuf is at most 42 bytes are inlined (identity multihash), others hashed
// (SHA-256).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kadmesh {

class PeerId {
 public:
  static constexpr std::size_t kMostInlineKey = 42;
  static constexpr std::size_t kMostSize = kMostInlineKey + 2;

  // Only `identity` of 1 to 42 bytes and `sha2-256` of 32 are peer ids; Errc::malformed otherwise.
  static Result<PeerId> from_bytes(ByteView multihash);
  // base58btc ("12D3Koo…", "Qm…") or CIDv1 with codec libp2p-key in base16, base32, base36 or
  // base58.
  static Result<PeerId> from_text(std::string_view text);
  // Of the canonical PublicKey protobuf.
  static PeerId of_key(ByteView public_key_proto);

  ByteView bytes() const { return {bytes_.data(), size_}; }
  // base58btc, which is what every stack prints.
  std::string text() const;
  std::string base32_cid() const;
  std::string base36_cid() const;
  // The last characters of text(), for logs.
  std::string short_text() const;
  // The PublicKey protobuf inside an identity multihash; empty when the key was hashed.
  ByteView inlined_key() const;

  friend bool operator==(const PeerId& a, const PeerId& b) = default;
  // By bytes, a prefix first. The front decides nearly always: all inlined keys share six bytes,
  // and what follows is the key.
  friend std::strong_ordering operator<=>(const PeerId& a, const PeerId& b) {
    if (const auto order = a.front() <=> b.front(); order != 0) return order;
    if (const int order = std::memcmp(a.bytes_.data(), b.bytes_.data(), kMostSize); order != 0)
      return order <=> 0;
    return a.size_ <=> b.size_;
  }

 private:
  PeerId() = default;
  std::uint64_t front() const {
    std::uint64_t word;
    std::memcpy(&word, bytes_.data(), sizeof word);
    return std::endian::native == std::endian::little ? std::byteswap(word) : word;
  }
  std::array<std::uint8_t, kMostSize> bytes_{};  // zeros behind the last one
  std::uint8_t size_ = 0;
};

}  // namespace kadmesh

template <>
struct std::hash<kadmesh::PeerId> {
  std::size_t operator()(const kadmesh::PeerId& id) const noexcept;
};
