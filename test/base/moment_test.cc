#include "base/moment.h"

#include <doctest/doctest.h>

#include "refusal.h"

namespace kadmesh {
namespace {

Moment at(std::string_view text) { return moment_from_rfc3339(text).value(); }

}  // namespace

TEST_CASE("moment: what to_rfc3339 writes is read as the same time") {
  for (const WallTime time : {WallTime(0s), WallTime(1'700'000'000s + 5ns), WallTime(-1ns),
                              WallTime::min(), WallTime::max()})
    CHECK_MESSAGE(at(to_rfc3339(time)) == moment_of(time), to_rfc3339(time));
  CHECK(moment_of(WallTime(-1ns)) == Moment{-1, 999'999'999});
}

// RFC 3339, section 5.8.
TEST_CASE("moment: an offset is how far that clock is ahead") {
  CHECK(at("1996-12-19T16:39:57-08:00") == at("1996-12-20T00:39:57Z"));
  CHECK(at("1937-01-01T12:00:27.87+00:20") == at("1937-01-01T11:40:27.87Z"));
  CHECK(at("1985-04-12T23:20:50.52Z") == Moment{482'196'050, 520'000'000});
}

TEST_CASE("moment: years that WallTime does not reach keep their order") {
  CHECK(at("0000-01-01T00:00:00Z") == Moment{-62'167'219'200, 0});
  CHECK(at("9999-12-31T23:59:59.999999999Z") == Moment{253'402'300'799, 999'999'999});
  CHECK(at("9998-01-01T00:00:00Z") < at("9999-01-01T00:00:00Z"));
  CHECK(moment_of(WallTime::max()) < at("2263-01-01T00:00:00Z"));
}

TEST_CASE("moment: a fraction counts to its ninth digit") {
  CHECK(at("1970-01-01T00:00:00.5Z").nanoseconds == 500'000'000);
  CHECK(at("1970-01-01T00:00:00.000000001Z").nanoseconds == 1);
  CHECK(at("1970-01-01T00:00:00.00000000199999999999999999999Z").nanoseconds == 1);
}

TEST_CASE("moment: days are those of the calendar") {
  CHECK(at("2024-02-29T00:00:00Z") < at("2024-03-01T00:00:00Z"));
  for (const auto* text : {"2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-04-31T00:00:00Z",
                           "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-00T00:00:00Z",
                           "2024-01-32T00:00:00Z"})
    CHECK_MESSAGE(refusal_of(moment_from_rfc3339(text)) == Errc::malformed, text);
}

TEST_CASE("H68: a time is refused wherever it is cut, and whatever stands in a digit's place") {
  const std::string whole = "1996-12-19T16:39:57.25-08:00";
  REQUIRE(moment_from_rfc3339(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_MESSAGE(!moment_from_rfc3339(whole.substr(0, length)), length);
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const char other : {'\0', '/', ':', ' ', '+', 'x', '\xFF'}) {
      std::string changed = whole;
      if (changed[i] == other || (changed[i] == '-' && i == 22 && other == '+')) continue;
      changed[i] = other;
      CHECK_MESSAGE(!moment_from_rfc3339(changed), changed);
    }
}

TEST_CASE("moment: what is nearly a time is none") {
  for (const auto* text : {"",
                           "Z",
                           "1970-01-01",
                           "1970-01-01T00:00:00",
                           "1970-01-01T00:00:00z",
                           "1970-01-01t00:00:00Z",
                           "1970-01-01 00:00:00Z",
                           "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:00,5Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T00:00:60Z",
                           "1970-01-01T00:00:00+24:00",
                           "1970-01-01T00:00:00+0100",
                           "1970-01-01T00:00:0001:00",
                           "1970-01-01T00:00:00Z ",
                           " 1970-01-01T00:00:00Z",
                           "12026-01-01T00:00:00Z",
                           "-026-01-01T00:00:00Z",
                           "1970-1-01T00:00:00Z",
                           "1970-01-01T0:00:00Z"})
    CHECK_MESSAGE(refusal_of(moment_from_rfc3339(text)) == Errc::malformed, text);
}

}  // namespace kadmesh
