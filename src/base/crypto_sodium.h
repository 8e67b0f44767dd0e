// libsodium as the sources of base use it. Included only by them.
#pragma once

#include <sodium.h>

#include "base/check.h"

namespace kadmesh {

// Until it is initialised libsodium runs its portable code, several times slower and with the same
// results. Initialising also opens its own source of entropy, which nothing here asks for anything.
inline const bool kSodiumReady = [] {
  KAD_CHECK(sodium_init() >= 0);
  return true;
}();

}  // namespace kadmesh
