// IP addresses as text. Written as RFC 5952 says (shortest, lower-case, ::ffff:1.2.3.4 for mapped
// addresses); read in any form of RFC 4291, section 2.2. IPv4 is four decimal numbers, no more: the
// octal, hexadecimal and shortened forms of inet_aton are how filters are passed by.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kadmesh {

using Ip4 = std::array<std::uint8_t, 4>;
using Ip6 = std::array<std::uint8_t, 16>;

// 4 and 16 bytes in network order.
std::string ip4_text(ByteView ip);
std::string ip6_text(ByteView ip);
std::optional<Ip4> parse_ip4(std::string_view text);
std::optional<Ip6> parse_ip6(std::string_view text);

// A decimal number up to `most` without sign or leading zeros, so that it has one text.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t most);

}  // namespace kadmesh
