// Unsigned LEB128 as multiformats restricts it: minimal, at most 9 bytes, so at most 63 bits.
// (multiformats/unsigned-varint, "Practical maximum of 9 bytes")
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace kadmesh {

inline constexpr std::size_t kMostVarintSize = 9;
inline constexpr std::uint64_t kMostVarint = (std::uint64_t{1} << 63) - 1;

struct Varint {
  std::uint64_t value;
  std::size_t size;  // bytes read, 1..9
};

// value <= kMostVarint.
void put_varint(Bytes& out, std::uint64_t value);
std::size_t varint_size(std::uint64_t value);

// Reads from the front of `in`. No value: more bytes are needed.
// Errc::malformed: not minimal, or longer than 9 bytes.
Result<std::optional<Varint>> get_varint(ByteView in);

}  // namespace kadmesh
