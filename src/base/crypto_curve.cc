#include <algorithm>

#include "base/crypto.h"
#include "base/crypto_sodium.h"

namespace kadmesh {

X25519KeyPair x25519_from_secret(const X25519Key& secret) {
  X25519KeyPair pair{secret, {}};
  KAD_CHECK(crypto_scalarmult_base(pair.share.data(), secret.data()) == 0);
  return pair;
}

SipHash sip_hash(const SipKey& key, ByteView data) {
  static_assert(sizeof(SipKey) == crypto_shorthash_siphashx24_KEYBYTES);
  static_assert(sizeof(SipHash) == crypto_shorthash_siphashx24_BYTES);
  SipHash hash;
  crypto_shorthash_siphashx24(hash.data(), data.data(), data.size(), key.data());
  return hash;
}

X25519KeyPair make_x25519(Rng& rng) {
  X25519Key secret;
  rng.fill(secret);
  const X25519KeyPair pair = x25519_from_secret(secret);
  wipe(secret);
  return pair;
}

Result<X25519Key> x25519(const X25519Key& secret, const X25519Key& their_share) {
  X25519Key shared;
  if (crypto_scalarmult(shared.data(), secret.data(), their_share.data()) != 0) {
    return fail(Errc::auth, "X25519 share of small order");
  }
  return shared;
}

Ed25519Key::Ed25519Key(const Ed25519Seed& seed) : seed_(seed) {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
  KAD_CHECK(crypto_sign_seed_keypair(share_.data(), expanded.data(), seed_.data()) == 0);
  wipe(expanded);
}

Ed25519Signature Ed25519Key::sign(ByteView message) const {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;  // seed, then public half
  std::ranges::copy(share_, std::ranges::copy(seed_, expanded.begin()).out);
  Ed25519Signature signature;
  KAD_CHECK(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                                 expanded.data()) == 0);
  wipe(expanded);
  return signature;
}

bool ed25519_verify(const Ed25519Public& key, ByteView message, ByteView signature) {
  if (signature.size() != crypto_sign_BYTES) return false;
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

void wipe(std::span<std::uint8_t> secret) { sodium_memzero(secret.data(), secret.size()); }

}  // namespace kadmesh
