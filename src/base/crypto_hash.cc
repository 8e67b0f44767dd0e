#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/crypto.h"

namespace kadmesh {
namespace {

constexpr std::size_t kShaBlock = 64;

// Fetching the algorithm costs more than hashing a short message, so it is done once; a context
// belongs to one thread and is set back before every use.
class Hasher {
 public:
  Hasher() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    KAD_CHECK(algorithm_ && context_);
  }

  Sha256 hash(std::span<const ByteView> pieces) {
    Sha256 out;
    KAD_CHECK(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1);
    for (const ByteView piece : pieces) {
      KAD_CHECK(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1);
    }
    KAD_CHECK(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

using ShaBlock = std::array<std::uint8_t, kShaBlock>;

ShaBlock mask(const ShaBlock& key, std::uint8_t with) {
  ShaBlock masked;
  std::ranges::transform(key, masked.begin(), [with](std::uint8_t byte) {
    return static_cast<std::uint8_t>(byte ^ with);
  });
  return masked;
}

// RFC 2104: a key longer than a block is replaced by its hash.
ShaBlock hmac_block(ByteView key) {
  ShaBlock block{};
  if (key.size() <= block.size()) {
    std::ranges::copy(key, block.begin());
  } else {
    std::ranges::copy(sha256(key), block.begin());
  }
  return block;
}

}  // namespace

Sha256 sha256(std::span<const ByteView> pieces) {
  thread_local Hasher hasher;
  return hasher.hash(pieces);
}

Sha256 sha256(ByteView data) { return sha256(std::span(&data, 1)); }

Sha256 hmac_sha256(ByteView key, ByteView data) {
  ShaBlock block = hmac_block(key);
  ShaBlock inner_key = mask(block, 0x36);
  ShaBlock outer_key = mask(block, 0x5c);
  const Sha256 inner = sha256(std::array<ByteView, 2>{inner_key, data});
  const Sha256 outer = sha256(std::array<ByteView, 2>{outer_key, inner});
  for (ShaBlock* secret : {&block, &inner_key, &outer_key}) wipe(*secret);
  return outer;
}

}  // namespace kadmesh
