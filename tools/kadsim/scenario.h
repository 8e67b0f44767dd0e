// A scenario, understood: what its file means (doc/simulation.md says how it is written).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kadsim/expectation.h"
#include "kadsim/gang.h"
#include "kadsim/settings.h"
#include "kadsim/step.h"
#include "kadsim/trouble.h"
#include "kadsim/wires.h"

namespace kadmesh::kadsim {

// Some nodes that are not like the others.
struct Role {
  Selector who;
  NodeConfig config;
  HostConfig host;
  bool listens = true;
  std::optional<NatConfig> nat;
};

// How the nodes come to be in one network.
struct Join {
  Selector seeds;           // every other node has them as bootstrap peers
  std::size_t connect = 0;  // connections that each opens to others, drawn
  Duration spread{};        // nodes start one after the other over this time
  bool shuffled = false;    // in an order that is drawn
  Selector late;            // those that start by a step alone
};

struct Scenario {
  std::string name, about;
  Population population;
  Duration duration{};
  Duration sample{};            // of the series
  std::size_t check_every = 1;  // turns between two looks at a node's invariants; 0: at the end
  // Plain security, and signatures verified once for all nodes, instead of Noise.
  bool message_level = false;
  Wires wires;
  NodeConfig config;
  HostConfig host;
  std::optional<NatConfig> nat;
  std::vector<Role> roles;
  Join join;
  std::vector<Step> steps;  // as written
  std::vector<ChurnPlan> churn;
  std::vector<FaultPlan> faults;
  std::vector<GangPlan> gangs;  // [[adversary]]
  std::vector<Expectation> expectations;
};

inline constexpr std::size_t kMostNodes = 1'000'000;
inline constexpr std::size_t kMostSamples = 10'000;

// `file`: for messages, and where files that it names are looked for. Errc::invalid.
Result<Scenario> read_scenario(const Table& root, const std::filesystem::path& file);

}  // namespace kadmesh::kadsim
