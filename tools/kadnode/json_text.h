// A JSON string, quotes included, of UTF-8 text.
#pragma once

#include <string>
#include <string_view>

namespace kadmesh::kadnode {

std::string json_text(std::string_view utf8);

}  // namespace kadmesh::kadnode
