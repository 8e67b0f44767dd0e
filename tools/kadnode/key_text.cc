#include "kadnode/key_text.h"

#include "base/crypto.h"
#include "base/multibase.h"
#include "base/peer_id.h"

namespace kadmesh::kadnode {
namespace {

// Of a multihash, and so of a CIDv0: SHA-256, and that 32 bytes follow.
constexpr std::uint8_t kHash = 0x12, kLength = 0x20;

bool is_sha256(const Bytes& multihash) {
  return multihash.size() == 2 + kLength && multihash[0] == kHash && multihash[1] == kLength;
}

}  // namespace

Bytes parse_content_key(std::string_view text) {
  if (text.starts_with("Qm"))
    if (auto multihash = from_base(Base::base58, text); multihash && is_sha256(*multihash))
      return *multihash;
  if (auto multihash = from_hex(text); multihash && is_sha256(*multihash)) return *multihash;
  return hashed_content_key(text);
}

Bytes hashed_content_key(std::string_view text) {
  Bytes multihash{kHash, kLength};
  append(multihash, sha256(as_bytes(text)));
  return multihash;
}

Bytes parse_record_key(std::string_view text) {
  Bytes key = to_bytes(as_bytes(text));
  for (const std::string_view space : {"/pk/", "/ipns/"}) {
    if (!text.starts_with(space)) continue;
    const auto peer = PeerId::from_text(text.substr(space.size()));
    if (!peer) continue;
    key.resize(space.size());
    append(key, peer->bytes());
  }
  return key;
}

Bytes parse_any_key(std::string_view text) {
  if (text.starts_with('/')) return parse_record_key(text);
  if (const auto peer = PeerId::from_text(text)) return to_bytes(peer->bytes());
  return parse_content_key(text);
}

}  // namespace kadmesh::kadnode
