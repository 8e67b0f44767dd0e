// The manual, as `kadnode --help` and `help` print it.
#pragma once

#include <string>
#include <string_view>

namespace kadmesh::kadnode {

// Of the program.
std::string manual();
// Of `kadnode run`.
std::string run_manual();
// Of one command; of all, a line each, when `command` is empty.
std::string help_text(std::string_view command);

inline constexpr std::string_view kVersion = "kadnode 0.1.0";

}  // namespace kadmesh::kadnode
