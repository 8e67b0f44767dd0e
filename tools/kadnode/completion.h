// What Tab offers in the shell.
#pragma once

#include <string>
#include <string_view>

#include "kadnode/command.h"

namespace kadmesh::kadnode {

struct Completion {
  Words candidates;    // those that begin with what was typed
  std::string common;  // how far they agree
};
Completion complete(std::string_view typed, const Words& candidates);

}  // namespace kadmesh::kadnode
