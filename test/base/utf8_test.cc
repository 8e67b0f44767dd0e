#include "base/utf8.h"

#include <doctest/doctest.h>

namespace kadmesh {

TEST_CASE("utf8: the shortest form alone, no surrogates, nothing beyond U+10FFFF") {
  for (const char* good : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(good));
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "a\xff"})
    CHECK_FALSE(is_utf8(bad));
}

}  // namespace kadmesh
