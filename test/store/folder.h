// A folder of a test's own that goes with it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace kadmesh {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("kadmesh-store-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace kadmesh
