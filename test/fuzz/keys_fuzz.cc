// Covers: src/base/keys.cc src/base/crypto_keys.cc
#include "base/check.h"
#include "base/keys.h"

using namespace kadmesh;

namespace {

// One key, one encoding, one id. Only a secp256k1 key may come in a second, longer form.
void check_public(ByteView input) {
  const auto key = PublicKey::from_proto(input);
  if (!key) return;
  const Bytes proto = key->proto();
  KAD_CHECK(equal(proto, input) || key->type() == KeyType::secp256k1);
  KAD_CHECK(PublicKey::from_proto(proto) == *key);
  KAD_CHECK(key->peer_id() == PeerId::of_key(proto));
  if (const auto inlined = key_of(key->peer_id())) KAD_CHECK(*inlined == *key);
  KAD_CHECK(!key->verify(input, {}));
  KAD_CHECK(!key->verify({}, input));
}

void check_private(ByteView input) {
  const auto pair = KeyPair::from_proto(input);
  if (!pair) return;
  KAD_CHECK(KeyPair::from_proto(pair->proto())->peer_id() == pair->peer_id());
  KAD_CHECK(pair->public_key().verify(input, pair->sign(input)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_public(input);
  check_private(input);
  // The readers behind the protobuf, without the length that it would have to name.
  if (check_rsa_key(input)) KAD_CHECK(input.size() <= kMostSpkiSize);
  (void)check_ecdsa_p256_key(input);
  (void)check_secp256k1_key(input);
  return 0;
}
