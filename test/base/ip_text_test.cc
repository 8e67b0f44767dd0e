#include "base/ip_text.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

std::string again6(std::string_view text) {
  const auto ip = parse_ip6(text);
  return ip ? ip6_text(*ip) : "refused";
}

std::string again4(std::string_view text) {
  const auto ip = parse_ip4(text);
  return ip ? ip4_text(*ip) : "refused";
}

}  // namespace

// RFC 5952, sections 1, 2 and 4.
TEST_CASE("ip text: IPv6 is written in its one recommended form") {
  CHECK(again6("2001:db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(again6("2001:0db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(again6("2001:db8::1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(again6("2001:db8::0:1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(again6("2001:db8:aaaa:bbbb:cccc:dddd:0:1") == "2001:db8:aaaa:bbbb:cccc:dddd:0:1");
  CHECK(again6("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");  // one group is not shortened
  CHECK(again6("2001:0:0:1:0:0:0:1") == "2001:0:0:1::1");           // the longest run
  CHECK(again6("2001:DB8::A") == "2001:db8::a");
  CHECK(again6("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
  CHECK(again6("::ffff:c000:201") == "::ffff:192.0.2.1");
}

TEST_CASE("ip text: the ends of IPv6") {
  CHECK(again6("::") == "::");
  CHECK(again6("0:0:0:0:0:0:0:0") == "::");
  CHECK(again6("::1") == "::1");
  CHECK(again6("1::") == "1::");
  CHECK(again6("1:2:3:4:5:6:7::") == "1:2:3:4:5:6:7:0");
  CHECK(again6("1:2:3:4:5:6:1.2.3.4") == "1:2:3:4:5:6:102:304");
  CHECK(again6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") ==
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST_CASE("ip text: what is no IPv6 address is refused") {
  for (const char* text : {"",
                           ":",
                           ":::",
                           "1",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1::",
                           "1::2::3",
                           ":1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:",
                           "12345::",
                           "g::",
                           "fe80::1%eth0",
                           "::1 ",
                           "::1.2.3",
                           "::1.2.3.4.5",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1.2.3.4",
                           "::-1",
                           "::+1",
                           "[::1]"}) {
    CAPTURE(text);
    CHECK(again6(text) == "refused");
  }
}

TEST_CASE("ip text: IPv4 is four decimal numbers") {
  CHECK(again4("0.0.0.0") == "0.0.0.0");
  CHECK(again4("255.1.20.255") == "255.1.20.255");
  for (const char* text :
       {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "0x7f.0.0.1", "127.1", "1..2.3",
        ".1.2.3", "1.2.3.", "1.2.3.4 ", "-1.2.3.4", "1,2,3,4"}) {
    CAPTURE(text);
    CHECK(again4(text) == "refused");
  }
}

TEST_CASE("ip text: a decimal number has one text and keeps its bound") {
  CHECK(parse_decimal("0", 10) == 0);
  CHECK(parse_decimal("10", 10) == 10);
  CHECK(!parse_decimal("11", 10));
  CHECK(!parse_decimal("9", 8));
  CHECK(!parse_decimal("", 10));
  CHECK(!parse_decimal("00", 10));
  CHECK(!parse_decimal("1 ", 10));
  CHECK(parse_decimal("18446744073709551615", ~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK(!parse_decimal("18446744073709551616", ~std::uint64_t{0}));
  CHECK(!parse_decimal("99999999999999999999999", ~std::uint64_t{0}));
}

}  // namespace kadmesh
