// Events sorted by the stream they are about.
#pragma once

#include <optional>

#include "transport/swarm.h"

namespace kadmesh {

// None for events about connections and dials.
std::optional<StreamKey> stream_of(const SwarmEvent& event);

// The stream can be used no more.
bool ends_stream(const SwarmEvent& event);
// Why, for an event that ends a stream.
const Error& cause_of(const SwarmEvent& event);

}  // namespace kadmesh
