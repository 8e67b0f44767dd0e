#include "replay/decode.h"

#include <doctest/doctest.h>

#include "replay/encode.h"

using namespace kadmesh;

namespace {

template <class T, class Part>
bool taken(const std::vector<Part>& parts) {
  Bytes bytes;
  replay::encode(bytes, parts);  // as a map's: their number, then each
  replay::Decoder in(bytes);
  in.value<T>();
  return in.ok();
}

bool prefix_taken(std::string_view text) {
  Bytes bytes;
  replay::encode(bytes, text);
  replay::Decoder in(bytes);
  in.value<IpPrefix>();
  return in.ok();
}

}  // namespace

TEST_CASE("decode: a map has one order, and each key once") {
  using Entry = PartialUse;  // two bytes
  using Map = std::map<std::uint8_t, bool>;
  const Entry first{false, true}, second{true, true};
  CHECK(taken<Map>(std::vector{first, second}));
  CHECK_FALSE(taken<Map>(std::vector{second, first}));
  CHECK_FALSE(taken<Map>(std::vector{first, first}));
}

TEST_CASE("decode: a prefix of addresses has one text") {
  CHECK(prefix_taken("10.0.0.0/8"));
  CHECK(prefix_taken("2001:db8::/32"));
  CHECK_FALSE(prefix_taken("10.1.2.3"));
  CHECK_FALSE(prefix_taken("2001:0db8::/32"));
  CHECK_FALSE(prefix_taken("10.1.2.3/33"));
}
