// Whole files. Errors name the file and say what the system said: Errc::io.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kadmesh::kadsim {

// What a table of figures beside a scenario may have: some million numbers.
inline constexpr std::uintmax_t kMostTableBytes = std::uintmax_t{64} * 1024 * 1024;

// Regular files only, of at most so many bytes, whatever else waits under that name.
Result<std::string> read_file(const std::filesystem::path& file, std::uintmax_t most);
// Complete or not at all: a reader never sees a half. Nothing is written through a link.
Result<void> write_file(const std::filesystem::path& file, std::string_view text);
// With those above it; there already is fine.
Result<void> make_folder(const std::filesystem::path& folder);

}  // namespace kadmesh::kadsim
