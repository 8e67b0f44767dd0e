#include "sim/latency.h"

#include <algorithm>
#include <numeric>

namespace kadmesh {
namespace {

Luck luck_of(std::uint64_t seed, std::uint32_t a, std::uint32_t b) {
  return Luck(mixed(seed ^ (std::uint64_t{std::min(a, b)} << 32 | std::max(a, b))));
}

Duration in_table(const std::vector<std::vector<Duration>>& table, std::uint32_t a,
                  std::uint32_t b) {
  if (table.empty()) return Duration::zero();
  const auto& row = table[a % table.size()];
  return row.empty() ? Duration::zero() : row[b % row.size()];
}

}  // namespace

Result<std::vector<std::vector<Duration>>> one_way_from_rtts(const std::vector<Duration>& rtts) {
  std::size_t side = 0;
  while (side * side < rtts.size()) ++side;
  if (side == 0 || side * side != rtts.size())
    return fail(Errc::malformed, "a matrix needs as many rows as columns");
  std::vector<std::vector<Duration>> table(side, std::vector<Duration>(side));
  for (std::size_t i = 0; i < rtts.size(); ++i) table[i / side][i % side] = rtts[i] / 2;
  return table;
}

std::uint32_t region_of(const Latency& latency, std::uint64_t seed, HostId host) {
  const auto* regions = std::get_if<RegionLatency>(&latency);
  if (!regions || regions->one_way.empty()) return 0;
  Luck luck(mixed(seed + host));
  const auto& share = regions->share;
  const auto people = std::accumulate(share.begin(), share.end(), std::uint64_t{0});
  if (people == 0) return static_cast<std::uint32_t>(luck.below(regions->one_way.size()));
  std::uint64_t at = luck.below(people);
  std::uint32_t region = 0;
  while (at >= share[region]) at -= share[region++];
  return region;
}

Duration one_way(const Latency& latency, std::uint64_t seed, HostId a, std::uint32_t region_a,
                 HostId b, std::uint32_t region_b) {
  if (const auto* regions = std::get_if<RegionLatency>(&latency))
    return in_table(regions->one_way, region_a, region_b);
  if (const auto* matrix = std::get_if<MatrixLatency>(&latency))
    return in_table(matrix->one_way, a, b);
  Luck luck = luck_of(seed, a, b);
  return draw(std::get<PairLatency>(latency).one_way, luck);
}

}  // namespace kadmesh
