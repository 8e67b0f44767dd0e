#include "store/ipns_wire.h"

#include "base/proto_scan.h"
#include "ipns.pb.h"

namespace kadmesh {
namespace {

constexpr MessageShape kShape{};  // flat: nine fields and what the future adds
constexpr ScanLimits kLimits{kMostIpnsRecord, 64, 1};

Bytes bytes_of(const std::string& text) { return to_bytes(as_bytes(text)); }
std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

void put_legacy(const IpnsEntry& entry, pb::IpnsEntry& out) {
  out.set_value(to_text(entry.value));
  if (!entry.signature_v1.empty()) out.set_signature_v1(to_text(entry.signature_v1));
  out.set_validity_type(entry.validity_type);
  out.set_validity(to_text(entry.validity));
  out.set_sequence(entry.sequence);
  out.set_ttl(entry.ttl);
}

}  // namespace

Result<IpnsEntry> decode_ipns(ByteView bytes) {
  RETURN_IF_ERROR(scan_message(bytes, kShape, kLimits));
  pb::IpnsEntry message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::malformed, "ipns: no protobuf");
  return IpnsEntry{.value = bytes_of(message.value()),
                   .signature_v1 = bytes_of(message.signature_v1()),
                   .validity_type = message.validity_type(),
                   .validity = bytes_of(message.validity()),
                   .sequence = message.sequence(),
                   .ttl = message.ttl(),
                   .public_key = bytes_of(message.pub_key()),
                   .signature_v2 = bytes_of(message.signature_v2()),
                   .data = bytes_of(message.data())};
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
