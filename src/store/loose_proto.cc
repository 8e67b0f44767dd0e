#include "store/loose_proto.h"

#include <bit>
#include <limits>
#include <string>
#include <vector>

namespace kadmesh {
namespace {

constexpr std::size_t kMostSize = 10;
constexpr std::uint64_t kMostNumber = (std::uint64_t{1} << 29) - 1;
constexpr std::uint64_t kMostGroupedNumber = std::numeric_limits<std::int32_t>::max();

enum Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, begin = 3, end = 4, fixed32 = 5 };

struct Tag {
  std::uint32_t number;
  std::uint8_t wire;
};

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::malformed, "protobuf: " + std::string(what));
}

Result<std::uint64_t> take_varint(ByteView& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMostSize && i < in.size(); ++i) {
    if (i == kMostSize - 1 && in[i] > 1) return malformed("a varint above 64 bits");
    value |= std::uint64_t{in[i] & 0x7fU} << (7 * i);
    if ((in[i] & 0x80) != 0) continue;
    in = in.subspan(i + 1);
    return value;
  }
  return malformed("a varint that does not end");
}

Result<ByteView> take(ByteView& in, std::uint64_t count) {
  if (count > in.size()) return malformed("cut off");
  const ByteView front = in.first(static_cast<std::size_t>(count));
  in = in.subspan(front.size());
  return front;
}

Result<Tag> take_tag(ByteView& in, std::uint64_t most) {
  ASSIGN_OR_RETURN(const std::uint64_t tag, take_varint(in));
  if (tag >> 3 == 0 || tag >> 3 > most) return malformed("no field number");
  return Tag{static_cast<std::uint32_t>(tag >> 3), static_cast<std::uint8_t>(tag & 7)};
}

// A value that is no group.
Result<void> take_value(ByteView& in, const Tag& tag, LooseField& field) {
  if (tag.wire == fixed64 || tag.wire == fixed32) {
    RETURN_IF_ERROR(take(in, tag.wire == fixed64 ? 8 : 4));
    return {};
  }
  if (tag.wire != varint && tag.wire != bytes) return malformed("no wire type");
  ASSIGN_OR_RETURN(field.varint, take_varint(in));
  field.wire = tag.wire == varint ? LooseWire::varint : LooseWire::bytes;
  if (tag.wire == bytes) {
    ASSIGN_OR_RETURN(field.bytes, take(in, field.varint));
  }
  return {};
}

// Behind the group's first tag. Those that are open are no more than bytes were read.
Result<void> pass_group(ByteView& in, std::uint32_t number) {
  std::vector<std::uint32_t> open{number};
  while (!open.empty()) {
    ASSIGN_OR_RETURN(const Tag tag, take_tag(in, kMostGroupedNumber));
    if (tag.wire == begin) {
      open.push_back(tag.number);
    } else if (tag.wire == end) {
      if (open.back() != tag.number) return malformed("a group that ends as another");
      open.pop_back();
    } else {
      LooseField passed;
      RETURN_IF_ERROR(take_value(in, tag, passed));
    }
  }
  return {};
}

}  // namespace

Result<LooseField> take_loose_field(ByteView& in) {
  ASSIGN_OR_RETURN(const Tag tag, take_tag(in, kMostNumber));
  LooseField field{.number = tag.number};
  const std::size_t left = in.size();
  RETURN_IF_ERROR(tag.wire == begin ? pass_group(in, tag.number) : take_value(in, tag, field));
  field.size = left - in.size();
  return field;
}

std::size_t size_of_varint(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

std::size_t size_of_tag(std::uint32_t number) { return size_of_varint(std::uint64_t{number} << 3); }

}  // namespace kadmesh
