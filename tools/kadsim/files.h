// Whole files. Errors name the file and say what the system said: Errc::io.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kadmesh::kadsim {

Result<std::string> read_file(const std::filesystem::path& file);
// Complete or not at all: a reader never sees a half.
Result<void> write_file(const std::filesystem::path& file, std::string_view text);
// With those above it; there already is fine.
Result<void> make_folder(const std::filesystem::path& folder);

}  // namespace kadmesh::kadsim
