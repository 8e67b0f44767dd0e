// Whether bytes are text that can be shown.
#pragma once

#include <string>
#include <string_view>

namespace kadmesh {

// Bytes of the UTF-8 sequence (RFC 3629: shortest form, no surrogates, up to U+10FFFF) at the start
// of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);
// With U+FFFD for every byte that begins no sequence.
std::string to_utf8(std::string_view text);

}  // namespace kadmesh
