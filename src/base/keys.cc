#include "base/keys.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/varint.h"

namespace kadmesh {
namespace {

// Both protobufs: 08 <type> 12 <length> <data>.
constexpr std::uint8_t kTypeTag = 0x08;
constexpr std::uint8_t kDataTag = 0x12;

struct TypedData {
  KeyType type;
  ByteView data;
};

Result<KeyType> key_type(std::uint64_t number) {
  if (number > std::to_underlying(KeyType::ecdsa)) {
    return fail(Errc::unsupported, "key type " + std::to_string(number));
  }
  return static_cast<KeyType>(number);
}

Result<std::uint64_t> take_field(ByteView& in, std::uint8_t tag) {
  if (in.empty() || in[0] != tag) return fail(Errc::malformed, "key protobuf: field missing");
  ASSIGN_OR_RETURN(const std::optional<Varint> number, get_varint(in.subspan(1)));
  if (!number) return fail(Errc::malformed, "key protobuf cut short");
  in = in.subspan(1 + number->size);
  return number->value;
}

// Reads the one encoding that the specification allows for writing.
Result<TypedData> take_key(ByteView proto) {
  ASSIGN_OR_RETURN(const std::uint64_t number, take_field(proto, kTypeTag));
  ASSIGN_OR_RETURN(const KeyType type, key_type(number));
  ASSIGN_OR_RETURN(const std::uint64_t length, take_field(proto, kDataTag));
  if (length != proto.size()) return fail(Errc::malformed, "key protobuf of another length");
  return TypedData{type, proto};
}

Bytes put_key(KeyType type, ByteView data) {
  Bytes proto{kTypeTag, std::to_underlying(type), kDataTag};
  put_varint(proto, data.size());
  append(proto, data);
  return proto;
}

Ed25519Public to_ed25519(ByteView data) {
  Ed25519Public key;
  KAD_CHECK(data.size() == key.size());
  std::ranges::copy(data, key.begin());
  return key;
}

Result<void> check_key(KeyType type, ByteView data) {
  switch (type) {
    case KeyType::rsa:
      return check_rsa_key(data);
    case KeyType::ed25519:
      if (data.size() == Ed25519Public{}.size()) return {};
      return fail(Errc::malformed, "Ed25519 key of " + std::to_string(data.size()) + " bytes");
    case KeyType::secp256k1:
      return check_secp256k1_key(data);
    case KeyType::ecdsa:
      return check_ecdsa_p256_key(data);
  }
  return fail(Errc::unsupported, "key type");
}

// A secp256k1 key is known by its compressed form, whichever was sent (as in go and rust).
Bytes compressed(ByteView point) {
  constexpr std::size_t kCompressed = 33;
  if (point.size() == kCompressed) return to_bytes(point);
  Bytes bytes = to_bytes(point.first(kCompressed));
  bytes[0] = (point.back() & 1) != 0 ? 0x03 : 0x02;
  return bytes;
}

}  // namespace

Result<PublicKey> PublicKey::from_proto(ByteView proto) {
  ASSIGN_OR_RETURN(const TypedData key, take_key(proto));
  RETURN_IF_ERROR(check_key(key.type, key.data));
  return PublicKey(key.type,
                   key.type == KeyType::secp256k1 ? compressed(key.data) : to_bytes(key.data));
}

PublicKey PublicKey::ed25519(const Ed25519Public& key) { return {KeyType::ed25519, to_bytes(key)}; }

Bytes PublicKey::proto() const { return put_key(type_, data_); }

bool PublicKey::verify(ByteView message, ByteView signature) const {
  switch (type_) {
    case KeyType::rsa:
      return rsa_sha256_verify(data_, message, signature);
    case KeyType::ed25519:
      return ed25519_verify(to_ed25519(data_), message, signature);
    case KeyType::secp256k1:
      return secp256k1_sha256_verify(data_, message, signature);
    case KeyType::ecdsa:
      return ecdsa_p256_sha256_verify(data_, message, signature);
  }
  return false;
}

Result<PublicKey> key_of(const PeerId& id) {
  const ByteView proto = id.inlined_key();
  if (proto.empty()) return fail(Errc::not_found, "the id holds only a hash of its key");
  return PublicKey::from_proto(proto);
}

KeyPair::KeyPair(const Ed25519Key& key) : KeyPair(Key(key), PublicKey::ed25519(key.share())) {}

KeyPair::KeyPair(Key key, PublicKey public_key)
    : key_(std::move(key)), public_(std::move(public_key)), id_(public_.peer_id()) {}

KeyPair KeyPair::signed_by(PublicKey key, Signer signer) {
  return {std::make_shared<const Signer>(std::move(signer)), std::move(key)};
}

KeyPair KeyPair::make(Rng& rng) {
  Ed25519Seed seed;
  rng.fill(seed);
  KeyPair pair = from_seed(seed);
  wipe(seed);
  return pair;
}

Result<KeyPair> KeyPair::from_proto(ByteView proto) {
  ASSIGN_OR_RETURN(const TypedData key, take_key(proto));
  if (key.type != KeyType::ed25519) {
    return fail(Errc::unsupported, "a private key of a type other than Ed25519");
  }
  constexpr std::size_t kHalf = 32;
  if (key.data.size() != 2 * kHalf && key.data.size() != 3 * kHalf) {
    return fail(Errc::malformed, "an Ed25519 private key is 64 bytes, or 96 in the older form");
  }
  KeyPair pair = from_seed(to_ed25519(key.data.first(kHalf)));
  for (ByteView half = key.data.subspan(kHalf); !half.empty(); half = half.subspan(kHalf)) {
    if (!equal(half.first(kHalf), pair.public_.data())) {
      return fail(Errc::malformed, "the halves of the private key do not fit each other");
    }
  }
  return pair;
}

Bytes KeyPair::proto() const {
  const auto* key = std::get_if<Ed25519Key>(&key_);
  if (!key) return {};
  Bytes data = to_bytes(key->seed());
  append(data, public_.data());
  const Bytes proto = put_key(KeyType::ed25519, data);
  wipe(data);
  return proto;
}

Bytes KeyPair::sign(ByteView message) const {
  if (const auto* key = std::get_if<Ed25519Key>(&key_)) return to_bytes(key->sign(message));
  return (*std::get<std::shared_ptr<const Signer>>(key_))(message);
}

}  // namespace kadmesh
