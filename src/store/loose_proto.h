// A protobuf message as go reads it. What lies outside a signature anybody may encode anew: had we
// other rules than go, whoever likes could write a record that one of us keeps and the other does
// not. (google.golang.org/protobuf; protobuf.dev, "Encoding")
//
//   - A varint has up to 10 bytes and 64 bits, and need not be minimal: in tags and lengths too.
//   - Field numbers are 1 to 2^29 - 1, inside a group to 2^31 - 1.
//   - A group is passed over with what is in it, if it ends. go lets 10,000 nest, which is more
//     than there is room for in 10 KiB: whoever reads bounds the message to that.
//   - A field whose number or wire type says nothing to its reader is passed over. Of one that
//     comes several times the last counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace kadmesh {

enum class LooseWire : std::uint8_t { varint, bytes, other };

struct LooseField {
  std::uint32_t number = 0;
  LooseWire wire = LooseWire::other;
  std::uint64_t varint = 0;  // of a field of that type
  ByteView bytes{};          // likewise
  std::size_t size = 0;      // behind its tag, as it lies there
};

// Takes the first field off `in`, which holds at least one byte. Errc::malformed.
Result<LooseField> take_loose_field(ByteView& in);

// In their least form, as go writes what it has read.
std::size_t size_of_varint(std::uint64_t value);
std::size_t size_of_tag(std::uint32_t number);

}  // namespace kadmesh
