// A look over protobuf bytes before a generated decoder sees them. Decoders bound neither elements
// nor depth (1 MiB of empty submessages becomes 24 MiB of objects), so this counts first; one pass,
// no allocation. What a decoder would make of the bytes is bounded before it makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace kadmesh {

struct MessageShape;

// One field that is a submessage or whose number of occurrences is bounded. Fields not named are
// allowed and only counted in the total.
struct FieldShape {
  std::uint32_t number;
  std::size_t most;                     // occurrences within one parent message
  const MessageShape* child = nullptr;  // the field holds this message
};

struct MessageShape {
  std::span<const FieldShape> fields;
};

struct ScanLimits {
  std::size_t most_bytes;
  std::size_t most_elements;  // fields of all levels together
  unsigned most_depth = 8;
};

// A field as it lies in a message; both views are into that message.
struct ProtoField {
  std::uint32_t number;
  bool is_bytes;   // its wire type; `body` is empty for every other one
  ByteView body;   // the value behind tag and length
  ByteView whole;  // tag and length included
};

// Takes the first field off `in`, which holds at least one byte. For hot paths that want one field
// without a copy. Errc::malformed as scan_message.
Result<ProtoField> take_field(ByteView& in);

// Errc::limit when a bound is passed, Errc::malformed for bytes that are no protobuf
// (truncated, a group, field number 0, a varint above 10 bytes).
Result<void> scan_message(ByteView message, const MessageShape& shape, const ScanLimits& limits);

}  // namespace kadmesh
