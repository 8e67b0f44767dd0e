// A moment of any year that RFC 3339 can write, 0000 to 9999: what a peer names, where WallTime
// would end in 2262.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace kadmesh {

struct Moment {
  std::int64_t seconds;       // since 1970 began, UTC
  std::uint32_t nanoseconds;  // forward from there, less than a second

  friend auto operator<=>(const Moment&, const Moment&) = default;
};

Moment moment_of(WallTime time);

// "2026-11-22T10:55:00.5+01:00" (RFC 3339, section 5.6): of what it allows what go reads, that is
// capitals and no leap second; of a fraction the digits behind the ninth are dropped.
// Errc::malformed for anything else.
Result<Moment> moment_from_rfc3339(std::string_view text);

}  // namespace kadmesh
