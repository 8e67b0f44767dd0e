// A failing scenario, made smaller while it still fails in the same way.
//
// Tried in turn, again and again until nothing more can go (delta debugging, Zeller and Hildebrandt
// 2002, over the lists; halving over the numbers): whole sections of trouble; expectations, steps
// and roles in halves, quarters, ... single ones; fewer nodes; fewer repetitions; an earlier end.
// The expectation that failed stays: without it nothing fails in the same way, and neither does it
// when it has nothing to judge any more.
#pragma once

#include <functional>
#include <string>

#include "kadsim/value.h"

namespace kadmesh::kadsim {

// Whether a candidate can be played, and fails in the same way.
using Try = std::function<bool(const Table&)>;

struct Shrunk {
  Table scenario;
  std::size_t tried = 0;
};
// At most `most_tries` runs. `progress` hears of each success.
Shrunk shrink(Table scenario, const Try& attempt, std::size_t most_tries,
              const std::function<void(std::size_t tried, const Table&)>& progress = {});

// "12 nodes, 8 steps, 30s": what a progress line says of a scenario.
std::string size_of(const Table& scenario);

}  // namespace kadmesh::kadsim
