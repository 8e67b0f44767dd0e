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

// Errc::invalid, "gossip: the score parameters break retain >= 0".
inline Result<void> first_broken(std::span<const Constraint> constraints, const std::string& of) {
  const auto broken = std::ranges::find(constraints, false, &Constraint::holds);
  if (broken == constraints.end()) return {};
  return fail(Errc::invalid, "gossip: " + of + " break " + broken->name);
}

}  // namespace kadmesh::gossip
