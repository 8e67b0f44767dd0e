#include "store/brought_key.h"

#include <optional>

#include "base/varint.h"
#include "store/loose_proto.h"

namespace kadmesh {
namespace {

constexpr std::uint32_t kType = 1, kData = 2;
constexpr std::size_t kMostKeyProto = 10 * 1024;  // a record's; the longest key has 1.1 KiB

struct Parts {
  std::optional<std::uint32_t> type;  // of which go sees 32 bits
  std::optional<ByteView> data;
};

Result<Parts> parts_of(ByteView proto) {
  if (proto.size() > kMostKeyProto) return fail(Errc::limit, "key protobuf: too long");
  Parts parts;
  while (!proto.empty()) {
    ASSIGN_OR_RETURN(const LooseField field, take_loose_field(proto));
    if (field.number == kType && field.wire == LooseWire::varint)
      parts.type = static_cast<std::uint32_t>(field.varint);
    if (field.number == kData && field.wire == LooseWire::bytes) parts.data = field.bytes;
  }
  return parts;
}

// Type, then data, each in its least form.
Bytes canonical(std::uint32_t type, ByteView data) {
  Bytes proto{kType << 3};
  put_varint(proto, type);
  proto.push_back(kData << 3 | 2);
  put_varint(proto, data.size());
  append(proto, data);
  return proto;
}

}  // namespace

Result<PublicKey> brought_key(const PeerId& name, ByteView proto) {
  ASSIGN_OR_RETURN(const Parts parts, parts_of(proto));
  if (!parts.type || !parts.data) return fail(Errc::malformed, "key protobuf: field missing");
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::from_proto(canonical(*parts.type, *parts.data)));
  if (key.peer_id() != name) return fail(Errc::auth, "a key that does not hash to " + name.text());
  return key;
}

}  // namespace kadmesh
