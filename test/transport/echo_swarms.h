// Two swarms, of which the second serves a protocol to echo.
#pragma once

#include <string>
#include <vector>

#include "transport/swarm_net.h"

namespace kadmesh {

inline const std::vector<std::string> kEcho{"/echo/1"};

struct EchoSwarms : TwoSwarms {
  explicit EchoSwarms(WireOptions wire = {}) : TwoSwarms(wire) { swarm(1).serve("/echo/1"); }
  StreamKey open(std::size_t from, std::size_t to, Duration deadline = 10s) {
    return *swarm(from).open_stream(turn(from), id(to), kEcho, in(deadline));
  }
};

}  // namespace kadmesh
