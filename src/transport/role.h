#pragma once

#include <cstdint>

namespace kadmesh {

// A protocol's role on a connection; with hole punching it differs from who called connect().
enum class Role : std::uint8_t { initiator, responder };

}  // namespace kadmesh
