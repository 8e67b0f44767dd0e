// What every store holds its rows, and those who write them, to.
#pragma once

#include "store/store.h"

namespace kadmesh {

// What a store's ledger adds to the bytes of each row: all that a store may keep of one.
inline std::size_t row_weight(const StoreLimits& limits) {
  return limits.rows == 0 ? 0 : limits.bytes / limits.rows;
}
// What a row counts towards StoreLimits::bytes.
std::size_t size_of(const Row& row);
// Errc::limit with the part that is too long.
Result<void> check_bounds(const Row& row);
// What holds for saving this row. One that takes the place of one as large needs no room.
StoreLimits limits_of(const Row& row, bool grows, const StoreLimits& limits);
// Whether a row that is there, if any, has expired, or is one of those that its writer has seen.
// Errc::refused.
Result<void> check_seen(WallTime now, const std::optional<StoreRows>& seen,
                        const std::optional<Row>& there);
// Errc::limit when a store of `rows` and `bytes` would be more than full.
Result<void> check_room(std::size_t rows, std::size_t bytes, const StoreLimits& limits);

}  // namespace kadmesh
