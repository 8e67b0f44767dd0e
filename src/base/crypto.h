// The primitives, behind one door: libsodium for curves and short frames, OpenSSL's libcrypto for
// long frames, SHA-256 and the key types that libsodium lacks (doc/architecture.md has the
// figures). Nothing here draws luck of its own: keys come from a caller's Rng.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "base/rng.h"

namespace kadmesh {

// Overwrites secrets in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

// --- SHA-256 (FIPS 180-4), HMAC (RFC 2104)
using Sha256 = std::array<std::uint8_t, 32>;
Sha256 sha256(ByteView data);
// Of the concatenation, without making it.
Sha256 sha256(std::span<const ByteView> pieces);
Sha256 hmac_sha256(ByteView key, ByteView data);

// --- SipHash-2-4 (Aumasson & Bernstein 2012), 128 bits: for tables of what peers choose. Who does
// not know the key cannot make two things collide.
using SipKey = std::array<std::uint8_t, 16>;
using SipHash = std::array<std::uint8_t, 16>;
SipHash sip_hash(const SipKey& key, ByteView data);
// Hashes one for the tables of the standard library: it is a hash already.
struct SipPrefix {
  std::size_t operator()(const SipHash& hash) const {
    std::size_t value;
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
  }
};

// --- X25519 (RFC 7748)
using X25519Key = std::array<std::uint8_t, 32>;
struct X25519KeyPair {
  X25519Key secret;
  X25519Key share;  // the public half
};
X25519KeyPair make_x25519(Rng& rng);
X25519KeyPair x25519_from_secret(const X25519Key& secret);
// Errc::auth for a share of small order (an all-zero result).
Result<X25519Key> x25519(const X25519Key& secret, const X25519Key& their_share);

// --- Ed25519 (RFC 8032)
using Ed25519Seed = std::array<std::uint8_t, 32>;
using Ed25519Public = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;
class Ed25519Key {
 public:
  explicit Ed25519Key(const Ed25519Seed& seed);
  Ed25519Key(const Ed25519Key&) = default;
  Ed25519Key& operator=(const Ed25519Key&) = default;
  ~Ed25519Key() { wipe(seed_); }

  Ed25519Signature sign(ByteView message) const;
  const Ed25519Public& share() const { return share_; }
  const Ed25519Seed& seed() const { return seed_; }

 private:
  Ed25519Seed seed_;
  Ed25519Public share_;
};
// False for what does not verify, also for a key of small order or an S that is not canonical.
bool ed25519_verify(const Ed25519Public& key, ByteView message, ByteView signature);

// --- Keys that peers may have and we never make
// `spki` is an X.509 SubjectPublicKeyInfo in DER. Sizes are capped before any big-number work:
// RSA 2048..8192 bits with an exponent of at most 31 bits, ECDSA P-256 only. False for whatever
// does not verify.
inline constexpr std::size_t kMostSpkiSize = 1200;  // an 8192-bit RSA key is 1062 bytes
bool rsa_sha256_verify(ByteView spki, ByteView message, ByteView signature);
bool ecdsa_p256_sha256_verify(ByteView spki, ByteView message, ByteView der_signature);
// `point`: 33 bytes compressed or 65 uncompressed.
bool secp256k1_sha256_verify(ByteView point, ByteView message, ByteView der_signature);
// A key of that kind, well formed and within the caps: what may become a peer id. Errc::malformed,
// Errc::limit, Errc::unsupported (another curve).
Result<void> check_rsa_key(ByteView spki);
Result<void> check_ecdsa_p256_key(ByteView spki);
Result<void> check_secp256k1_key(ByteView point);

// --- ChaCha20-Poly1305 (RFC 8439), the nonce as Noise counts it
inline constexpr std::size_t kAeadTagSize = 16;
using AeadKey = std::array<std::uint8_t, 32>;
// The nonce is 4 zero bytes and `counter` little-endian (Noise rev 34, section 12.3).
// `out` has room for plain.size() + kAeadTagSize bytes; it may start where `plain` starts.
void aead_seal(const AeadKey& key, std::uint64_t counter, ByteView ad, ByteView plain,
               std::span<std::uint8_t> out);
// `out` has room for sealed.size() - kAeadTagSize bytes; it may start where `sealed` starts.
// False, and `out` unspecified, when the tag is wrong or `sealed` shorter than a tag.
[[nodiscard]] bool aead_open(const AeadKey& key, std::uint64_t counter, ByteView ad,
                             ByteView sealed, std::span<std::uint8_t> out);

}  // namespace kadmesh
