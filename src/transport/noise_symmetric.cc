#include "transport/noise_symmetric.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace kadmesh {
namespace {

// 32 bytes, so that it is the first hash itself (section 5.2, InitializeSymmetric).
constexpr std::string_view kProtocol = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kProtocol.size() == sizeof(Sha256));

Sha256 protocol_hash() {
  Sha256 hash;
  std::ranges::copy(as_bytes(kProtocol), hash.begin());
  return hash;
}

// HKDF with two outputs (section 4.3).
std::pair<Sha256, Sha256> hkdf(const Sha256& chaining_key, ByteView input) {
  Sha256 temporary = hmac_sha256(chaining_key, input);
  std::array<std::uint8_t, 33> block{};
  block[32] = 1;
  const Sha256 first = hmac_sha256(temporary, ByteView(block).last(1));
  std::ranges::copy(first, block.begin());
  block[32] = 2;
  const Sha256 second = hmac_sha256(temporary, block);
  wipe(temporary);
  wipe(block);
  return {first, second};
}

}  // namespace

NoiseSymmetric::NoiseSymmetric(ByteView prologue) : hash_(protocol_hash()), chaining_key_(hash_) {
  mix_hash(prologue);
}

NoiseSymmetric::~NoiseSymmetric() {
  wipe(chaining_key_);
  if (key_) wipe(*key_);
}

void NoiseSymmetric::mix_hash(ByteView data) {
  const std::array<ByteView, 2> pieces{hash_, data};
  hash_ = sha256(pieces);
}

void NoiseSymmetric::mix_key(const X25519Key& shared) {
  std::pair<Sha256, AeadKey> keys = hkdf(chaining_key_, shared);
  chaining_key_ = keys.first;
  key_ = keys.second;
  wipe(keys.first);
  wipe(keys.second);
  counter_ = 0;
}

void NoiseSymmetric::encrypt_and_hash(ByteView plain, Bytes& out) {
  const std::size_t start = out.size();
  append(out, plain);
  if (key_) {
    out.resize(out.size() + kAeadTagSize);
    const auto sealed = std::span(out).subspan(start);
    aead_seal(*key_, counter_++, hash_, sealed.first(plain.size()), sealed);
  }
  mix_hash(ByteView(out).subspan(start));
}

Result<Bytes> NoiseSymmetric::decrypt_and_hash(ByteView sealed) {
  Bytes plain = to_bytes(sealed);
  if (key_) {
    if (sealed.size() < kAeadTagSize) return fail(Errc::malformed, "noise: shorter than a tag");
    plain.resize(sealed.size() - kAeadTagSize);
    if (!aead_open(*key_, counter_++, hash_, sealed, plain))
      return fail(Errc::auth, "noise: a handshake message does not decrypt");
  }
  mix_hash(sealed);
  return plain;
}

NoiseSymmetric::Split NoiseSymmetric::split() const {
  const auto [initiator, responder] = hkdf(chaining_key_, {});
  return {initiator, responder};
}

const AeadKey& NoiseSymmetric::key() const {
  KAD_CHECK(key_);
  return *key_;
}

}  // namespace kadmesh
