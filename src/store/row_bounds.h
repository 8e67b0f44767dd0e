// The bounds that every store holds its rows to.
#pragma once

#include "store/store.h"

namespace kadmesh {

// What a row counts towards StoreLimits::bytes.
std::size_t size_of(const Row& row);
// Errc::limit with the part that is too long.
Result<void> check_bounds(const Row& row);
// Errc::limit when a store of `rows` and `bytes` would be more than full.
Result<void> check_room(std::size_t rows, std::size_t bytes, const StoreLimits& limits);

}  // namespace kadmesh
