// Signatures of others, the bad ones above all: vectors of Wycheproof and keys bent by hand.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/crypto.h"
#include "refusal.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

struct Vector {
  int number;
  std::string_view key, message, signature;
  bool valid;
};

constexpr Vector kEd25519[] = {
#include "vectors/wycheproof_ed25519.inc"
};
constexpr Vector kP256[] = {
#include "vectors/wycheproof_p256.inc"
};
constexpr Vector kSecp256k1[] = {
#include "vectors/wycheproof_secp256k1.inc"
};
constexpr Vector kRsa2048[] = {
#include "vectors/wycheproof_rsa2048.inc"
};

Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <class Verify>
void check_vectors(std::span<const Vector> vectors, Verify verify) {
  REQUIRE(!vectors.empty());
  for (const Vector& vector : vectors) {
    CAPTURE(vector.number);
    CHECK(verify(hex(vector.key), hex(vector.message), hex(vector.signature)) == vector.valid);
  }
}

Ed25519Public ed25519_key(ByteView bytes) {
  Ed25519Public key;
  REQUIRE(bytes.size() == key.size());
  std::ranges::copy(bytes, key.begin());
  return key;
}

// The group's order, little-endian (RFC 8032, section 5.1).
constexpr std::string_view kOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// The same signature with S + order for S: equal modulo the order, and not canonical.
Bytes with_order_added(const Ed25519Signature& signature) {
  Bytes changed = to_bytes(signature);
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += changed[32 + i];
    carry += hex(kOrder)[i];
    changed[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  return changed;
}

Bytes element(std::uint8_t tag, ByteView content) {
  Bytes out;
  out.reserve(4 + content.size());
  out.push_back(tag);
  if (content.size() >= 256) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  } else if (content.size() >= 128) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
  return out;
}

Bytes joined(ByteView a, ByteView b) {
  Bytes out;
  out.reserve(a.size() + b.size());
  append(out, a);
  append(out, b);
  return out;
}

// A well-formed key around these numbers; `modulus` and `exponent` are contents of an INTEGER.
Bytes rsa_spki(ByteView modulus, ByteView exponent) {
  const Bytes numbers = element(0x30, joined(element(2, modulus), element(2, exponent)));
  const Bytes algorithm = element(0x30, hex("06092a864886f70d0101010500"));
  return element(0x30, joined(algorithm, element(3, joined(Bytes{0}, numbers))));
}

// An odd number of `bits` bits, as the content of an INTEGER.
Bytes odd_number(std::size_t bits) {
  Bytes number((bits + 8) / 8, 0x5b);
  number[0] = 0;
  if (bits % 8 != 0) number[0] = static_cast<std::uint8_t>(1U << ((bits - 1) % 8));
  if (bits % 8 == 0) number[1] = 0x80;
  return number;
}

constexpr std::array<std::uint8_t, 3> kExponent{1, 0, 1};

Errc rsa_refusal(ByteView spki) { return refusal_of(check_rsa_key(spki)); }

Bytes spec_rsa() { return hex(spec_keys::kRsaPublic.substr(10)); }
Bytes spec_ecdsa() { return hex(spec_keys::kEcdsaPublic.substr(8)); }

}  // namespace

TEST_CASE("crypto: Ed25519 agrees with Wycheproof") {
  check_vectors(kEd25519, [](const Bytes& key, const Bytes& message, const Bytes& signature) {
    return ed25519_verify(ed25519_key(key), message, signature);
  });
}

TEST_CASE("crypto: ECDSA P-256 agrees with Wycheproof") {
  check_vectors(kP256, ecdsa_p256_sha256_verify);
}

TEST_CASE("crypto: secp256k1 agrees with Wycheproof") {
  check_vectors(kSecp256k1, secp256k1_sha256_verify);
}

TEST_CASE("crypto: RSA agrees with Wycheproof") { check_vectors(kRsa2048, rsa_sha256_verify); }

TEST_CASE("H13: an Ed25519 signature of the right length is not enough") {
  const Ed25519Key key(Ed25519Seed{1});
  const Bytes message{1, 2, 3};
  const Ed25519Signature good = key.sign(message);
  REQUIRE(ed25519_verify(key.share(), message, good));
  CHECK(!ed25519_verify(key.share(), message, Bytes(64, 0)));
  CHECK(!ed25519_verify(key.share(), message, Ed25519Key(Ed25519Seed{2}).sign(message)));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Bytes changed = to_bytes(good);
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    CHECK(!ed25519_verify(key.share(), message, changed));
  }
  for (const std::size_t size : {0U, 32U, 63U, 65U, 128U}) {
    Bytes resized = to_bytes(good);
    resized.resize(size);
    CHECK(!ed25519_verify(key.share(), message, resized));
  }
}

TEST_CASE("H13: an S beyond the group's order is refused") {
  const Ed25519Key key(Ed25519Seed{1});
  const Bytes message{1, 2, 3};
  CHECK(!ed25519_verify(key.share(), message, with_order_added(key.sign(message))));
}

// With a key of small order R = the neutral element and S = 0 would verify any message.
TEST_CASE("H13: a key of small order signs nothing") {
  const Bytes signature = joined(hex("01" + to_hex(Bytes(31, 0))), Bytes(32, 0));
  for (const char* key : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                          // the neutral element, written with a y beyond the field
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    for (std::uint8_t i = 0; i < 16; ++i) {
      CHECK(!ed25519_verify(ed25519_key(hex(key)), Bytes{i}, signature));
    }
  }
}

TEST_CASE("H16: an RSA key has 2048 to 8192 bits, judged before any arithmetic") {
  CHECK(check_rsa_key(rsa_spki(odd_number(2048), kExponent)));
  CHECK(check_rsa_key(rsa_spki(odd_number(8192), kExponent)));
  CHECK(rsa_spki(odd_number(8192), kExponent).size() <= kMostSpkiSize);
  CHECK(rsa_refusal(Bytes(kMostSpkiSize + 1, 0x30)) == Errc::limit);
  for (const std::size_t bits : {512U, 1024U, 2047U, 8193U, 8200U, 16384U, 65536U}) {
    CAPTURE(bits);
    CHECK(rsa_refusal(rsa_spki(odd_number(bits), kExponent)) == Errc::limit);
  }
}

TEST_CASE("H16: a long exponent is refused as a long modulus is") {
  CHECK(check_rsa_key(rsa_spki(odd_number(2048), hex("7fffffff"))));
  CHECK(rsa_refusal(rsa_spki(odd_number(2048), hex("0080000001"))) == Errc::limit);
  CHECK(rsa_refusal(rsa_spki(odd_number(2048), odd_number(2048))) == Errc::limit);
  for (const char* exponent : {"01", "02", "010000"}) {
    CHECK(rsa_refusal(rsa_spki(odd_number(2048), hex(exponent))) == Errc::malformed);
  }
  CHECK(rsa_refusal(rsa_spki(joined(odd_number(2040), Bytes{2}), kExponent)) == Errc::malformed);
}

TEST_CASE("H17: a DER length beyond the buffer is refused, at every level") {
  const Bytes key = spec_rsa();
  REQUIRE(check_rsa_key(key));
  // Where the lengths of the six elements stand, and their last bytes.
  for (const std::size_t at : {3U, 5U, 7U, 22U, 27U, 31U, 546U}) {
    Bytes longer = key, shorter = key;
    ++longer[at];
    --shorter[at];
    CHECK(rsa_refusal(longer) == Errc::malformed);
    CHECK(rsa_refusal(shorter) == Errc::malformed);
  }
  for (const char* length : {"80", "84ffffffff", "88ffffffffffffffff", "82ffff", "ff"}) {
    CHECK(rsa_refusal(hex("30" + std::string(length) + "300d")) == Errc::malformed);
  }
}

TEST_CASE("H17: a key cut short anywhere, or with bytes behind it, is refused") {
  const Bytes rsa = spec_rsa(), ecdsa = spec_ecdsa();
  for (std::size_t size = 0; size < rsa.size(); ++size) {
    CHECK(rsa_refusal(ByteView(rsa).first(size)) == Errc::malformed);
  }
  for (std::size_t size = 0; size < ecdsa.size(); ++size) {
    CHECK(!check_ecdsa_p256_key(ByteView(ecdsa).first(size)));
  }
  CHECK(rsa_refusal(joined(rsa, Bytes{0})) == Errc::malformed);
  CHECK(!check_ecdsa_p256_key(joined(ecdsa, Bytes{0})));
}

TEST_CASE("crypto: a length in DER has one form, and a number is positive") {
  CHECK(rsa_refusal(rsa_spki(joined(Bytes{0}, odd_number(2048)), kExponent)) == Errc::malformed);
  CHECK(rsa_refusal(rsa_spki(Bytes(256, 0xff), kExponent)) == Errc::malformed);
  Bytes unused_bits = spec_rsa();
  unused_bits[23] = 1;
  CHECK(rsa_refusal(unused_bits) == Errc::malformed);
  CHECK(rsa_refusal(rsa_spki({}, kExponent)) == Errc::malformed);
  CHECK(rsa_refusal(rsa_spki(odd_number(2048), {})) == Errc::malformed);
  for (const char* exponent : {"028103010001", "02820003010001", "0283000003010001"}) {
    const Bytes numbers = element(0x30, joined(element(2, odd_number(2048)), hex(exponent)));
    const Bytes algorithm = element(0x30, hex("06092a864886f70d0101010500"));
    const Bytes bits = element(3, joined(Bytes{0}, numbers));
    CHECK(rsa_refusal(element(0x30, joined(algorithm, bits))) == Errc::malformed);
  }
}

TEST_CASE("crypto: a point that is not on its curve is no key") {
  Bytes ecdsa = spec_ecdsa();
  REQUIRE(check_ecdsa_p256_key(ecdsa));
  ecdsa.back() ^= 1;
  CHECK(refusal_of(check_ecdsa_p256_key(ecdsa)) == Errc::malformed);
  Bytes point = hex(spec_keys::kSecp256k1Public.substr(8));
  REQUIRE(check_secp256k1_key(point));
  CHECK(refusal_of(check_secp256k1_key(hex("02" + to_hex(Bytes(31, 0)) + "05"))) ==
        Errc::malformed);
  for (const std::uint8_t form : Bytes{0, 1, 4, 5, 6, 7}) {
    point[0] = form;
    CHECK(refusal_of(check_secp256k1_key(point)) == Errc::malformed);
  }
  CHECK(refusal_of(check_secp256k1_key({})) == Errc::malformed);
}

// OpenSSL would read the hybrid forms 6 and 7 of X9.62, which hold both y and its sign.
TEST_CASE("crypto: a whole point has one form") {
  Bytes ecdsa = spec_ecdsa();
  Bytes point =
      hex("047777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
          "1b41b30efa52b659e9db235c31f9975578a17e2b356a6b84837b5b45c555cfb1");
  REQUIRE(check_secp256k1_key(point));
  for (const std::uint8_t form : Bytes{6, 7}) {
    ecdsa[ecdsa.size() - 65] = point[0] = form;
    CHECK(refusal_of(check_ecdsa_p256_key(ecdsa)) == Errc::unsupported);
    CHECK(refusal_of(check_secp256k1_key(point)) == Errc::malformed);
  }
}

// A P-384 key, by `openssl ecparam -name secp384r1`, and @libp2p/crypto's own form of P-256.
TEST_CASE("crypto: an ECDSA key is a P-256 key in the common form") {
  const Bytes p384 = hex(
      "3076301006072a8648ce3d020106052b8104002203620004b7402de7f53e8ffffe2d47e2021cab37aef4e5d26d"
      "4a7691604a9029f25c6f4e23c358a164ccd95eebd1d101eeeb68905eaf56ae913231f1b836abf79472c789a6ca"
      "5ed3e85e0dca71853dc9b922dce498434613f588647339dc4b280c1905e4");
  CHECK(refusal_of(check_ecdsa_p256_key(p384)) == Errc::unsupported);
  CHECK(!ecdsa_p256_sha256_verify(p384, {}, {}));
  const Bytes ecdsa = spec_ecdsa();
  const Bytes js =
      joined(hex("3055020101a00a06082a8648ce3d030107a144034200"), ByteView(ecdsa).last(65));
  CHECK(js.size() == 87);
  CHECK(refusal_of(check_ecdsa_p256_key(js)) == Errc::unsupported);
}

TEST_CASE("crypto: keys of one type are not keys of another") {
  CHECK(!rsa_sha256_verify(spec_ecdsa(), {}, {}));
  CHECK(!ecdsa_p256_sha256_verify(spec_rsa(), {}, {}));
  CHECK(!secp256k1_sha256_verify(spec_ecdsa(), {}, {}));
  CHECK(rsa_refusal(spec_ecdsa()) == Errc::malformed);
}

}  // namespace kadmesh
