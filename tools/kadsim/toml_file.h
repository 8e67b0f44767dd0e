// Reading TOML. The library that does it is included in toml_file.cc alone.
#pragma once

#include <filesystem>

#include "kadsim/value.h"

namespace kadmesh::kadsim {

// A scenario is written by hand; a larger file is another kind of file.
inline constexpr std::uintmax_t kMostScenarioBytes = std::uintmax_t{4} * 1024 * 1024;
// Tables in tables in lists: none has more than a handful, and each level is a call.
inline constexpr std::size_t kMostDepth = 64;
inline constexpr std::size_t kMostDots = 32;  // of a dotted key

// Errc::invalid with "name:line: what is wrong there"; times and dates are refused.
Result<Table> parse_toml(std::string_view text, std::string_view name);
// Errc::io, or as above.
Result<Table> read_toml(const std::filesystem::path& file);
// One value as --set takes it: TOML, or else a text as it is typed ("20ms").
Value parse_value(std::string_view text);

}  // namespace kadmesh::kadsim
