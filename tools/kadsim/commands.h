// What each command does; the results are what the program ends with (help.h).
#pragma once

#include "kadsim/options.h"

namespace kadmesh::kadsim {

int run(const RunOptions& options);
int sweep(const SweepOptions& options);
int merge(const MergeOptions& options);
int shrink(const ShrinkOptions& options);

}  // namespace kadmesh::kadsim
