// [kad], [gossip] and [swarm] of a scenario: what NodeConfig has, under the names that it has there
// and with its defaults, but for the lab's own DHT protocol and the "v" namespace.
#pragma once

#include "kadsim/fields.h"
#include "node/node.h"

namespace kadmesh::kadsim {

inline constexpr std::string_view kLabProtocol = "/kadsim/kad/1.0.0";

NodeConfig lab_config();
// The tables "kad", "gossip" and "swarm", and the switches "identify" and "ping", where `fields`
// has them; `file` for messages. What gossip itself refuses is an error here.
void read_settings(std::string_view file, Fields& fields, NodeConfig& config);

}  // namespace kadmesh::kadsim
