// What lies between the nodes: [link], [addresses] and [host] of a scenario, as src/sim knows them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kadsim/fields.h"
#include "sim/address_plan.h"
#include "sim/link.h"
#include "sim/nat.h"

namespace kadmesh::kadsim {

struct Wires {
  LinkConfig link;
  AddressPlan addresses;
  std::vector<std::string> regions;  // names, in the order of RegionLatency
};

// A time, or one drawn: "20ms", { uniform = ["10ms", "50ms"] }, { exponential = "1h" },
// { weibull = "20min", shape = 0.5 }, { lognormal = "60ms", sigma = 0.5 }, { csv = "file" } (of
// milliseconds, beside the scenario's file).
void read_distribution(const std::filesystem::path& file, Fields& fields, std::string_view key,
                       Distribution& into);

void read_link(const std::filesystem::path& file, Fields& fields, Wires& into);
void read_addresses(Fields& fields, AddressPlan& into);
void read_host(Fields& fields, const Wires& wires, HostConfig& into, std::optional<NatConfig>& nat);

}  // namespace kadmesh::kadsim
