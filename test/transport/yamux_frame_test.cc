#include "transport/yamux_frame.h"

#include <doctest/doctest.h>

#include "base/bytes.h"

namespace kadmesh {
namespace {

std::string hex_of(const YamuxHeader& header) { return to_hex(encode(header)); }

Result<YamuxHeader> decode_hex(std::string_view hex) {
  const Bytes bytes = *from_hex(hex);
  REQUIRE(bytes.size() == kYamuxHeaderSize);
  return decode_yamux_header(std::span<const std::uint8_t, kYamuxHeaderSize>(bytes));
}

}  // namespace

TEST_CASE("yamux_frame: the headers that every stack sends") {
  using namespace yamux_flag;
  CHECK(hex_of({YamuxType::window_update, kSyn, 1, 0}) == "000100010000000100000000");
  CHECK(hex_of({YamuxType::window_update, kAck, 1, 0}) == "000100020000000100000000");
  CHECK(hex_of({YamuxType::data, 0, 1, 2}) == "000000000000000100000002");
  CHECK(hex_of({YamuxType::window_update, kFin, 1, 0}) == "000100040000000100000000");
  CHECK(hex_of({YamuxType::window_update, kRst, 1, 0}) == "000100080000000100000000");
  CHECK(hex_of({YamuxType::ping, kSyn, 0, 7}) == "000200010000000000000007");
  CHECK(hex_of({YamuxType::ping, kAck, 0, 7}) == "000200020000000000000007");
  CHECK(hex_of({YamuxType::go_away, 0, 0, 0}) == "000300000000000000000000");
}

TEST_CASE("yamux_frame: decoding gives back what was encoded") {
  const YamuxHeader header{YamuxType::data, yamux_flag::kSyn | yamux_flag::kFin, 0x01020304,
                           0xfffefdfc};
  CHECK(decode_yamux_header(encode(header)) == header);
}

TEST_CASE("yamux_frame: an unknown version or type is refused") {
  CHECK(decode_hex("010000000000000100000000") == fail(Errc::protocol));
  CHECK(decode_hex("000400000000000100000000") == fail(Errc::protocol));
}

TEST_CASE("yamux_frame: unknown flags are ignored") {
  CHECK(decode_hex("0001fff00000000100000000").has_value());
}

TEST_CASE("yamux_frame: stream frames need a stream, session frames must have none") {
  CHECK(decode_hex("000000000000000000000000") == fail(Errc::protocol));
  CHECK(decode_hex("000100010000000000000000") == fail(Errc::protocol));
  CHECK(decode_hex("000200010000000100000000") == fail(Errc::protocol));
  CHECK(decode_hex("000300000000000200000000") == fail(Errc::protocol));
}

TEST_CASE("yamux_frame: a ping asks or answers, never both or neither") {
  CHECK(decode_hex("000200000000000000000007") == fail(Errc::protocol));
  CHECK(decode_hex("000200030000000000000007") == fail(Errc::protocol));
}

}  // namespace kadmesh
