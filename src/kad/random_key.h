// Keys to look around with: bytes that hash to where one wants to look.
#pragma once

#include <optional>

#include "base/rng.h"
#include "kad/key.h"

namespace kadmesh {

// The bytes of a made-up peer id whose KadId shares at least `bits` bits with `near`: 2^bits hashes
// on average. None for more than kMostRandomBits, or when luck ran out.
std::optional<Bytes> random_key(Rng& rng, const KadId& near, unsigned bits);

}  // namespace kadmesh
