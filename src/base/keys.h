// Identity keys and their protobufs (libp2p specs, peer-ids/peer-ids.md, "Keys").
// Ed25519 is made and verified; RSA, ECDSA P-256 and secp256k1 are verified.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/peer_id.h"

namespace kadmesh {

enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

class PublicKey {
 public:
  // From the PublicKey protobuf, in the canonical encoding alone: type, then data, minimal varints,
  // nothing else. go and rust also read other encodings and hash the canonical one; then one key
  // could be inlined in several ids, and nobody writes them. The key is checked (size caps, RSA
  // numbers, point on the curve; of Ed25519 only the length: 32 bytes that are no point verify
  // nothing). Errc::malformed, Errc::unsupported, Errc::limit.
  static Result<PublicKey> from_proto(ByteView proto);
  static PublicKey ed25519(const Ed25519Public& key);

  KeyType type() const { return type_; }
  ByteView data() const { return data_; }
  // Canonical: type first and always written, minimal varints. This is what a peer id hashes.
  Bytes proto() const;
  PeerId peer_id() const { return PeerId::of_key(proto()); }
  bool verify(ByteView message, ByteView signature) const;

  friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
  PublicKey(KeyType type, Bytes data) : type_(type), data_(std::move(data)) {}
  KeyType type_;
  Bytes data_;
};

// The key inside an id, when it is inlined there. Errc::not_found for hashed ids.
Result<PublicKey> key_of(const PeerId& id);

// Our own identity.
class KeyPair {
 public:
  static KeyPair make(Rng& rng);
  static KeyPair from_seed(const Ed25519Seed& seed) { return KeyPair(Ed25519Key(seed)); }
  // The PrivateKey protobuf as go, rust and js write it to disk; Ed25519 only (64 bytes
  // seed‖public, or the older 96 whose halves must agree).
  static Result<KeyPair> from_proto(ByteView proto);
  // Empty when somebody else signs.
  Bytes proto() const;

  // The private half is not here: `signer` answers with a signature of the message.
  using Signer = std::function<Bytes(ByteView message)>;
  static KeyPair signed_by(PublicKey key, Signer signer);

  Bytes sign(ByteView message) const;
  const PublicKey& public_key() const { return public_; }
  const PeerId& peer_id() const { return id_; }

 private:
  using Key = std::variant<Ed25519Key, std::shared_ptr<const Signer>>;
  explicit KeyPair(const Ed25519Key& key);
  KeyPair(Key key, PublicKey public_key);
  Key key_;
  PublicKey public_;
  PeerId id_;
};

}  // namespace kadmesh
