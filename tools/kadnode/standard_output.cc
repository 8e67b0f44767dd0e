#include "kadnode/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace kadmesh::kadnode {

bool written_out() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  std::fprintf(stderr, "kadnode: io: standard output: %s\n", std::strerror(errno));
  return false;
}

}  // namespace kadmesh::kadnode
