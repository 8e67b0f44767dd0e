#include "kadnode/data_dir.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace kadmesh::kadnode {

namespace fs = std::filesystem;

Result<fs::path> DataDir::usual() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  // The XDG specification has relative paths ignored.
  if (data_home && *data_home == '/') return fs::path(data_home) / "kadmesh";
  const char* home = std::getenv("HOME");
  if (home && *home) return fs::path(home) / ".local/share/kadmesh";
  return fail(Errc::invalid, "no HOME is set: name a directory with --data-dir");
}

Result<void> DataDir::make() const {
  std::error_code error;
  // Those above it are of no secret.
  if (!path_.parent_path().empty()) fs::create_directories(path_.parent_path(), error);
  const int failure = ::mkdir(path_.c_str(), 0700) == 0 ? 0 : errno;
  if (failure == 0 || fs::is_directory(path_, error)) return {};
  return fail(Errc::io, "data directory " + path_.string() + ": " + std::strerror(failure));
}

}  // namespace kadmesh::kadnode
