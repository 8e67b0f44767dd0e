#include "base/proto_scan.h"

#include <doctest/doctest.h>

#include <array>

namespace kadmesh {
namespace {

// message Leaf { repeated bytes 1 (at most 2) }   message Root { repeated Leaf 3 (at most 3) }
constexpr std::array<FieldShape, 1> kLeafFields{{{1, 2}}};
constexpr MessageShape kLeaf{kLeafFields};
constexpr std::array<FieldShape, 1> kRootFields{{{3, 3, &kLeaf}}};
constexpr MessageShape kRoot{kRootFields};
constexpr ScanLimits kLimits{100, 10, 2};

Result<void> scan(std::string_view hex, const ScanLimits& limits = kLimits) {
  return scan_message(from_hex(hex).value(), kRoot, limits);
}

}  // namespace

TEST_CASE("proto scan: messages within their bounds pass, unknown fields of every type included") {
  CHECK(scan(""));
  CHECK(scan("1a00"));  // an empty leaf
  CHECK(
      scan("1a040a000a00"
           "1a020a00"));  // 2 in one leaf, 1 in the next
  CHECK(
      scan("0801"
           "09"
           "0000000000000000"
           "1200"
           "1d00000000"));
  CHECK(scan("08ffffffffffffffffff01"));  // a varint of 10 bytes
  CHECK(scan("188080808000"));            // not minimal
}

TEST_CASE("proto scan: occurrences are bounded within one parent") {
  CHECK(scan("1a060a000a000a00") == fail(Errc::limit));
  CHECK(scan("1a001a001a00"));
  CHECK(scan("1a001a001a001a00") == fail(Errc::limit));
}

TEST_CASE("proto scan: elements of all levels are bounded together") {
  ScanLimits limits = kLimits;
  limits.most_elements = 4;
  CHECK(
      scan("1a040a000a00"
           "0801",
           limits));
  CHECK(scan("1a040a000a00"
             "08010801",
             limits) == fail(Errc::limit));
}

TEST_CASE("proto scan: bytes and depth are bounded before anything is read") {
  ScanLimits limits = kLimits;
  limits.most_bytes = 3;
  CHECK(scan("08010801", limits) == fail(Errc::limit));
  limits = kLimits;
  limits.most_depth = 1;
  CHECK(scan("1a00", limits) == fail(Errc::limit));
  CHECK(scan("1801", limits));  // field 3, but no message
}

TEST_CASE("proto scan: what is no protobuf is malformed, at every level") {
  for (const std::string_view bad :
       {"08", "0880", "1203aabb", "12ffffffffffffffffff01", "0900000000000000", "0d000000",
        "0b0c",                      // a group
        "0e", "0f",                  // no wire types
        "0000",                      // field number 0
        "08ffffffffffffffffffff01",  // 11 bytes
        "08ffffffffffffffffff02",    // 65 bits
        "808080801000",              // a tag of 33 bits
        "1a010a", "1a020b0c"}) {
    CAPTURE(bad);
    CHECK(scan(bad) == fail(Errc::malformed));
  }
}

TEST_CASE("proto scan: fields come off one by one, and point into the message") {
  const Bytes message = from_hex("08960112027879").value();
  ByteView in = message;
  const auto first = take_field(in).value();
  CHECK(first.number == 1);
  CHECK_FALSE(first.is_bytes);
  CHECK(to_hex(first.whole) == "089601");
  const auto second = take_field(in).value();
  CHECK(second.number == 2);
  CHECK(second.is_bytes);
  CHECK(as_text(second.body) == "xy");
  CHECK(second.body.data() == message.data() + 5);
  CHECK(in.empty());
}

}  // namespace kadmesh
