#include "base/varint.h"

#include <doctest/doctest.h>

#include "refusal.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

std::string encoded(std::uint64_t value) {
  Bytes out;
  put_varint(out, value);
  CHECK(out.size() == varint_size(value));
  return to_hex(out);
}

Errc refusal(std::string_view text) { return refusal_of(get_varint(hex(text))); }

}  // namespace

// Examples of multiformats/unsigned-varint, README.md.
TEST_CASE("varint: the examples of the specification") {
  CHECK(encoded(1) == "01");
  CHECK(encoded(127) == "7f");
  CHECK(encoded(128) == "8001");
  CHECK(encoded(255) == "ff01");
  CHECK(encoded(300) == "ac02");
  CHECK(encoded(16384) == "808001");
}

TEST_CASE("varint: what is written is read back, at every length") {
  for (unsigned bits = 0; bits <= 63; ++bits) {
    const std::uint64_t value = (std::uint64_t{1} << bits) - 1;
    Bytes bytes;
    put_varint(bytes, value);
    bytes.push_back(0xff);  // what follows is not looked at
    const auto read = get_varint(bytes).value();
    REQUIRE(read);
    CHECK(read->value == value);
    CHECK(read->size == bytes.size() - 1);
  }
}

TEST_CASE("varint: a number cut short asks for more") {
  CHECK(!get_varint({}).value());
  CHECK(!get_varint(hex("80")).value());
  CHECK(!get_varint(hex("ffffffffffffffff")).value());
}

TEST_CASE("varint: only the shortest form is taken") {
  CHECK(get_varint(hex("00")).value()->value == 0);
  CHECK(refusal("8000") == Errc::malformed);
  CHECK(refusal("ff8000") == Errc::malformed);
}

TEST_CASE("H55: a varint ends at 9 bytes, so that no shift reaches 64") {
  CHECK(get_varint(hex("ffffffffffffffff7f")).value()->value == kMostVarint);
  CHECK(refusal("ffffffffffffffffff01") == Errc::malformed);
  CHECK(refusal("ffffffffffffffffffffffffffffffffffff") == Errc::malformed);
}

}  // namespace kadmesh
