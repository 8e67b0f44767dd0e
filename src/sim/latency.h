// How far apart two hosts are: the time of a packet from one to the other, the same both ways, the
// same for the whole run. Kept nowhere: it is computed from the run's seed and the two hosts.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "sim/distribution.h"

namespace kadmesh {

using HostId = std::uint32_t;

// Every pair draws its latency: Always for a constant one, Measured for half the round trips of a
// table, …
struct PairLatency {
  Distribution one_way = Always{5ms};
};
// Hosts belong to regions, and `one_way` has a row and a column for each. `share` says how the
// regions are peopled (equally, if empty); HostConfig::region overrules it.
struct RegionLatency {
  std::vector<std::vector<Duration>> one_way;  // square
  std::vector<std::uint32_t> share;
};
// A row and a column for each host, taken modulo its size by hosts beyond it: round trips measured
// between real machines.
struct MatrixLatency {
  std::vector<std::vector<Duration>> one_way;  // square
};
using Latency = std::variant<PairLatency, RegionLatency, MatrixLatency>;

// A square table out of milliseconds_from_csv of round trips: half of each. Errc::malformed when
// their number is no square.
Result<std::vector<std::vector<Duration>>> one_way_from_rtts(const std::vector<Duration>& rtts);

// Region of a host that names none.
std::uint32_t region_of(const Latency& latency, std::uint64_t seed, HostId host);

// From `a`, of region `region_a`, to `b`.
Duration one_way(const Latency& latency, std::uint64_t seed, HostId a, std::uint32_t region_a,
                 HostId b, std::uint32_t region_b);

}  // namespace kadmesh
