// What a configuration must hold, one line each, and the first that does not.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "base/result.h"

namespace kadmesh::gossip {

struct Constraint {
  bool holds;
  const char* name;
};

// `says` "the configuration breaks": Errc::invalid, "gossip: the configuration breaks d <= d_hi".
inline Result<void> first_broken(std::span<const Constraint> constraints, const std::string& says) {
  const auto broken = std::ranges::find(constraints, false, &Constraint::holds);
  if (broken == constraints.end()) return {};
  return fail(Errc::invalid, "gossip: " + says + " " + broken->name);
}

}  // namespace kadmesh::gossip
