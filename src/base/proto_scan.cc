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

std::unexpected<Error> malformed(const char* why) {
  return fail(Errc::malformed, std::string("protobuf: ") + why);
}

enum WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

Result<std::uint64_t> take_varint(ByteView& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min(in.size(), kMostVarint64Size); ++i) {
    value |= std::uint64_t{in[i] & 0x7fU} << (7 * i);
    if ((in[i] & 0x80) != 0) continue;
    in = in.subspan(i + 1);
    return value;
  }
  return malformed(in.size() < kMostVarint64Size ? "cut off" : "a varint above 10 bytes");
}

Result<ByteView> take(ByteView& in, std::uint64_t count) {
  if (count > in.size()) return malformed("cut off");
  const ByteView front = in.first(count);
  in = in.subspan(count);
  return front;
}

// The value behind a tag; empty unless its type is `bytes`.
Result<ByteView> take_value(ByteView& in, std::uint64_t type) {
  std::uint64_t size = 0;
  if (type == varint || type == bytes) {
    ASSIGN_OR_RETURN(size, take_varint(in));
    return type == bytes ? take(in, size) : ByteView();
  }
  if (type != fixed64 && type != fixed32) return malformed("a group, or no wire type");
  RETURN_IF_ERROR(take(in, type == fixed64 ? 8 : 4));
  return ByteView();
}

}  // namespace

Result<ProtoField> take_field(ByteView& in) {
  const ByteView start = in;
  ASSIGN_OR_RETURN(const std::uint64_t tag, take_varint(in));
  if (tag > std::numeric_limits<std::uint32_t>::max()) return malformed("a tag above 32 bits");
  if (tag >> 3 == 0) return malformed("field number 0");
  ASSIGN_OR_RETURN(const ByteView body, take_value(in, tag & 7));
  return ProtoField{static_cast<std::uint32_t>(tag >> 3), (tag & 7) == bytes, body,
                    start.first(start.size() - in.size())};
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
      ASSIGN_OR_RETURN(const ProtoField field, take_field(in));
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
