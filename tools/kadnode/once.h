// `kadnode COMMAND`: one command, its answer, and out.
#pragma once

#include "kadnode/options.h"

namespace kadmesh::kadnode {

// The status to exit with.
int run_once(OnceOptions options);

}  // namespace kadmesh::kadnode
