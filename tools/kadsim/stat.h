// The counters of a node under the names that `stat` expectations call them by: "gossip.delivered".
#pragma once

#include <span>
#include <string_view>

#include "node/node.h"

namespace kadmesh::kadsim {

struct Stat {
  std::string_view name;
  double (*of)(const NodeStats&);
};
std::span<const Stat> stats();
const Stat* find_stat(std::string_view name);  // null when there is none

}  // namespace kadmesh::kadsim
