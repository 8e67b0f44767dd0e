// kadsim: see `kadsim replay --help`.
#include <cstdio>
#include <string_view>

#include "kadsim/replay_command.h"

int main(int argc, char** argv) {
  using namespace kadmesh::kadsim;
  if (argc > 1 && std::string_view(argv[1]) == "replay") return replay_main(argc - 1, argv + 1);
  const bool help = argc > 1 && std::string_view(argv[1]) == "--help";
  std::fputs(replay_manual().data(), help ? stdout : stderr);
  return help ? 0 : 2;
}
