// The symmetric half of a Noise handshake: a running hash of the transcript, a chaining key, and
// the cipher that the chaining key gives (Noise Protocol Framework, revision 34, sections 5.1 and
// 5.2), for Noise_XX_25519_ChaChaPoly_SHA256 alone. The names are the framework's.
#pragma once

#include <cstdint>
#include <optional>

#include "base/crypto.h"

namespace kadmesh {

class NoiseSymmetric {
 public:
  explicit NoiseSymmetric(ByteView prologue);
  ~NoiseSymmetric();  // wipes its secrets
  NoiseSymmetric(NoiseSymmetric&&) noexcept = default;
  NoiseSymmetric& operator=(NoiseSymmetric&&) noexcept = default;

  void mix_hash(ByteView data);
  // From here on there is a cipher, with a new key and its counter at 0.
  void mix_key(const X25519Key& shared);

  // Appends `plain` as it travels: sealed, or as it is while there is no cipher.
  void encrypt_and_hash(ByteView plain, Bytes& out);
  // Errc::auth when it was not sealed by our peer's end of this transcript.
  Result<Bytes> decrypt_and_hash(ByteView sealed);

  // The keys of the two directions: initiator's first.
  struct Split {
    AeadKey initiator;
    AeadKey responder;
  };
  Split split() const;

  const Sha256& hash() const { return hash_; }
  // The cipher's; only after mix_key().
  const AeadKey& key() const;

 private:
  Sha256 hash_;
  Sha256 chaining_key_;
  std::optional<AeadKey> key_;
  std::uint64_t counter_ = 0;
};

}  // namespace kadmesh
