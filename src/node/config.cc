#include "node/node.h"
#include "transport/multistream.h"

namespace kadmesh {

Result<void> check(const NodeConfig& config) {
  RETURN_IF_ERROR(check(config.gossip));
  if (is_protocol_name(config.kad.protocol)) return {};
  return fail(Errc::invalid, "a protocol begins with '/', is one line and has at most " +
                                 std::to_string(kMostToken - 1) + " bytes");
}

}  // namespace kadmesh
