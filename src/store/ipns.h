// Names whose value changes: "/ipns/<multihash of a key>" holds a record that this key has signed.
// (specs.ipfs.tech, "IPNS Record and Protocol"; where it is silent, as boxo does)
//
// A record is valid when
//   - it is at most 10 KiB, in any encoding that go takes (store/loose_proto.h);
//   - the key that it brings, or that is inlined in the name, hashes to the name;
//   - that key has signed "ipns-signature:" and the record's data (its first signature is ignored);
//   - the data is a DAG-CBOR map (base/cbor.h) with an integer Sequence, ValidityType 0 (until an
//     end), and Validity, text of RFC 3339, which has not passed; a TTL that is an integer is not
//     negative; of anything else there may be more;
//   - the copies of Value, Validity, ValidityType, Sequence and TTL outside the data, if a value or
//     a first signature is there, all say the same.
//
// Of valid records the best has the highest sequence, then the latest end, then the greatest bytes.
#pragma once

#include <cstdint>

#include "base/keys.h"
#include "base/moment.h"
#include "store/validator.h"

namespace kadmesh {

struct IpnsRecord {
  Bytes value;  // a path, "/ipfs/...", or an older form; not looked at, and empty if there is none
  std::uint64_t sequence;
  Moment validity;  // its last moment
  Duration ttl;     // how long its reader may keep it: a hint; 0 if there is none
};

// The key under which the records of a name are kept.
Bytes ipns_key(const PeerId& name);

// What a valid record says. Errc::limit and Errc::malformed for the bytes, Errc::auth for the key
// and the signature, Errc::timeout when it has passed, Errc::invalid for anything else.
Result<IpnsRecord> open_ipns(const PeerId& name, ByteView record, WallTime now);

// A record of the key's own name, with the copies for those who read no data, as go and js write
// it. Any value is sealed; js reads none but paths, which begin with a slash. Errc::limit above
// 10 KiB; Errc::invalid for a negative ttl and for a sequence of 2^63 or more, which others read as
// negative.
Result<Bytes> seal_ipns(const KeyPair& key, ByteView value, std::uint64_t sequence,
                        WallTime validity, Duration ttl);

// "/ipns/<multihash>": Errc::invalid and Errc::malformed for the key, else what open_ipns says.
class IpnsValidator final : public Validator {
 public:
  Result<void> validate(ByteView key, ByteView value, WallTime now) const override;
  // What cannot be read is worse than what can.
  std::size_t select(ByteView key, std::span<const Bytes> values) const override;
  // What was signed is the same; all else is how it was packed.
  bool same(ByteView key, ByteView one, ByteView other) const override;
};

}  // namespace kadmesh
