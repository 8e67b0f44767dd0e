// Owned and borrowed bytes, and the few conversions that everything needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kadmesh {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

// Text and bytes share memory; neither call copies.
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView view) {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

bool equal(ByteView a, ByteView b);

// Lower-case, two digits a byte.
std::string to_hex(ByteView view);
// Errc::malformed for an odd length or a character that is no hex digit.
Result<Bytes> from_hex(std::string_view text);

}  // namespace kadmesh
