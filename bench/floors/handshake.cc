// usage: handshake [COUNT]
// The floor of connecting: Noise_XX_25519_ChaChaPoly_SHA256 with libp2p's identities, both sides in
// one memory, no sockets, no allocation. Static keys and their signatures are made once, as a
// process makes them once. What is left is what the protocol itself costs: a key, three
// multiplications and a verification on each side, and some hashing.
#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_*: the fastest way to libcrypto's SHA-NI code
#include <openssl/sha.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <string_view>

#include "../measure.h"

namespace kadmesh::bench {
namespace {

using Key = std::array<unsigned char, 32>;
constexpr std::string_view kName = "Noise_XX_25519_ChaChaPoly_SHA256";
constexpr std::string_view kDomain = "noise-libp2p-static-key:";
constexpr std::size_t kTag = crypto_aead_chacha20poly1305_ietf_ABYTES;
// Field 1: an identity key (4 bytes in front of 32); field 2: its signature.
constexpr std::size_t kPayload = 2 + 36 + 2 + 64;

struct Statement {
  std::array<unsigned char, kDomain.size() + 32> bytes;
  explicit Statement(const Key& key) {
    std::memcpy(bytes.data(), kDomain.data(), kDomain.size());
    std::memcpy(bytes.data() + kDomain.size(), key.data(), key.size());
  }
};

struct Pair {
  Key secret, share;
  Pair() {
    randombytes_buf(secret.data(), secret.size());
    crypto_scalarmult_base(share.data(), secret.data());
  }
};

// Who we are, in every handshake.
struct Identity {
  Pair noise;
  std::array<unsigned char, kPayload> payload{0x0a, 36, 8, 1, 0x12, 32};
  Identity() {
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret;
    crypto_sign_keypair(payload.data() + 6, secret.data());
    payload[38] = 0x12;
    payload[39] = 64;
    const Statement statement(noise.share);
    crypto_sign_detached(payload.data() + 40, nullptr, statement.bytes.data(),
                         statement.bytes.size(), secret.data());
  }
};

Key hmac(const Key& key, const unsigned char* data, std::size_t size) {
  std::array<unsigned char, 64> pad{};
  Key out;
  SHA256_CTX context;
  for (std::size_t i = 0; i < pad.size(); ++i) pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, data, size);
  SHA256_Final(out.data(), &context);
  for (unsigned char& byte : pad) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, out.data(), out.size());
  SHA256_Final(out.data(), &context);
  return out;
}

// Noise's symmetric state.
struct Symmetric {
  Key chain, hash, key{};
  std::uint64_t count = 0;

  Symmetric() {
    std::memcpy(hash.data(), kName.data(), hash.size());
    chain = hash;
    mix_hash(nullptr, 0);
  }

  void mix_hash(const unsigned char* data, std::size_t size) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, hash.data(), hash.size());
    SHA256_Update(&context, data, size);
    SHA256_Final(hash.data(), &context);
  }

  // HKDF with two outputs.
  void mix_key(const unsigned char* material, std::size_t size) {
    const Key extracted = hmac(chain, material, size);
    std::array<unsigned char, 33> next{};
    next[0] = 1;
    chain = hmac(extracted, next.data(), 1);
    std::memcpy(next.data(), chain.data(), chain.size());
    next[32] = 2;
    key = hmac(extracted, next.data(), next.size());
    count = 0;
  }

  void multiply(const Key& secret, const unsigned char* share) {
    Key shared;
    if (crypto_scalarmult(shared.data(), secret.data(), share) != 0) give_up("small order");
    mix_key(shared.data(), shared.size());
  }

  std::array<unsigned char, 12> nonce() {
    std::array<unsigned char, 12> bytes{};
    std::memcpy(bytes.data() + 4, &count, 8);
    ++count;
    return bytes;
  }

  unsigned char* seal(const unsigned char* plain, std::size_t size, unsigned char* out) {
    crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plain, size, hash.data(), hash.size(),
                                              nullptr, nonce().data(), key.data());
    mix_hash(out, size + kTag);
    return out + size + kTag;
  }

  const unsigned char* open(const unsigned char* sealed, std::size_t size, unsigned char* out) {
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, sealed, size + kTag,
                                                  hash.data(), hash.size(), nonce().data(),
                                                  key.data()) != 0)
      give_up("it does not decrypt");
    mix_hash(sealed, size + kTag);
    return sealed + size + kTag;
  }
};

void check_identity(const unsigned char* payload, const Key& noise_key) {
  const Statement statement(noise_key);
  if (crypto_sign_verify_detached(payload + 40, statement.bytes.data(), statement.bytes.size(),
                                  payload + 6) != 0)
    give_up("it does not verify");
}

// One handshake, message by message; `wire` carries each.
void shake_hands(const Identity& initiator, const Identity& responder) {
  std::array<unsigned char, 512> wire;
  std::array<unsigned char, kPayload> payload;
  Key their_static;
  Symmetric i, r;

  const Pair ie;  // -> e
  i.mix_hash(ie.share.data(), 32);
  i.mix_hash(nullptr, 0);
  r.mix_hash(ie.share.data(), 32);
  r.mix_hash(nullptr, 0);

  const Pair re;  // <- e, ee, s, es
  r.mix_hash(re.share.data(), 32);
  r.multiply(re.secret, ie.share.data());
  unsigned char* end = r.seal(responder.noise.share.data(), 32, wire.data());
  r.multiply(responder.noise.secret, ie.share.data());
  r.seal(responder.payload.data(), kPayload, end);
  i.mix_hash(re.share.data(), 32);
  i.multiply(ie.secret, re.share.data());
  const unsigned char* rest = i.open(wire.data(), 32, their_static.data());
  i.multiply(ie.secret, their_static.data());
  i.open(rest, kPayload, payload.data());
  check_identity(payload.data(), their_static);

  end = i.seal(initiator.noise.share.data(), 32, wire.data());  // -> s, se
  i.multiply(initiator.noise.secret, re.share.data());
  i.seal(initiator.payload.data(), kPayload, end);
  i.mix_key(nullptr, 0);  // the transport keys
  rest = r.open(wire.data(), 32, their_static.data());
  r.multiply(re.secret, their_static.data());
  r.open(rest, kPayload, payload.data());
  check_identity(payload.data(), their_static);
  r.mix_key(nullptr, 0);
  if (i.key != r.key) give_up("the keys differ");
}

int run(std::size_t count) {
  if (sodium_init() < 0) give_up("libsodium");
  const Identity initiator, responder;
  for (std::size_t i = 0; i < count / 10 + 1; ++i) shake_hands(initiator, responder);
  const double start = cpu_seconds();
  for (std::size_t i = 0; i < count; ++i) shake_hands(initiator, responder);
  print({{"cpu_us", (cpu_seconds() - start) / 2 / static_cast<double>(count) * 1e6}});
  return 0;
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  return kadmesh::bench::run(kadmesh::bench::argument(argc, argv, 1, 2000));
}
