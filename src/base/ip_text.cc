#include "base/ip_text.h"

#include <algorithm>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::size_t kGroups = 8;  // of 16 bits in an IPv6 address

struct Groups {
  std::array<std::uint16_t, kGroups> items{};
  std::size_t count = 0;

  bool add(std::uint16_t group) {
    if (count == kGroups) return false;
    items[count++] = group;
    return true;
  }
};

struct Run {
  std::size_t start = 0, length = 0;
};

Groups groups_of(ByteView ip) {
  Groups groups;
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups.add(static_cast<std::uint16_t>(ip[2 * i] << 8 | ip[2 * i + 1]));
  }
  return groups;
}

// What "::" stands for: the longest run of zeros, the first of equals, never a single group
// (RFC 5952, section 4.2).
Run longest_zeros(const Groups& groups) {
  Run best, run;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (groups.items[i] != 0) {
      run = {i + 1, 0};
    } else if (++run.length > best.length) {
      best = run;
    }
  }
  return best.length >= 2 ? best : Run{};
}

std::string hex_group(std::uint16_t group) {
  const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(group >> 8),
                                          static_cast<std::uint8_t>(group & 0xff)};
  const std::string digits = to_hex(bytes);
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
}

std::string join(const Groups& groups, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) {
    if (i > from) text += ':';
    text += hex_group(groups.items[i]);
  }
  return text;
}

bool is_mapped(ByteView ip) {
  constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return equal(ip.first(kPrefix.size()), kPrefix);
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  const auto bytes = from_hex(std::string(4 - text.size(), '0').append(text));
  if (!bytes) return std::nullopt;
  return static_cast<std::uint16_t>((*bytes)[0] << 8 | (*bytes)[1]);
}

bool add_ip4(Groups& groups, std::string_view text) {
  const auto ip = parse_ip4(text);
  return ip && groups.add(static_cast<std::uint16_t>((*ip)[0] << 8 | (*ip)[1])) &&
         groups.add(static_cast<std::uint16_t>((*ip)[2] << 8 | (*ip)[3]));
}

// "2001:db8:1", and at the end of an address also "ffff:1.2.3.4". Nothing gives no groups.
std::optional<Groups> parse_groups(std::string_view text, bool at_end) {
  Groups groups;
  if (text.empty()) return groups;
  for (;;) {
    const std::size_t colon = text.find(':');
    const std::string_view item = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && at_end && item.find('.') != std::string_view::npos) {
      return add_ip4(groups, item) ? std::optional(groups) : std::nullopt;
    }
    const auto group = parse_group(item);
    if (!group || !groups.add(*group)) return std::nullopt;
    if (last) return groups;
    text.remove_prefix(colon + 1);
  }
}

// `tail` ends at the end of the address, zeros fill the middle.
Ip6 assemble(const Groups& head, const Groups& tail) {
  std::array<std::uint16_t, kGroups> all{};
  std::copy_n(head.items.begin(), head.count, all.begin());
  std::copy_n(tail.items.begin(), tail.count, all.end() - static_cast<std::ptrdiff_t>(tail.count));
  Ip6 ip;
  for (std::size_t i = 0; i < kGroups; ++i) {
    ip[2 * i] = static_cast<std::uint8_t>(all[i] >> 8);
    ip[2 * i + 1] = static_cast<std::uint8_t>(all[i] & 0xff);
  }
  return ip;
}

}  // namespace

std::string ip4_text(ByteView ip) {
  KAD_CHECK(ip.size() == 4);
  std::string text = std::to_string(ip[0]);
  for (const std::uint8_t byte : ip.subspan(1)) text += '.' + std::to_string(byte);
  return text;
}

std::string ip6_text(ByteView ip) {
  KAD_CHECK(ip.size() == 16);
  if (is_mapped(ip)) return "::ffff:" + ip4_text(ip.last(4));
  const Groups groups = groups_of(ip);
  const Run zeros = longest_zeros(groups);
  if (zeros.length == 0) return join(groups, 0, kGroups);
  return join(groups, 0, zeros.start) + "::" + join(groups, zeros.start + zeros.length, kGroups);
}

std::optional<Ip4> parse_ip4(std::string_view text) {
  Ip4 ip;
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const bool last = i + 1 == ip.size();
    const std::size_t dot = last ? text.size() : text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto number = parse_decimal(text.substr(0, dot), 255);
    if (!number) return std::nullopt;
    ip[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(last ? dot : dot + 1);
  }
  return ip;
}

std::optional<Ip6> parse_ip6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto all = parse_groups(text, true);
    return all && all->count == kGroups ? std::optional(assemble(*all, {})) : std::nullopt;
  }
  const auto head = parse_groups(text.substr(0, gap), false);
  const auto tail = parse_groups(text.substr(gap + 2), true);
  if (!head || !tail || head->count + tail->count >= kGroups) return std::nullopt;
  return assemble(*head, *tail);
}

std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t most) {
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > most || value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace kadmesh
