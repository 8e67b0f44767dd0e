#include "kadnode/keylog.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kadmesh::kadnode {

Result<KeylogFile> open_keylog(const std::optional<std::filesystem::path>& path) {
  if (!path) return nullptr;
  const int fd = ::open(path->c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  std::FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "a");
  if (!file) return fail(Errc::io, "key log " + path->string() + ": " + std::strerror(errno));
  return KeylogFile(file);
}

}  // namespace kadmesh::kadnode
