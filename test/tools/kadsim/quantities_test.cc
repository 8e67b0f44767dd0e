#include "kadsim/quantities.h"

#include <vector>

#include "refusal.h"

namespace kadmesh::kadsim {
namespace {

TEST_CASE("quantities: times are exact, whatever their unit") {
  CHECK(*parse_duration("250ms") == 250ms);
  CHECK(*parse_duration("1.5s") == 1500ms);
  CHECK(*parse_duration("0.1s") == 100ms);
  CHECK(*parse_duration("2 min") == 2min);
  CHECK(*parse_duration("3d") == 72h);
  CHECK(*parse_duration("0") == 0ns);
}

TEST_CASE("quantities: what is no time is refused") {
  for (const char* text : {"", "5", "s", "-1s", "1.s", ".5s", "1.2.3s", "1e3s", "1 parsec",
                           "9999999d", "99999999999999999999s"})
    CHECK_MESSAGE(refusal_of(parse_duration(text)) == Errc::invalid, text);
}

TEST_CASE("quantities: a time reads back as it was written") {
  for (const Duration time : std::vector<Duration>{0s, 7ns, 1500us, 1500ms, 90s, 1h, 12345678901ns})
    CHECK(*parse_duration(to_text(time)) == time);
}

TEST_CASE("quantities: sizes, bandwidths and shares") {
  CHECK(*parse_bytes("2KiB") == 2048);
  CHECK(*parse_bytes("1.5kB") == 1500);
  CHECK(*parse_bandwidth("10Mbit/s") == 1'250'000);
  CHECK(*parse_bandwidth("unlimited") == 0);
  CHECK(*parse_share("2%") == 20'000);
  CHECK(*parse_share("0.02") == 20'000);
  CHECK(*parse_share("1") == kWhole);
  CHECK(refusal_of(parse_bytes("2 KB")) == Errc::invalid);
  CHECK(refusal_of(parse_bandwidth("0Mbit/s")) == Errc::invalid);
  CHECK(refusal_of(parse_share("101%")) == Errc::invalid);
}

}  // namespace
}  // namespace kadmesh::kadsim
