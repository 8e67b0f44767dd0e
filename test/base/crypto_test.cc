#include "base/crypto.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "refusal.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <std::size_t kSize>
std::array<std::uint8_t, kSize> fixed(std::string_view text) {
  std::array<std::uint8_t, kSize> out;
  std::ranges::copy(hex(text), out.begin());
  return out;
}

Bytes seal(const AeadKey& key, std::uint64_t counter, ByteView ad, ByteView plain) {
  Bytes out(plain.size() + kAeadTagSize);
  aead_seal(key, counter, ad, plain, out);
  return out;
}

std::optional<Bytes> open(const AeadKey& key, std::uint64_t counter, ByteView ad, ByteView sealed) {
  Bytes out(sealed.size() < kAeadTagSize ? 0 : sealed.size() - kAeadTagSize);
  if (!aead_open(key, counter, ad, sealed, out)) return std::nullopt;
  return out;
}

}  // namespace

// FIPS 180-4 example values ("abc" and the empty message).
TEST_CASE("crypto: SHA-256 of the published examples, again and again") {
  for (int i = 0; i < 3; ++i) {
    CHECK(to_hex(sha256(as_bytes("abc"))) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256(ByteView{})) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}

TEST_CASE("crypto: SHA-256 of pieces is that of their concatenation") {
  const std::array<ByteView, 4> pieces{as_bytes("a"), {}, as_bytes("b"), as_bytes("c")};
  CHECK(sha256(pieces) == sha256(as_bytes("abc")));
}

// RFC 4231, cases 1, 2 and 6 (a key longer than a block).
TEST_CASE("crypto: HMAC-SHA-256 of RFC 4231") {
  CHECK(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(hmac_sha256(Bytes(131, 0xaa),
                           as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 7748, section 6.1.
TEST_CASE("crypto: SipHash-2-4-128 of the reference implementation's vectors") {
  SipKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  CHECK(to_hex(sip_hash(key, {})) == "a3817f04ba25a8e66df67214c7550293");
  CHECK(to_hex(sip_hash(key, Bytes{0})) == "da87c1d86b99af44347659119b22fc45");
}

TEST_CASE("crypto: X25519 of RFC 7748") {
  const auto alice = x25519_from_secret(
      fixed<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const auto bob = x25519_from_secret(
      fixed<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  CHECK(to_hex(alice.share) == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  CHECK(to_hex(bob.share) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto shared = x25519(alice.secret, bob.share).value();
  CHECK(to_hex(shared) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  CHECK(x25519(bob.secret, alice.share).value() == shared);
}

TEST_CASE("crypto: an X25519 share of small order is refused") {
  const auto us = x25519_from_secret(X25519Key{1});
  CHECK(refusal_of(x25519(us.secret, X25519Key{})) == Errc::auth);
  CHECK(refusal_of(x25519(us.secret, X25519Key{1})) == Errc::auth);
}

TEST_CASE("crypto: an X25519 key comes from the caller's luck alone") {
  Rng one(5), same(5), other(6);
  const auto pair = make_x25519(one);
  CHECK(pair.share == make_x25519(same).share);
  CHECK(pair.share != make_x25519(other).share);
}

// RFC 8032, section 7.1, tests 1 and 2.
TEST_CASE("crypto: Ed25519 of RFC 8032") {
  const Ed25519Key empty(
      fixed<32>("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  CHECK(to_hex(empty.share()) ==
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(to_hex(empty.sign({})) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  const Ed25519Key one(
      fixed<32>("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const Bytes message = hex("72");
  CHECK(to_hex(one.sign(message)) ==
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  CHECK(ed25519_verify(one.share(), message, one.sign(message)));
}

// RFC 8439, appendix A.5: 265 bytes, a nonce that starts with four zero bytes.
TEST_CASE("crypto: ChaCha20-Poly1305 of RFC 8439") {
  const auto key = fixed<32>("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
  const Bytes ad = hex("f33388860000000000004e91");
  const Bytes sealed =
      hex("64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e"
          "382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd"
          "60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c76"
          "7b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a"
          "0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a67276"
          "27097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b0270"
          "9b"
          "eead9d67890cbb22392336fea1851f38");
  const Bytes plain = open(key, 0x0807060504030201, ad, sealed).value();
  CHECK(as_text(plain).starts_with("Internet-Drafts are draft documents valid for a maximum of"));
  CHECK(plain.size() == 265);
  CHECK(seal(key, 0x0807060504030201, ad, plain) == sealed);
}

// Made with pyca/cryptography 48: key 00…1f, counter 7, associated data "ad", text 00 01 … of 1000.
TEST_CASE("crypto: ChaCha20-Poly1305 of a long text") {
  AeadKey key;
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  Bytes plain(1000);
  std::iota(plain.begin(), plain.end(), std::uint8_t{0});
  const Bytes sealed = seal(key, 7, as_bytes("ad"), plain);
  CHECK(to_hex(sha256(sealed)) ==
        "a1d3146ae2f26434f45d88de700ec08edd5da7a99132909ad06f03f31ccf127d");
  CHECK(open(key, 7, as_bytes("ad"), sealed) == plain);
}

TEST_CASE("crypto: frames of either library open again, in place too") {
  Rng rng(1);
  const AeadKey key{1, 2, 3};
  const Bytes ad(32, 9);
  for (const std::size_t size : {0U, 1U, 64U, 511U, 512U, 513U, 1024U, 65519U}) {
    Bytes plain(size);
    rng.fill(plain);
    Bytes text = plain;
    text.resize(size + kAeadTagSize);
    aead_seal(key, size, ad, ByteView(text).first(size), text);
    CHECK(text == seal(key, size, ad, plain));
    CHECK(open(key, size, ad, text) == plain);
    REQUIRE(aead_open(key, size, ad, text, text));
    CHECK(equal(ByteView(text).first(size), plain));
  }
}

// The short path and the long one share a key stream, so they can be held against each other.
TEST_CASE("crypto: both libraries make the same cipher text") {
  const AeadKey key{7};
  const Bytes shorter = seal(key, 3, {}, Bytes(512, 0x55));
  const Bytes longer = seal(key, 3, {}, Bytes(513, 0x55));
  CHECK(equal(ByteView(shorter).first(512), ByteView(longer).first(512)));
}

TEST_CASE("crypto: a changed bit, nonce, key or associated data does not open") {
  const AeadKey key{1};
  const Bytes ad{4, 5};
  for (const std::size_t size : {0U, 40U, 4000U}) {
    const Bytes sealed = seal(key, 1, ad, Bytes(size, 6));
    for (const std::size_t at : {std::size_t{0}, size / 2, sealed.size() - 1}) {
      Bytes changed = sealed;
      changed[at] ^= 1;
      CHECK(!open(key, 1, ad, changed));
    }
    CHECK(!open(key, 2, ad, sealed));
    CHECK(!open(AeadKey{2}, 1, ad, sealed));
    CHECK(!open(key, 1, {}, sealed));
    CHECK(open(key, 1, ad, sealed));
  }
}

TEST_CASE("crypto: a frame shorter than a tag does not open") {
  for (std::size_t size = 0; size < kAeadTagSize; ++size) {
    CHECK(!open(AeadKey{}, 0, {}, Bytes(size, 0)));
  }
}

}  // namespace kadmesh
