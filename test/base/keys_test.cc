#include "base/keys.h"

#include <doctest/doctest.h>

#include <tuple>

#include "refusal.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

PublicKey key(std::string_view proto) { return PublicKey::from_proto(hex(proto)).value(); }

Errc refusal(std::string_view proto) { return refusal_of(PublicKey::from_proto(hex(proto))); }

KeyPair spec_pair() { return KeyPair::from_proto(hex(spec_keys::kEd25519Private)).value(); }

Errc private_refusal(std::string_view proto) { return refusal_of(KeyPair::from_proto(hex(proto))); }

// The signature verifies, and stops to do so when it, the text or the key changes.
void check_signature(const PublicKey& signer, ByteView signature) {
  const ByteView text = as_bytes(spec_keys::kSignedText);
  CHECK(signer.verify(text, signature));
  CHECK(!signer.verify(text.first(text.size() - 1), signature));
  CHECK(!signer.verify(text, signature.first(signature.size() - 1)));
  CHECK(!signer.verify(text, {}));
  for (const std::size_t at : {std::size_t{8}, signature.size() / 2, signature.size() - 1}) {
    Bytes changed = to_bytes(signature);
    changed[at] ^= 1;
    CHECK(!signer.verify(text, changed));
  }
}

}  // namespace

TEST_CASE("keys: a private half that is elsewhere signs there") {
  const KeyPair whole = KeyPair::from_seed({1, 2, 3});
  int asked = 0;
  const KeyPair half = KeyPair::signed_by(whole.public_key(), [&](ByteView message) {
    ++asked;
    return whole.sign(message);
  });
  CHECK(half.peer_id() == whole.peer_id());
  CHECK(half.sign(as_bytes("words")) == whole.sign(as_bytes("words")));
  CHECK(asked == 1);
  CHECK(half.proto().empty());
}

TEST_CASE("keys: the specification's public keys are read and written back") {
  using namespace spec_keys;
  for (const auto& [proto, id, type] :
       {std::tuple{kEd25519Public, kEd25519Id, KeyType::ed25519},
        std::tuple{kSecp256k1Public, kSecp256k1Id, KeyType::secp256k1},
        std::tuple{kEcdsaPublic, kEcdsaId, KeyType::ecdsa},
        std::tuple{kRsaPublic, kRsaId, KeyType::rsa}}) {
    const PublicKey read = key(proto);
    CHECK(read.type() == type);
    CHECK(to_hex(read.proto()) == proto);
    CHECK(read.peer_id().text() == id);
  }
}

TEST_CASE("keys: the specification's Ed25519 pair") {
  const KeyPair pair = spec_pair();
  CHECK(to_hex(pair.public_key().proto()) == spec_keys::kEd25519Public);
  CHECK(pair.peer_id().text() == spec_keys::kEd25519Id);
  CHECK(to_hex(pair.proto()) == spec_keys::kEd25519Private);
}

// Over the static key 0102…20, made with @libp2p/crypto 5.1.23 and the specification's key.
TEST_CASE("keys: a Noise identity signature of another stack is ours") {
  Bytes signed_text = to_bytes(as_bytes("noise-libp2p-static-key:"));
  for (std::uint8_t i = 1; i <= 32; ++i) signed_text.push_back(i);
  CHECK(to_hex(spec_pair().sign(signed_text)) ==
        "917f8bdf3c0e44f765f510d3babc79e87d6fe260e686ce4f9689c54ebf431cd2"
        "ac8a874d7efea96879d668db572bfa2c37cba8efc669703e98de5eec342f1607");
}

TEST_CASE("keys: each type verifies its signatures and no others") {
  using namespace spec_keys;
  check_signature(spec_pair().public_key(), spec_pair().sign(as_bytes(kSignedText)));
  check_signature(key(kSecp256k1Public), hex(kSecp256k1Signature));
  check_signature(key(kEcdsaPublic), hex(kEcdsaSignature));
  check_signature(key(kRsaPublic), hex(kRsaSignature));
  CHECK(!key(kEcdsaPublic).verify(as_bytes(kSignedText), hex(kSecp256k1Signature)));
  CHECK(!key(kEd25519Public).verify(as_bytes(kSignedText), hex(kRsaSignature)));
}

TEST_CASE("keys: only the canonical encoding is a key") {
  const std::string data = std::string(spec_keys::kEd25519Public.substr(4));  // 12 20 …
  CHECK(refusal("") == Errc::malformed);
  CHECK(refusal("0801") == Errc::malformed);                  // no data
  CHECK(refusal(data) == Errc::malformed);                    // no type
  CHECK(refusal(data + "0801") == Errc::malformed);           // the other order
  CHECK(refusal("088100" + data) == Errc::malformed);         // a varint not minimal
  CHECK(refusal("0801" + data + "1800") == Errc::malformed);  // a field more
  CHECK(refusal("08010801" + data) == Errc::malformed);       // twice the type
  CHECK(refusal("0801" + data.substr(0, data.size() - 2)) == Errc::malformed);
  CHECK(refusal("080112ffffffffffffffff7f") == Errc::malformed);
  CHECK(refusal("0804" + data) == Errc::unsupported);
  CHECK(refusal("08ffffffff0f" + data) == Errc::unsupported);
}

TEST_CASE("keys: bytes that are no key of their type are refused") {
  CHECK(refusal("0801121f" + to_hex(Bytes(31, 1))) == Errc::malformed);
  CHECK(refusal("08011221" + to_hex(Bytes(33, 1))) == Errc::malformed);
  CHECK(refusal("0802122102" + to_hex(Bytes(31, 0)) + "05") ==
        Errc::malformed);  // not on the curve
  CHECK(refusal("08001204"
                "05000500") == Errc::malformed);
  CHECK(refusal("08031204"
                "05000500") == Errc::unsupported);
}

TEST_CASE("keys: a secp256k1 key is known by its compressed form") {
  // The uncompressed form of the specification's key, by `openssl ec -conv_form uncompressed`.
  const PublicKey read =
      key("08021241"
          "047777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
          "1b41b30efa52b659e9db235c31f9975578a17e2b356a6b84837b5b45c555cfb1");
  CHECK(to_hex(read.proto()) == spec_keys::kSecp256k1Public);
  CHECK(read.peer_id().text() == spec_keys::kSecp256k1Id);
}

TEST_CASE("keys: an id gives back the key that is inlined in it") {
  const KeyPair pair = spec_pair();
  CHECK(key_of(pair.peer_id()).value() == pair.public_key());
  CHECK(refusal_of(key_of(key(spec_keys::kRsaPublic).peer_id())) == Errc::not_found);
  CHECK(refusal_of(key_of(PeerId::of_key(Bytes{1, 2}))) == Errc::malformed);
}

TEST_CASE("keys: a pair comes from the caller's luck alone") {
  Rng one(1), same(1), other(2);
  const KeyPair pair = KeyPair::make(one);
  CHECK(pair.peer_id() == KeyPair::make(same).peer_id());
  CHECK(pair.peer_id() != KeyPair::make(other).peer_id());
  CHECK(KeyPair::from_proto(pair.proto()).value().peer_id() == pair.peer_id());
}

TEST_CASE("keys: the older private form is read when its halves agree") {
  const std::string seed(spec_keys::kEd25519Private.substr(8, 64));
  const std::string share(spec_keys::kEd25519Public.substr(8));
  const KeyPair pair = KeyPair::from_proto(hex("08011260" + seed + share + share)).value();
  CHECK(to_hex(pair.proto()) == spec_keys::kEd25519Private);
  const std::string wrong = to_hex(Bytes(32, 1));
  CHECK(private_refusal("08011260" + seed + share + wrong) == Errc::malformed);
  CHECK(private_refusal("08011260" + seed + wrong + share) == Errc::malformed);
  CHECK(private_refusal("08011240" + seed + wrong) == Errc::malformed);
  CHECK(private_refusal("08011220" + seed) == Errc::malformed);
  CHECK(private_refusal("08011241" + seed + share + "00") == Errc::malformed);
  CHECK(private_refusal("0801128001" + seed + share + share + share) == Errc::malformed);
  CHECK(private_refusal(spec_keys::kSecp256k1Private) == Errc::unsupported);
}

}  // namespace kadmesh
