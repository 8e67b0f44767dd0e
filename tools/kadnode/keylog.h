// The file for secrets of connections (--keylog): appended to, readable by its owner alone.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"

namespace kadmesh::kadnode {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using KeylogFile = std::unique_ptr<std::FILE, CloseFile>;

// None without a path. Errc::io.
Result<KeylogFile> open_keylog(const std::optional<std::filesystem::path>& path);

}  // namespace kadmesh::kadnode
