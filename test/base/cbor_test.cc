#include "base/cbor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "refusal.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

// A map that holds the value under "a".
Bytes holding(std::string_view value) { return hex("a16161" + std::string(value)); }

bool reads(std::string_view document) { return CborMap::read(hex(document)).has_value(); }
bool holds(std::string_view value) { return CborMap::read(holding(value)).has_value(); }

Errc refusal(std::string_view document) { return refusal_of(CborMap::read(hex(document))); }

// What the map says under "a" goes to `look`, while the bytes are there.
template <class Look>
auto look_at(std::string_view value, Look look) {
  const Bytes document = holding(value);
  const CborMap map = CborMap::read(document).value();
  const CborValue* found = map.find("a");
  REQUIRE(found != nullptr);
  CHECK(to_hex(found->whole) == value);
  return look(*found);
}

std::optional<std::int64_t> integer(std::string_view value) {
  return look_at(value, [](const CborValue& found) {
    CHECK(found.kind == CborKind::integer);
    return found.integer;
  });
}
CborKind kind(std::string_view value) {
  return look_at(value, [](const CborValue& found) { return found.kind; });
}
std::string content(std::string_view value) {
  return look_at(value, [](const CborValue& found) { return std::string(as_text(found.content)); });
}

// `levels` lists or maps of one, a null at the bottom, in a map: one level more.
Bytes nested(std::string_view begin, std::size_t levels) {
  std::string value;
  for (std::size_t i = 0; i < levels; ++i) value += begin;
  return holding(value + "f6");
}

}  // namespace

// ipld/codec-fixtures, fixtures/int-*, string-*, bytes-*, true, false, null, float-*, cid-*.
TEST_CASE("cbor: values of every kind are told apart") {
  CHECK(integer("1b7fffffffffffffff") == std::numeric_limits<std::int64_t>::max());
  CHECK(integer("3b7fffffffffffffff") == std::numeric_limits<std::int64_t>::min());
  CHECK(integer("1903e8") == 1000);
  CHECK(integer("3863") == -100);
  CHECK(content("426131") == "a1");
  CHECK(content("6c48656c6c6f20776f726c6421") == "Hello world!");
  CHECK(kind("f5") == CborKind::boolean);
  CHECK(kind("f6") == CborKind::null);
  CHECK(kind("fbbfe0000000000000") == CborKind::floating);
  CHECK(kind("fb0000000000000002") == CborKind::floating);  // no number to be shortened
  CHECK(kind("8502040608a0") == CborKind::list);
  CHECK(kind("a16161a16162f4") == CborKind::map);
  CHECK(kind("d82a4a00015500050001020304") == CborKind::link);
}

TEST_CASE("cbor: an integer beyond 64 bits with a sign is one, of no value") {
  CHECK(integer("1bffffffffffffffff") == std::nullopt);
  CHECK(integer("1b8000000000000000") == std::nullopt);
  CHECK(integer("3ba5f702b3a5f702b3") ==
        std::nullopt);  // codec-fixtures, int--11959030306112471732
}

// ipld/codec-fixtures, fixtures/map-keysort, map-nested and ipns.
TEST_CASE("cbor: the published maps are read") {
  const Bytes sorted =
      hex("a9616601626565026364646403646363636304656262626262056661616161616106666161"
          "616161620766616161616163086661616161626209");
  const CborMap keys = CborMap::read(sorted).value();
  CHECK(keys.entries().size() == 9);
  CHECK(std::ranges::is_sorted(keys.entries(), CborKeyOrder(), &CborMap::Entry::first));
  CHECK(keys.find("f")->integer == 1);
  CHECK(keys.find("aaaabb")->integer == 9);
  CHECK(keys.find("aaaabc") == nullptr);
  CHECK(reads("a1666f626a656374a16477697468a26134666e6573746564676f626a65637473a161216121"));
  CHECK(CborMap::read(hex("a0")).value().entries().empty());
}

// ipld/codec-fixtures, fixtures/ipns: a record's five fields, and the order in which they go out.
TEST_CASE("cbor: what is written is what is published, whatever the order of writing") {
  const std::string_view value =
      "/ipfs/bafyreid3ljptjrmrxxdelw77ttgbf5rny4ipkbbx3u5s7t3wlsfnf4fy3i";
  CborMapWriter writer;
  writer.integer("ValidityType", 0);
  writer.bytes("Validity", as_bytes("2023-05-02T13:43:41.262136727Z"));
  writer.integer("Sequence", 7);
  writer.bytes("Value", as_bytes(value));
  writer.integer("TTL", 0);
  writer.integer("Sequence", 0);  // the last counts
  CHECK(to_hex(writer.document()) ==
        "a56354544c006556616c7565"
        "5841" +
            to_hex(as_bytes(value)) +
            "6853657175656e6365006856616c6964697479581e"
            "323032332d30352d30325431333a34333a34312e3236"
            "323133363732375a6c56616c69646974795479706500");
}

TEST_CASE("cbor: integers are written in the shortest form, and read back") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{23}, std::int64_t{24}, std::int64_t{255}, std::int64_t{256},
        std::int64_t{65535}, std::int64_t{65536}, std::int64_t{0xFFFF'FFFF},
        std::int64_t{0x1'0000'0000}, kMost, std::int64_t{-1}, std::int64_t{-24}, std::int64_t{-25},
        -kMost - 1}) {
    CborMapWriter writer;
    writer.integer("n", value);
    const Bytes document = writer.document();
    CHECK(CborMap::read(document).value().find("n")->integer == value);
  }
}

// ipld/go-ipld-prime, codec/dagcbor/unmarshal_test.go: RejectsNonCanonicalCBOR, TestFunBlocks.
TEST_CASE("cbor: what go refuses is refused") {
  CHECK(!holds("9ff6ff"));              // a list without a length
  CHECK(!holds("1817"));                // 23 in two bytes
  CHECK(!holds("780161"));              // a length of 1 in two bytes
  CHECK(!holds("fb7ff8000000000000"));  // not a number
  CHECK(!holds("fb7ff0000000000000"));  // infinity
  CHECK(!holds("d82a40"));              // a link of no bytes
  CHECK(refusal("a000") == Errc::malformed);
}

TEST_CASE("cbor: no other tag, no break, no simple value without a meaning") {
  for (const auto* value : {"c100", "d82b4100",
                            "d90029"
                            "4100",
                            "d82a0100", "d82a4101", "d82a6100", "ff", "f0", "f818", "fc",
                            "7f6161ff", "5f4161ff", "bfff", "1c"})
    CHECK_MESSAGE(!holds(value), value);
}

TEST_CASE("cbor: a document is a map, and nothing else") {
  for (const auto* document : {"", "00", "80", "f6", "4100", "d82a4100", "ff"})
    CHECK_MESSAGE(refusal(document) == Errc::malformed, document);
  CHECK(refusal("a1"
                "00"
                "00") == Errc::malformed);  // a key that is a number
  CHECK(refusal("a1"
                "4161"
                "00") == Errc::malformed);  // a key that is bytes
}

// ipld/codec-fixtures, negative-fixtures/dag-cbor/decode/duplicate-keys.json.
TEST_CASE("cbor: no key comes twice, at any level and in any order") {
  CHECK(refusal("a3636261720363666f6f0163666f6f02") == Errc::malformed);
  CHECK(refusal("a3"
                "616100"
                "616200"
                "616100") == Errc::malformed);
  CHECK(
      !holds("a2"
             "616100"
             "616100"));
  CHECK(
      !holds("81"
             "a2"
             "6000"
             "6000"));
}

// ipld/go-ipld-prime, codec/dagcbor/unmarshal_test.go: KnownStrictnessGaps, TestFunBlocks/undef.
TEST_CASE("cbor: what go takes beside the specification is taken") {
  const Bytes unsorted = hex("a2616201616102");
  const CborMap map = CborMap::read(unsorted).value();
  CHECK(map.find("a")->integer == 2);
  CHECK(map.find("b")->integer == 1);
  CHECK(kind("f93c00") == CborKind::floating);
  CHECK(kind("fa3f800000") == CborKind::floating);
  CHECK(!holds("f97c00"));
  CHECK(!holds("fa7fc00000"));
  CHECK(kind("f7") == CborKind::null);
}

// The bytes lie in a buffer of their size: a sanitizer sees what reads behind it.
TEST_CASE("H62: a map is refused wherever it is cut, and whatever length is claimed in it") {
  const Bytes whole =
      hex("a4616118ff61624261316163"
          "82"
          "f6fb3ff0000000000000"
          "6164"
          "a1616504");
  REQUIRE(CborMap::read(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_MESSAGE(refusal_of(CborMap::read(cut)) == Errc::malformed, length);
  }
  for (const auto* major : {"1b", "3b", "5b", "7b", "9b", "bb"})
    for (const auto* length : {"7fffffffffffffff", "8000000000000000", "ffffffffffffffff"}) {
      const std::string claim = std::string(major) + length;
      CHECK_MESSAGE(!CborMap::read(hex("a161" + claim)), claim);
      if (major[0] > '3')
        CHECK_MESSAGE(refusal_of(CborMap::read(holding(claim))) == Errc::malformed, claim);
    }
  CHECK(refusal("bbffffffffffffffff") == Errc::malformed);
}

TEST_CASE("H63: maps and lists within one another end at a bound, long before the stack") {
  for (const auto* begin : {"81", "a16161"}) {
    CHECK(CborMap::read(nested(begin, kMostCborDepth - 1)));
    CHECK(refusal_of(CborMap::read(nested(begin, kMostCborDepth))) == Errc::limit);
    CHECK(refusal_of(CborMap::read(nested(begin, 1'000'000))) == Errc::limit);
  }
  const Bytes tags = holding(std::string(20'000, 'c') + "00");  // one tag in another
  CHECK(refusal_of(CborMap::read(tags)) == Errc::malformed);
}

}  // namespace kadmesh
