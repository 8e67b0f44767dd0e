// A record of /ipns as it lies on the wire; store/ipns.h says what its fields must be.
// (specs.ipfs.tech, "IPNS Record and Protocol", "Record Serialization Format")
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace kadmesh {

inline constexpr std::size_t kMostIpnsRecord = 10 * 1024;

// A field that is not there is empty, or 0.
struct IpnsEntry {
  // Copies of what `data` says, and a signature over three of them: for those who stayed behind
  // when `data` came.
  Bytes value;
  Bytes signature_v1;
  std::int32_t validity_type = 0;
  Bytes validity;
  std::uint64_t sequence = 0;
  std::uint64_t ttl = 0;

  Bytes public_key;  // a PublicKey protobuf; empty when the name holds it
  Bytes signature_v2;
  Bytes data;  // DAG-CBOR

  bool has_legacy() const { return !value.empty() || !signature_v1.empty(); }
};

// As go reads it (store/loose_proto.h): the encoding is not signed, and whoever likes may write a
// record anew. Errc::limit above kMostIpnsRecord bytes, be it as go would write it again;
// Errc::malformed for what is no protobuf.
Result<IpnsEntry> decode_ipns(ByteView bytes);
// The copies, all or none, as has_legacy() says.
Bytes encode_ipns(const IpnsEntry& entry);

}  // namespace kadmesh
