// `kadsim replay`: runs what `kadnode run --record` has written, and compares.
#pragma once

#include <string_view>

namespace kadmesh::kadsim {

// `argv[0]` is the word `replay`. The status to exit with: 0 everything was as recorded, 1
// something was not or the file is damaged, 2 wrong arguments or no capture, 6 a file that cannot
// be read.
int replay_main(int argc, const char* const* argv);

std::string_view replay_manual();

}  // namespace kadmesh::kadsim
