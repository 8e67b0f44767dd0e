// The command line of a test peer (PROTOCOL.md, "Start").
#pragma once

#include <string>

#include "driver/host.h"

namespace kadmesh::peer {

struct Settings {
  HostConfig host;
  Duration gossip_hold{};  // how long a message of others waits for its verdict
};

// Prints what is wrong and exits 2.
Settings parse_options(int argc, char** argv);

}  // namespace kadmesh::peer
