// A turn is one input: what time it is, and a source of luck. Code that was handed no Turn has
// neither, which is what makes every run repeatable.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace kadmesh {

struct Now {
  Time mono;
  WallTime wall;
};

struct Turn {
  Now now;
  Rng& rng;
};

}  // namespace kadmesh
