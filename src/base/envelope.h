// Signed envelopes (RFC 0002) and the peer records they carry (RFC 0003).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/keys.h"
#include "base/multiaddr.h"

namespace kadmesh {

class SignatureMemo;

inline constexpr std::size_t kMostEnvelopeSize = 8192;

struct Envelope {
  PublicKey signer;
  Bytes payload_type;
  Bytes payload;
};

// Errc::auth when the signature does not fit `domain`, Errc::malformed or Errc::limit for the
// bytes, and what PublicKey::from_proto says of the key.
Result<Envelope> open_envelope(ByteView bytes, std::string_view domain);
Bytes seal_envelope(const KeyPair& key, std::string_view domain, ByteView payload_type,
                    ByteView payload);

// Two pairs of domain and type are in use: go, js and nim write `standard`; rust's identify and
// rendezvous write and read `legacy` (the text of RFC 0003).
enum class RecordFlavour { standard, legacy };

struct PeerRecord {
  PeerId peer;
  std::uint64_t seq;  // compared only with records of the same peer
  std::vector<Multiaddr> addrs;
};

inline constexpr std::size_t kMostRecordAddrs = 128;

// Accepts both flavours; Errc::unsupported for an envelope of anything else. The signer must be the
// subject (Errc::auth otherwise); an address that cannot be parsed is dropped alone.
// `memo`: null, or what a simulation has verified before.
Result<PeerRecord> open_peer_record(ByteView envelope, SignatureMemo* memo = nullptr);
// `record.peer` is the key's own id. Others refuse what is longer than the bounds above.
Bytes seal_peer_record(const KeyPair& key, const PeerRecord& record, RecordFlavour flavour);

}  // namespace kadmesh
