#include "base/time.h"

#include <cstdio>

#include "base/moment.h"

namespace kadmesh {

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const Moment moment = moment_of(time);
  const seconds since(moment.seconds);
  const auto day = floor<days>(since);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss clock(since - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09uZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), moment.nanoseconds);
  return text;
}

}  // namespace kadmesh
