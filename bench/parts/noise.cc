// The handshake of both sides, and messages of three sizes, the last the longest there is.
#include "transport/noise.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "part.h"

namespace kadmesh::bench {
namespace {

void handshake(benchmark::State& state) {
  Rng rng(1);
  const NoiseStatic ours = make_noise_static(rng, key(1), {});
  const NoiseStatic theirs = make_noise_static(rng, key(2), {});
  for (auto _ : state) {
    NoiseHandshake dialer(Role::initiator, ours, rng, std::nullopt);
    NoiseHandshake answerer(Role::responder, theirs, rng, std::nullopt);
    (void)answerer.on_bytes(dialer.take_output());
    (void)dialer.on_bytes(answerer.take_output());
    (void)answerer.on_bytes(dialer.take_output());
    need(dialer.done() && answerer.done());
  }
}
// Two ephemeral keys, three products and one signature to check on each side.
void floor_handshake(benchmark::State& state) {
  const KeyPair signer = key(1);
  const Bytes message = content(56), signature = signer.sign(message);
  X25519Key secret{1}, share{}, product{};
  for (auto _ : state) {
    for (int i = 0; i < 2; ++i) crypto_scalarmult_curve25519_base(share.data(), secret.data());
    for (int i = 0; i < 6; ++i)
      need(crypto_scalarmult_curve25519(product.data(), secret.data(), share.data()) == 0);
    for (int i = 0; i < 2; ++i) need(signer.public_key().verify(message, signature));
    benchmark::DoNotOptimize(product);
  }
}
BENCHMARK(handshake);
BENCHMARK(floor_handshake);

void seal(benchmark::State& state) {
  NoiseSealer sealer{NoiseKey(AeadKey{1})};
  const Bytes plain = content(state);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    need(sealer.seal(plain, out).has_value());
    benchmark::DoNotOptimize(out.data());
  }
  count_bytes(state);
}

// A fresh pair of sealer and opener count alike, so each round seals one and opens it.
void seal_and_open(benchmark::State& state) {
  NoiseSealer sealer{NoiseKey(AeadKey{1})};
  NoiseOpener opener{NoiseKey(AeadKey{1})};
  const Bytes plain = content(state);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    need(sealer.seal(plain, out).has_value());
    ByteView in(out);
    const auto opened = opener.next(in);
    need(opened && *opened && (*opened)->size() == plain.size());
  }
  count_bytes(state);
}

// The quicker of the two libraries for the size: libsodium for short messages, OpenSSL for others.
class Aead {
 public:
  Aead() {
    EVP_CipherInit_ex2(sealing_, cipher_, key_.data(), nonce_.data(), 1, nullptr);
    EVP_CipherInit_ex2(opening_, cipher_, key_.data(), nonce_.data(), 0, nullptr);
  }
  ~Aead() {
    EVP_CIPHER_CTX_free(sealing_);
    EVP_CIPHER_CTX_free(opening_);
    EVP_CIPHER_free(cipher_);
  }
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  void seal(const Bytes& plain, Bytes& out) {
    ++nonce_[0];
    unsigned char* const tag = out.data() + plain.size();
    if (plain.size() <= kShort) {
      crypto_aead_chacha20poly1305_ietf_encrypt_detached(out.data(), tag, nullptr, plain.data(),
                                                         plain.size(), nullptr, 0, nullptr,
                                                         nonce_.data(), key_.data());
      return;
    }
    run(sealing_, plain, out, 1);
    EVP_CIPHER_CTX_ctrl(sealing_, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag);
  }
  bool open(const Bytes& sealed, Bytes& plain) {
    const unsigned char* const tag = sealed.data() + plain.size();
    if (plain.size() <= kShort)
      return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                 plain.data(), nullptr, sealed.data(), plain.size(), tag, nullptr, 0, nonce_.data(),
                 key_.data()) == 0;
    EVP_CIPHER_CTX_ctrl(opening_, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize,
                        const_cast<unsigned char*>(tag));
    return run(opening_, sealed, plain, 0);
  }

 private:
  static constexpr std::size_t kShort = 256;
  bool run(EVP_CIPHER_CTX* context, const Bytes& from, Bytes& to, int sealing) {
    const std::size_t size = std::min(from.size(), to.size());
    int count = 0;
    EVP_CipherInit_ex2(context, nullptr, nullptr, nonce_.data(), sealing, nullptr);
    EVP_CipherUpdate(context, to.data(), &count, from.data(), static_cast<int>(size));
    return EVP_CipherFinal_ex(context, to.data() + count, &count) == 1;
  }

  EVP_CIPHER* cipher_ = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  EVP_CIPHER_CTX* sealing_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* opening_ = EVP_CIPHER_CTX_new();
  AeadKey key_{1};
  std::array<std::uint8_t, 12> nonce_{};
};

void floor_seal(benchmark::State& state) {
  Aead aead;
  const Bytes plain = content(state);
  Bytes out(plain.size() + kAeadTagSize);
  for (auto _ : state) {
    aead.seal(plain, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_bytes(state);
}
void floor_seal_and_open(benchmark::State& state) {
  Aead aead;
  const Bytes plain = content(state);
  Bytes out(plain.size() + kAeadTagSize), opened(plain.size());
  for (auto _ : state) {
    aead.seal(plain, out);
    need(aead.open(out, opened));
  }
  count_bytes(state);
}
BENCHMARK(seal)->Arg(64)->Arg(1024)->Arg(kMostNoisePlain);
BENCHMARK(floor_seal)->Arg(64)->Arg(1024)->Arg(kMostNoisePlain);
BENCHMARK(seal_and_open)->Arg(64)->Arg(1024)->Arg(kMostNoisePlain);
BENCHMARK(floor_seal_and_open)->Arg(64)->Arg(1024)->Arg(kMostNoisePlain);

}  // namespace
}  // namespace kadmesh::bench
