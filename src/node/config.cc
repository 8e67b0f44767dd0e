#include "node/node.h"
#include "transport/multistream.h"

namespace kadmesh {
namespace {

// Until a prefix that has used up its burst has it again; a sum of it and a time is still a time.
constexpr Duration kMostRefill = 365 * 24h;

Result<void> check(const SwarmLimits& limits) {
  const Duration interval = limits.accept_interval;
  if (interval >= 0s && (limits.accept_burst == 0 || interval <= kMostRefill / limits.accept_burst))
    return {};
  return fail(Errc::invalid, "accept_burst times accept_interval takes 0 s to a year");
}

}  // namespace

Result<void> check(const NodeConfig& config) {
  RETURN_IF_ERROR(check(config.gossip));
  RETURN_IF_ERROR(check(config.backfill));
  RETURN_IF_ERROR(check(config.swarm.limits));
  if (is_protocol_name(config.kad.protocol) && is_protocol_name(config.backfill.protocol))
    return {};
  return fail(Errc::invalid, "a protocol begins with '/', is one line and has at most " +
                                 std::to_string(kMostToken - 1) + " bytes");
}

}  // namespace kadmesh
