// The manual, as `kadsim --help` and `kadsim COMMAND --help` print it.
#pragma once

#include <string>
#include <string_view>

namespace kadmesh::kadsim {

std::string manual();
std::string manual(std::string_view command);

// What the program ends with. Each keeps its number for ever; kadnode has the same.
enum ExitStatus : int {
  kDone = 0,     // every expectation held
  kFailed = 1,   // one did not, or a run crashed
  kUsage = 2,    // wrong arguments, or a scenario that cannot be played
  kNothing = 3,  // nothing to do: the run that was to be shrunk passes
  kMachine = 6,  // trouble on this side: a file, a folder, a process, the output
};

}  // namespace kadmesh::kadsim
