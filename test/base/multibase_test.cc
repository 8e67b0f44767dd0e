#include "base/multibase.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "refusal.h"

namespace kadmesh {
namespace {

constexpr std::array kBases{Base::base16, Base::base32, Base::base36, Base::base58,
                            Base::base64url};

}  // namespace

// multiformats/multibase, tests/basic.csv, leading_zero.csv and two_leading_zeros.csv ("yes mani
// !").
TEST_CASE("multibase: the vectors of the specification") {
  const auto check = [](std::string_view plain, std::string_view text, Base base) {
    CHECK(to_multibase(base, as_bytes(plain)) == text);
    CHECK(equal(from_multibase(text).value(), as_bytes(plain)));
  };
  check("yes mani !", "f796573206d616e692021", Base::base16);
  check("yes mani !", "bpfsxgidnmfxgsibb", Base::base32);
  check("yes mani !", "k2lcpzo5yikidynfl", Base::base36);
  check("yes mani !", "z7paNL19xttacUY", Base::base58);
  check("yes mani !", "ueWVzIG1hbmkgIQ", Base::base64url);
  const std::string_view zeros("\0\0yes mani !", 12);
  check(zeros, "f0000796573206d616e692021", Base::base16);
  check(zeros, "baaahszltebwwc3tjeaqq", Base::base32);
  check(zeros, "k002lcpzo5yikidynfl", Base::base36);
  check(zeros, "z117paNL19xttacUY", Base::base58);
  check(zeros, "uAAB5ZXMgbWFuaSAh", Base::base64url);
}

TEST_CASE("multibase: every length comes back, in every base") {
  Rng rng(1);
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    rng.fill(bytes);
    if (size > 3) bytes[0] = 0;
    for (const Base base : kBases) CHECK(from_base(base, to_base(base, bytes)).value() == bytes);
  }
}

TEST_CASE("multibase: upper case is the same where a base has no case") {
  CHECK(from_multibase("F0AFf").value() == Bytes{0x0a, 0xff});
  CHECK(from_multibase("BPFSXGIDNMFXGSIBB").value() == from_multibase("bpfsxgidnmfxgsibb").value());
  CHECK(from_multibase("K2LCPZO5YIKIDYNFL").value() == from_multibase("k2lcpzo5yikidynfl").value());
}

TEST_CASE("multibase: one value has one text") {
  CHECK(refusal_of(from_multibase("f0")) == Errc::malformed);   // half a byte
  CHECK(refusal_of(from_multibase("ba")) == Errc::malformed);   // not one byte
  CHECK(refusal_of(from_multibase("baf")) == Errc::malformed);  // leftover bits set
  CHECK(from_multibase("buaaaaaaa").value().size() == 5);
  CHECK(refusal_of(from_multibase("uAB")) == Errc::malformed);
}

TEST_CASE("multibase: nonsense is an error") {
  CHECK(refusal_of(from_multibase("")) == Errc::malformed);
  CHECK(refusal_of(from_multibase("Qm")) == Errc::unsupported);
  CHECK(refusal_of(from_multibase("z0OIl")) == Errc::malformed);
  CHECK(refusal_of(from_multibase("k-")) == Errc::malformed);
  CHECK(refusal_of(from_multibase("u+/")) == Errc::malformed);
  CHECK(refusal_of(from_multibase("b=")) == Errc::malformed);
}

TEST_CASE("multibase: the text of a number is bounded, for it costs the square of its length") {
  CHECK(from_base(Base::base58, std::string(kMostNumberText, '2')));
  CHECK(refusal_of(from_base(Base::base58, std::string(kMostNumberText + 1, '2'))) == Errc::limit);
}

}  // namespace kadmesh
