// Key types that peers may have and we never make. A key's bytes are walked here, sizes first, and
// only the numbers or the point reach libcrypto: its own DER readers see nothing of a peer's.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/crypto.h"

namespace kadmesh {
namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

// --- DER ----------------------------------------------------------------------------------------
// What these keys need of it: definite lengths in their shortest form, up to 65,535.

enum class Tag : std::uint8_t { integer = 0x02, bit_string = 0x03, sequence = 0x30 };

std::optional<std::size_t> take_length(ByteView& in) {
  if (in.empty()) return std::nullopt;
  const std::uint8_t first = in[0];
  in = in.subspan(1);
  if (first < 0x80) return first;
  const std::size_t count = first & 0x7fU;
  if (count < 1 || count > 2 || in.size() < count) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8 | in[i];
  in = in.subspan(count);
  const bool shortest = length >= (count == 1 ? 0x80U : 0x100U);
  return shortest ? std::optional(length) : std::nullopt;
}

// The content of the element at the front, which must be a `tag`; `in` goes on behind it.
std::optional<ByteView> take_element(ByteView& in, Tag tag) {
  if (in.empty() || in[0] != static_cast<std::uint8_t>(tag)) return std::nullopt;
  in = in.subspan(1);
  const auto length = take_length(in);
  if (!length || *length > in.size()) return std::nullopt;
  const ByteView content = in.first(*length);
  in = in.subspan(*length);
  return content;
}

// The same, when nothing may follow it.
std::optional<ByteView> only_element(ByteView in, Tag tag) {
  const auto content = take_element(in, tag);
  return in.empty() ? content : std::nullopt;
}

// A positive INTEGER in its shortest form, without the zero byte that keeps it positive.
std::optional<ByteView> take_positive(ByteView& in) {
  const auto content = take_element(in, Tag::integer);
  if (!content || content->empty() || (*content)[0] >= 0x80) return std::nullopt;
  if ((*content)[0] != 0) return content;
  if (content->size() < 2 || (*content)[1] < 0x80) return std::nullopt;
  return content->subspan(1);
}

// --- RSA ----------------------------------------------------------------------------------------
// SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { modulus, exponent } } }

constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMostRsaBits = 8192;
// go's bound; a long exponent would make a verification as slow as a signature.
constexpr std::size_t kMostExponentBits = 31;

// The algorithm's OID 1.2.840.113549.1.1.1 and its parameters, NULL.
constexpr std::array<std::uint8_t, 13> kRsaAlgorithm{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                     0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

struct RsaNumbers {
  ByteView modulus;
  ByteView exponent;
};

// Of a number without leading zero bytes.
std::size_t bit_length(ByteView number) {
  return 8 * (number.size() - 1) + static_cast<std::size_t>(std::bit_width(number[0]));
}

bool odd(ByteView number) { return (number.back() & 1) != 0; }

std::optional<RsaNumbers> take_rsa_numbers(ByteView in) {
  const auto modulus = take_positive(in);
  const auto exponent = take_positive(in);
  if (!modulus || !exponent || !in.empty()) return std::nullopt;
  return RsaNumbers{*modulus, *exponent};
}

std::optional<RsaNumbers> walk_rsa_key(ByteView spki) {
  const auto key_info = only_element(spki, Tag::sequence);
  if (!key_info) return std::nullopt;
  ByteView rest = *key_info;
  const auto algorithm = take_element(rest, Tag::sequence);
  if (!algorithm || !equal(*algorithm, kRsaAlgorithm)) return std::nullopt;
  const auto bits = only_element(rest, Tag::bit_string);
  if (!bits || bits->empty() || (*bits)[0] != 0) return std::nullopt;
  const auto numbers = only_element(bits->subspan(1), Tag::sequence);
  return numbers ? take_rsa_numbers(*numbers) : std::nullopt;
}

Result<RsaNumbers> rsa_numbers(ByteView spki) {
  if (spki.size() > kMostSpkiSize) return fail(Errc::limit, "RSA key too long");
  const auto numbers = walk_rsa_key(spki);
  if (!numbers) return fail(Errc::malformed, "not an RSA key in DER");
  const std::size_t bits = bit_length(numbers->modulus);
  if (bits < kMinRsaBits || bits > kMostRsaBits) {
    return fail(Errc::limit, "RSA key of " + std::to_string(bits) + " bits");
  }
  if (bit_length(numbers->exponent) > kMostExponentBits) {
    return fail(Errc::limit, "RSA exponent too long");
  }
  if (!odd(numbers->modulus) || !odd(numbers->exponent) || bit_length(numbers->exponent) < 2) {
    return fail(Errc::malformed, "RSA numbers that make no key");
  }
  return *numbers;
}

// --- Curve points -------------------------------------------------------------------------------

// A P-256 key is these bytes and an uncompressed point, which is the one form that go and rust
// write and read: SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING { point } }.
constexpr std::array<std::uint8_t, 26> kP256Header{
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr std::size_t kCompressedPoint = 33;
constexpr std::size_t kUncompressedPoint = 65;

std::optional<ByteView> p256_point(ByteView spki) {
  if (spki.size() != kP256Header.size() + kUncompressedPoint) return std::nullopt;
  if (!equal(spki.first(kP256Header.size()), kP256Header)) return std::nullopt;
  const ByteView point = spki.subspan(kP256Header.size());
  return point[0] == 0x04 ? std::optional(point) : std::nullopt;
}

bool shaped_as_point(ByteView point) {
  if (point.size() == kCompressedPoint) return point[0] == 0x02 || point[0] == 0x03;
  return point.size() == kUncompressedPoint && point[0] == 0x04;
}

// --- libcrypto ----------------------------------------------------------------------------------

// Null when the numbers make no key, such as a point that is not on its curve.
Key make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  KAD_CHECK(params && context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  return Key(key);
}

Number to_number(ByteView bytes) {
  Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  KAD_CHECK(number);
  return number;
}

Key rsa_key(const RsaNumbers& numbers) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  const Number modulus = to_number(numbers.modulus);
  const Number exponent = to_number(numbers.exponent);
  KAD_CHECK(builder &&
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1);
  return make_key("RSA", builder.get());
}

Key curve_key(const char* curve, ByteView point) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  KAD_CHECK(builder &&
            OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) ==
                1 &&
            OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                             point.size()) == 1);
  return make_key("EC", builder.get());
}

// RSA takes PKCS#1 v1.5, its default padding; ECDSA signatures are DER.
bool verify_sha256(EVP_PKEY* key, ByteView message, ByteView signature) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1) return false;
  if (EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) return false;
  const Sha256 digest = sha256(message);
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                         digest.size()) == 1;
}

constexpr const char* kP256 = "prime256v1";
constexpr const char* kSecp256k1 = "secp256k1";

}  // namespace

bool rsa_sha256_verify(ByteView spki, ByteView message, ByteView signature) {
  const auto numbers = rsa_numbers(spki);
  if (!numbers) return false;
  const Key key = rsa_key(*numbers);
  return key && verify_sha256(key.get(), message, signature);
}

bool ecdsa_p256_sha256_verify(ByteView spki, ByteView message, ByteView der_signature) {
  const auto point = p256_point(spki);
  if (!point) return false;
  const Key key = curve_key(kP256, *point);
  return key && verify_sha256(key.get(), message, der_signature);
}

bool secp256k1_sha256_verify(ByteView point, ByteView message, ByteView der_signature) {
  if (!shaped_as_point(point)) return false;
  const Key key = curve_key(kSecp256k1, point);
  return key && verify_sha256(key.get(), message, der_signature);
}

Result<void> check_rsa_key(ByteView spki) {
  RETURN_IF_ERROR(rsa_numbers(spki));
  return {};
}

Result<void> check_ecdsa_p256_key(ByteView spki) {
  const auto point = p256_point(spki);
  if (!point) return fail(Errc::unsupported, "not an uncompressed P-256 key");
  if (!curve_key(kP256, *point)) return fail(Errc::malformed, "point not on P-256");
  return {};
}

Result<void> check_secp256k1_key(ByteView point) {
  if (!shaped_as_point(point)) return fail(Errc::malformed, "not a point of secp256k1");
  if (!curve_key(kSecp256k1, point)) return fail(Errc::malformed, "point not on secp256k1");
  return {};
}

}  // namespace kadmesh
