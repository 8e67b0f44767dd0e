// The number of a stream within its connection.
#pragma once

#include <cstdint>

namespace kadmesh {

// Yamux ids: odd from the protocol's initiator, even from its responder, never 0.
using StreamId = std::uint32_t;

}  // namespace kadmesh
