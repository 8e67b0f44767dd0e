#include "base/proto_scan.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::size_t kMostVarint64Size = 10;  // protobuf's; need not be minimal
constexpr std::size_t kMostShapeFields = 16;   // counted on the stack; ours have fewer

enum WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// What is wrong, or null: fields are read by the million, and an Error is made for the door alone.
using Fault = const char*;

Fault take_varint(ByteView& in, std::uint64_t& value) {
  value = 0;
  const std::size_t most = std::min(in.size(), kMostVarint64Size);
  for (std::size_t i = 0; i < most; ++i) {
    if (7 * i == 63 && in[i] > 1) return "a varint above 64 bits";
    value |= std::uint64_t{in[i] & 0x7fU} << (7 * i);
    if ((in[i] & 0x80) != 0) continue;
    in = in.subspan(i + 1);
    return nullptr;
  }
  return in.size() < kMostVarint64Size ? "cut off" : "a varint above 10 bytes";
}

Fault take(ByteView& in, std::uint64_t count, ByteView& front) {
  if (count > in.size()) return "cut off";
  front = in.first(count);
  in = in.subspan(count);
  return nullptr;
}

// The value behind a tag; empty unless its type is `bytes`.
Fault take_value(ByteView& in, std::uint64_t type, ByteView& body) {
  std::uint64_t size = 0;
  if (type == varint || type == bytes) {
    if (const Fault fault = take_varint(in, size)) return fault;
    return type == bytes ? take(in, size, body) : nullptr;
  }
  if (type != fixed64 && type != fixed32) return "a group, or no wire type";
  ByteView number;
  return take(in, type == fixed64 ? 8 : 4, number);
}

Fault take_field(ByteView& in, ProtoField& field) {
  const ByteView start = in;
  std::uint64_t tag = 0;
  if (const Fault fault = take_varint(in, tag)) return fault;
  if (tag > std::numeric_limits<std::uint32_t>::max()) return "a tag above 32 bits";
  if (tag >> 3 == 0) return "field number 0";
  if (const Fault fault = take_value(in, tag & 7, field.body)) return fault;
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.is_bytes = (tag & 7) == bytes;
  field.whole = start.first(start.size() - in.size());
  return nullptr;
}

std::unexpected<Error> malformed(Fault why) {
  return fail(Errc::malformed, std::string("protobuf: ") + why);
}

}  // namespace

Result<ProtoField> take_field(ByteView& in) {
  ProtoField field{};
  if (const Fault fault = take_field(in, field)) return malformed(fault);
  return field;
}

namespace {

class Scan {
 public:
  explicit Scan(const ScanLimits& limits) : limits_(limits) {}

  Result<void> message(ByteView in, const MessageShape& shape, unsigned depth) {
    KAD_CHECK(shape.fields.size() <= kMostShapeFields);
    if (depth > limits_.most_depth) return fail(Errc::limit, "protobuf: nested too deeply");
    std::array<std::size_t, kMostShapeFields> seen{};
    while (!in.empty()) {
      ProtoField field{};
      if (const Fault fault = take_field(in, field)) return malformed(fault);
      if (++elements_ > limits_.most_elements)
        return fail(Errc::limit, "protobuf: too many elements");
      RETURN_IF_ERROR(known(field, shape, seen, depth));
    }
    return {};
  }

 private:
  Result<void> known(const ProtoField& field, const MessageShape& shape,
                     std::span<std::size_t> seen, unsigned depth) {
    const auto it = std::ranges::find(shape.fields, field.number, &FieldShape::number);
    if (it == shape.fields.end()) return {};
    if (++seen[static_cast<std::size_t>(it - shape.fields.begin())] > it->most)
      return fail(Errc::limit, "protobuf: too many of field " + std::to_string(field.number));
    if (it->child == nullptr || !field.is_bytes) return {};
    return message(field.body, *it->child, depth + 1);
  }

  const ScanLimits& limits_;
  std::size_t elements_ = 0;
};

}  // namespace

Result<void> scan_message(ByteView message, const MessageShape& shape, const ScanLimits& limits) {
  if (message.size() > limits.most_bytes) return fail(Errc::limit, "protobuf: too long");
  return Scan(limits).message(message, shape, 1);
}

}  // namespace kadmesh
