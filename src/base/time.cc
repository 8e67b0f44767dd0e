#include "base/time.h"

#include <cstdio>

namespace kadmesh {

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto since = time.time_since_epoch();
  // By whole seconds: the first day of all begins before the first nanosecond that there is.
  const auto second = floor<seconds>(since);
  const auto day = floor<days>(second);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss clock(second - day);
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto nanosecond = static_cast<int>((since.count() % kSecond + kSecond) % kSecond);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), nanosecond);
  return text;
}

}  // namespace kadmesh
