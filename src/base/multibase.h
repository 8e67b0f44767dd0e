// Bytes as text in the bases that peer ids and addresses use, and the one-letter prefix that names
// the base (multiformats/multibase).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kadmesh {

// The value is the prefix.
enum class Base : char {
  base16 = 'f',     // lower-case
  base32 = 'b',     // RFC 4648, lower-case, no padding
  base36 = 'k',     // lower-case; a number, leading zeros kept
  base58 = 'z',     // base58btc; a number, leading zeros kept
  base64url = 'u',  // RFC 4648, no padding
};

// Numbers cost the square of their length, so their text is kept short; nothing that libp2p writes
// in base 36 or 58 comes near.
inline constexpr std::size_t kMostNumberText = 256;

// Without prefix. Upper case is read in the bases that have no case of their own (16, 32, 36).
// Errc::malformed for a character outside the alphabet or bits left over that are not zero, so that
// one value has one text; Errc::limit beyond kMostNumberText.
std::string to_base(Base base, ByteView bytes);
Result<Bytes> from_base(Base base, std::string_view text);

// With prefix. The upper-case prefixes F, B and K are read too. Errc::unsupported for other bases.
std::string to_multibase(Base base, ByteView bytes);
Result<Bytes> from_multibase(std::string_view text);

}  // namespace kadmesh
