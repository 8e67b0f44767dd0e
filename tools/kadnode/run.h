// `kadnode run`: a node on its data directory, its control socket, and whoever gives it commands.
#pragma once

#include "kadnode/options.h"

namespace kadmesh::kadnode {

// The status to exit with.
int run_node(const RunOptions& options);

}  // namespace kadmesh::kadnode
