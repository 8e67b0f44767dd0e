// The command line of a test peer (PROTOCOL.md, "Start").
#pragma once

#include <string>

#include "driver/host.h"

namespace kadmesh::peer {

// Prints what is wrong and exits 2.
HostConfig parse_options(int argc, char** argv);

}  // namespace kadmesh::peer
