#include "base/time.h"

#include <doctest/doctest.h>

#include <limits>

namespace kadmesh {

TEST_CASE("time: sums stay at the end of the clock") {
  CHECK(after(kNever, 1s) == kNever);
  CHECK(after(Time(Duration::max() - 5ns), 10ns) == kNever);
  CHECK(after(Time(1s), 2s) == Time(3s));
}

TEST_CASE("time: a peer's seconds are clamped") {
  CHECK(seconds_clamped(60) == 60s);
  CHECK(seconds_clamped(std::numeric_limits<std::uint64_t>::max()) > 24h * 365 * 200);
}

TEST_CASE("time: RFC 3339 in UTC with nanoseconds") {
  CHECK(to_rfc3339(WallTime(0s)) == "1970-01-01T00:00:00.000000000Z");
  CHECK(to_rfc3339(WallTime(-1ns)) == "1969-12-31T23:59:59.999999999Z");
  CHECK(to_rfc3339(WallTime::min()) == "1677-09-21T00:12:43.145224192Z");
  CHECK(to_rfc3339(WallTime::max()) == "2262-04-11T23:47:16.854775807Z");
  CHECK(to_rfc3339(WallTime(1'700'000'000s + 5ns)) == "2023-11-14T22:13:20.000000005Z");
}

}  // namespace kadmesh
