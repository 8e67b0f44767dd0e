#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <climits>
#include <memory>

#include "base/crypto.h"
#include "base/crypto_sodium.h"

namespace kadmesh {
namespace {

// Up to here libsodium's call is cheaper, from there on OpenSSL's vector code is: they meet between
// 256 bytes and 1 KiB, by machine.
constexpr std::size_t kShortText = 512;

using Tag = std::array<std::uint8_t, kAeadTagSize>;
using Nonce = std::array<std::uint8_t, 12>;

Nonce nonce_of(std::uint64_t counter) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

int to_int(std::size_t size) {
  KAD_CHECK(size <= INT_MAX);
  return static_cast<int>(size);
}

// One context a thread serves every connection: setting key and nonce is cheap, fetching the
// algorithm or holding a context for each connection is not.
class Cipher {
 public:
  enum class Direction : int { open = 0, seal = 1 };

  Cipher() : context_(EVP_CIPHER_CTX_new()) {
    const std::unique_ptr<EVP_CIPHER, Free> algorithm(
        EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
    KAD_CHECK(context_ && algorithm);
    KAD_CHECK(EVP_EncryptInit_ex2(context_.get(), algorithm.get(), nullptr, nullptr, nullptr) == 1);
  }

  void start(Direction direction, const AeadKey& key, const Nonce& nonce, ByteView ad) {
    int size = 0;
    KAD_CHECK(EVP_CipherInit_ex2(context_.get(), nullptr, key.data(), nonce.data(),
                                 static_cast<int>(direction), nullptr) == 1);
    if (!ad.empty()) {
      KAD_CHECK(EVP_CipherUpdate(context_.get(), nullptr, &size, ad.data(), to_int(ad.size())) ==
                1);
    }
  }

  void text(ByteView in, std::uint8_t* out) {
    int size = 0;
    KAD_CHECK(EVP_CipherUpdate(context_.get(), out, &size, in.data(), to_int(in.size())) == 1);
  }

  // False when the tag that was set does not fit.
  bool finish() {
    int size = 0;
    std::uint8_t none = 0;
    return EVP_CipherFinal_ex(context_.get(), &none, &size) == 1;
  }

  void get_tag(Tag& tag) {
    auto params = tag_params(tag);
    KAD_CHECK(EVP_CIPHER_CTX_get_params(context_.get(), params.data()) == 1);
  }
  void set_tag(Tag tag) {
    const auto params = tag_params(tag);
    KAD_CHECK(EVP_CIPHER_CTX_set_params(context_.get(), params.data()) == 1);
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER* algorithm) const { EVP_CIPHER_free(algorithm); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };

  // EVP_CIPHER_CTX_ctrl would do, and spend as much again as the rest of a short text.
  static std::array<OSSL_PARAM, 2> tag_params(Tag& tag) {
    return {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
            OSSL_PARAM_construct_end()};
  }

  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

Cipher& cipher() {
  thread_local Cipher instance;
  return instance;
}

Tag tag_of(ByteView sealed) {
  Tag tag;
  std::ranges::copy(sealed.last(kAeadTagSize), tag.begin());
  return tag;
}

void seal_short(const AeadKey& key, const Nonce& nonce, ByteView ad, ByteView plain,
                std::uint8_t* out) {
  crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plain.data(), plain.size(), ad.data(),
                                            ad.size(), nullptr, nonce.data(), key.data());
}

bool open_short(const AeadKey& key, const Nonce& nonce, ByteView ad, ByteView sealed,
                std::uint8_t* out) {
  return crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, sealed.data(),
                                                   sealed.size(), ad.data(), ad.size(),
                                                   nonce.data(), key.data()) == 0;
}

}  // namespace

void aead_seal(const AeadKey& key, std::uint64_t counter, ByteView ad, ByteView plain,
               std::span<std::uint8_t> out) {
  KAD_CHECK(out.size() >= plain.size() + kAeadTagSize);
  const Nonce nonce = nonce_of(counter);
  if (plain.size() <= kShortText) return seal_short(key, nonce, ad, plain, out.data());
  cipher().start(Cipher::Direction::seal, key, nonce, ad);
  cipher().text(plain, out.data());
  KAD_CHECK(cipher().finish());
  Tag tag;
  cipher().get_tag(tag);
  std::ranges::copy(tag, out.begin() + static_cast<std::ptrdiff_t>(plain.size()));
}

bool aead_open(const AeadKey& key, std::uint64_t counter, ByteView ad, ByteView sealed,
               std::span<std::uint8_t> out) {
  if (sealed.size() < kAeadTagSize) return false;
  const ByteView text = sealed.first(sealed.size() - kAeadTagSize);
  KAD_CHECK(out.size() >= text.size());
  const Nonce nonce = nonce_of(counter);
  if (text.size() <= kShortText) return open_short(key, nonce, ad, sealed, out.data());
  cipher().start(Cipher::Direction::open, key, nonce, ad);
  cipher().set_tag(tag_of(sealed));
  cipher().text(text, out.data());
  return cipher().finish();
}

}  // namespace kadmesh
