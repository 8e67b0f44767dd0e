// A line cut into words as a shell does it.
//
//   line  =  [ word { space word } ]          quotes and backslash as in a shell
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kadmesh::kadnode {

using Words = std::vector<std::string>;

// Errc::invalid for an open quote or a backslash at the end. A line that is empty, or that begins
// with '#', has no words.
Result<Words> split_words(std::string_view line);
// In quotes, for an error; cut short, for it may be all that a peer or a pipe has sent.
std::string quoted(std::string_view word);
// The first 64 bytes.
std::string shortened(std::string_view text);

}  // namespace kadmesh::kadnode
