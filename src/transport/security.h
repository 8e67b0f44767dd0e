// What protects a connection.
#pragma once

#include <cstdint>

namespace kadmesh {

// plain: for simulation and replay alone. Every message has the length that it has under Noise and
// comes when it does, but nothing is proven and nothing is secret (plain.h). It has a protocol name
// of its own, so that a node never speaks it with one that expects security.
//
// replay: plain under the name of Noise, drawing no luck, for what was recorded above Noise
// (plain_form.h).
enum class Security : std::uint8_t { noise, plain, replay };

}  // namespace kadmesh
