// Times that are drawn, so that many nodes do not all do the same at the same moment.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace kadmesh {

// Evenly, both ends included; least <= most.
inline Duration drawn(Rng& rng, Duration least, Duration most) {
  const auto span = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<std::int64_t>(rng.below(span + 1)));
}

// In (0, most], "full jitter": whoever backs off keeps nothing of the rhythm that failed.
inline Duration full_jitter(Rng& rng, Duration most) { return drawn(rng, Duration(1), most); }

}  // namespace kadmesh
