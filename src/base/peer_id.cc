#include "base/peer_id.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/multibase.h"

namespace kadmesh {
namespace {

// Multihash: code, length, digest; both numbers are below 128, hence one byte each.
constexpr std::uint8_t kIdentity = 0x00;
constexpr std::uint8_t kSha256 = 0x12;
constexpr std::size_t kHeader = 2;
constexpr std::size_t kSha256Size = 32;

// CIDv1 with the multicodec libp2p-key.
constexpr std::array<std::uint8_t, 2> kCidPrefix{0x01, 0x72};

// The longest text of an id is its CID in base 16, 93 characters.
constexpr std::size_t kMostText = 128;
constexpr std::size_t kShortText = 6;

bool is_peer_multihash(ByteView bytes) {
  if (bytes.size() <= kHeader || bytes.size() > PeerId::kMostSize) return false;
  if (bytes[1] != bytes.size() - kHeader) return false;
  return bytes[0] == kIdentity || (bytes[0] == kSha256 && bytes[1] == kSha256Size);
}

bool is_bare_base58(std::string_view text) {
  return text.starts_with('1') || text.starts_with("Qm");
}

Bytes cid(ByteView multihash) {
  Bytes bytes;
  bytes.reserve(kCidPrefix.size() + multihash.size());
  append(bytes, kCidPrefix);
  append(bytes, multihash);
  return bytes;
}

}  // namespace

Result<PeerId> PeerId::from_bytes(ByteView multihash) {
  if (!is_peer_multihash(multihash)) {
    return fail(Errc::malformed,
                "not the multihash of a peer id: " +
                    to_hex(multihash.first(std::min(multihash.size(), kMostSize))));
  }
  PeerId id;
  std::ranges::copy(multihash, id.bytes_.begin());
  id.size_ = static_cast<std::uint8_t>(multihash.size());
  return id;
}

Result<PeerId> PeerId::from_text(std::string_view text) {
  if (text.size() > kMostText) return fail(Errc::malformed, "text too long for a peer id");
  if (is_bare_base58(text)) {
    ASSIGN_OR_RETURN(const Bytes multihash, from_base(Base::base58, text));
    return from_bytes(multihash);
  }
  ASSIGN_OR_RETURN(const Bytes bytes, from_multibase(text));
  const ByteView view = bytes;
  if (view.size() < kCidPrefix.size() || !equal(view.first(kCidPrefix.size()), kCidPrefix)) {
    return fail(Errc::malformed, "not a CIDv1 of a libp2p key");
  }
  return from_bytes(view.subspan(kCidPrefix.size()));
}

PeerId PeerId::of_key(ByteView public_key_proto) {
  const bool inlined = public_key_proto.size() <= kMostInlineKey;
  const Sha256 hash = inlined ? Sha256{} : sha256(public_key_proto);
  const ByteView digest = inlined ? public_key_proto : ByteView(hash);
  PeerId id;
  id.bytes_[0] = inlined ? kIdentity : kSha256;
  id.bytes_[1] = static_cast<std::uint8_t>(digest.size());
  std::ranges::copy(digest, id.bytes_.begin() + kHeader);
  id.size_ = static_cast<std::uint8_t>(kHeader + digest.size());
  return id;
}

std::string PeerId::text() const { return to_base(Base::base58, bytes()); }

std::string PeerId::base32_cid() const { return to_multibase(Base::base32, cid(bytes())); }

std::string PeerId::base36_cid() const { return to_multibase(Base::base36, cid(bytes())); }

std::string PeerId::short_text() const {
  const std::string whole = text();
  return whole.substr(whole.size() - std::min(whole.size(), kShortText));
}

ByteView PeerId::inlined_key() const {
  return bytes_[0] == kIdentity ? bytes().subspan(kHeader) : ByteView{};
}

}  // namespace kadmesh

std::size_t std::hash<kadmesh::PeerId>::operator()(const kadmesh::PeerId& id) const noexcept {
  return std::hash<std::string_view>{}(kadmesh::as_text(id.bytes()));
}
