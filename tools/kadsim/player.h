// Plays a scenario once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kadsim/ledger.h"
#include "kadsim/result.h"
#include "kadsim/scenario.h"
#include "sim/trace.h"

namespace kadmesh::kadsim {

struct Watch {
  // How far it is: virtual time, of how much, and events so far.
  std::function<void(Duration now, Duration end, std::uint64_t events)> progress;
  std::function<void(const TurnRecord&)> turn;
  // What the scenario itself did: a step, or a start.
  std::function<void(Duration now, const std::string& what)> step;
  // At the end.
  std::function<void(const Ledger&)> operations;
};

RunResult play(const Scenario& scenario, std::uint64_t seed, const Watch& watch = {});

}  // namespace kadmesh::kadsim
