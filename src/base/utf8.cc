#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace kadmesh {
namespace {

// What may lead, and what the second byte may be behind it; every later one is 80..BF.
struct Lead {
  std::size_t length;
  std::uint8_t first, last;
  std::uint8_t second_from, second_to;
};
constexpr Lead kLeads[] = {
    {1, 0x00, 0x7f, 0, 0},       {2, 0xc2, 0xdf, 0x80, 0xbf}, {3, 0xe0, 0xe0, 0xa0, 0xbf},
    {3, 0xe1, 0xec, 0x80, 0xbf}, {3, 0xed, 0xed, 0x80, 0x9f}, {3, 0xee, 0xef, 0x80, 0xbf},
    {4, 0xf0, 0xf0, 0x90, 0xbf}, {4, 0xf1, 0xf3, 0x80, 0xbf}, {4, 0xf4, 0xf4, 0x80, 0x8f},
};

bool within(char c, std::uint8_t from, std::uint8_t to) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= from && byte <= to;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead =
      std::ranges::find_if(kLeads, [&](const Lead& l) { return within(text[0], l.first, l.last); });
  if (lead == std::end(kLeads) || text.size() < lead->length) return 0;
  if (lead->length > 1 && !within(text[1], lead->second_from, lead->second_to)) return 0;
  const std::string_view rest = text.substr(0, lead->length).substr(1);
  const bool whole = std::ranges::all_of(rest, [](char c) { return within(c, 0x80, 0xbf); });
  return whole ? lead->length : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length > 0 ? text.substr(0, length) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace kadmesh
