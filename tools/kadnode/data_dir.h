// Where a node keeps what outlives it. Readable by its owner alone.
//
//   identity       the private key (driver/identity_file.h)
//   store.sqlite   records, providers, known peers; one process has it open at a time
//   control.sock   while the node runs: where `stats`, `network` and `why` ask
//   history        of the interactive shell
#pragma once

#include <filesystem>

#include "base/result.h"

namespace kadmesh::kadnode {

class DataDir {
 public:
  // $XDG_DATA_HOME/kadmesh, else $HOME/.local/share/kadmesh. Errc::invalid when neither is set.
  static Result<std::filesystem::path> usual();
  explicit DataDir(std::filesystem::path path) : path_(std::move(path)) {}

  // Errc::io with the system's words.
  Result<void> make() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path identity() const { return path_ / "identity"; }
  std::filesystem::path store() const { return path_ / "store.sqlite"; }
  std::filesystem::path control() const { return path_ / "control.sock"; }
  std::filesystem::path history() const { return path_ / "history"; }

 private:
  std::filesystem::path path_;
};

}  // namespace kadmesh::kadnode
