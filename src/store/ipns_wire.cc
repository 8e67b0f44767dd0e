#include "store/ipns_wire.h"

#include <array>
#include <numeric>
#include <string>

#include "ipns.pb.h"
#include "store/loose_proto.h"

namespace kadmesh {
namespace {

// The fields by their numbers.
enum Field : std::uint32_t {
  kValue = 1,
  kSignatureV1,
  kValidityType,
  kValidity,
  kSequence,
  kTtl,
  kPublicKey,
  kSignatureV2,
  kData,
  kFields
};

std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

void put_legacy(const IpnsEntry& entry, pb::IpnsEntry& out) {
  out.set_value(to_text(entry.value));
  if (!entry.signature_v1.empty()) out.set_signature_v1(to_text(entry.signature_v1));
  out.set_validity_type(entry.validity_type);
  out.set_validity(to_text(entry.validity));
  out.set_sequence(entry.sequence);
  out.set_ttl(entry.ttl);
}

Bytes* bytes_of(IpnsEntry& entry, std::uint32_t number) {
  switch (number) {
    case kValue:
      return &entry.value;
    case kSignatureV1:
      return &entry.signature_v1;
    case kValidity:
      return &entry.validity;
    case kPublicKey:
      return &entry.public_key;
    case kSignatureV2:
      return &entry.signature_v2;
    case kData:
      return &entry.data;
    default:
      return nullptr;
  }
}

// go keeps the last 32 bits of a type.
bool take_number(IpnsEntry& entry, const LooseField& field) {
  if (field.number == kValidityType)
    entry.validity_type = static_cast<std::int32_t>(static_cast<std::uint32_t>(field.varint));
  if (field.number == kSequence) entry.sequence = field.varint;
  if (field.number == kTtl) entry.ttl = field.varint;
  return field.number == kValidityType || field.number == kSequence || field.number == kTtl;
}

// Whether it is one of ours.
bool take(IpnsEntry& entry, const LooseField& field) {
  if (field.wire == LooseWire::varint) return take_number(entry, field);
  if (field.wire != LooseWire::bytes) return false;
  Bytes* const into = bytes_of(entry, field.number);
  if (into) *into = to_bytes(field.bytes);
  return into != nullptr;
}

// What go takes to write again what it has read: each field of ours once and in its least form,
// then all that it does not know, behind tags in their least form. A type of 2^31 and more has a
// sign then, and 10 bytes.
class Sizes {
 public:
  void add(const LooseField& field, bool ours) {
    if (ours)
      ours_.at(field.number) = size_of_tag(field.number) + size_of(field);
    else
      others_ += size_of_tag(field.number) + field.size;
  }
  std::size_t sum() const { return std::accumulate(ours_.begin(), ours_.end(), others_); }

 private:
  static std::size_t size_of(const LooseField& field) {
    if (field.wire == LooseWire::bytes)
      return size_of_varint(field.bytes.size()) + field.bytes.size();
    if (field.number != kValidityType) return size_of_varint(field.varint);
    const auto type = static_cast<std::int32_t>(static_cast<std::uint32_t>(field.varint));
    return size_of_varint(static_cast<std::uint64_t>(std::int64_t{type}));
  }

  std::array<std::size_t, kFields> ours_{};
  std::size_t others_ = 0;
};

std::unexpected<Error> too_long() {
  return fail(Errc::limit, "ipns: above " + std::to_string(kMostIpnsRecord) + " bytes");
}

}  // namespace

Result<IpnsEntry> decode_ipns(ByteView bytes) {
  if (bytes.size() > kMostIpnsRecord) return too_long();
  IpnsEntry entry;
  Sizes sizes;
  while (!bytes.empty()) {
    ASSIGN_OR_RETURN(const LooseField field, take_loose_field(bytes));
    sizes.add(field, take(entry, field));
  }
  if (sizes.sum() > kMostIpnsRecord) return too_long();
  return entry;
}

Bytes encode_ipns(const IpnsEntry& entry) {
  pb::IpnsEntry message;
  if (entry.has_legacy()) put_legacy(entry, message);
  if (!entry.public_key.empty()) message.set_pub_key(to_text(entry.public_key));
  if (!entry.signature_v2.empty()) message.set_signature_v2(to_text(entry.signature_v2));
  if (!entry.data.empty()) message.set_data(to_text(entry.data));
  return to_bytes(as_bytes(message.SerializeAsString()));
}

}  // namespace kadmesh
