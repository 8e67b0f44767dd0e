#include "base/multibase.h"

#include <algorithm>
#include <optional>
#include <ranges>

namespace kadmesh {
namespace {

// How one base writes its digits. Either each digit holds `bits` bits, or (bits = 0) the bytes are
// one big number and every leading zero byte is one leading zero digit.
struct Alphabet {
  std::string_view digits;
  unsigned bits;
  bool any_case;
};

constexpr Alphabet kBase16{"0123456789abcdef", 4, true};
constexpr Alphabet kBase32{"abcdefghijklmnopqrstuvwxyz234567", 5, true};
constexpr Alphabet kBase36{"0123456789abcdefghijklmnopqrstuvwxyz", 0, true};
constexpr Alphabet kBase58{"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0, false};
constexpr Alphabet kBase64Url{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6,
                              false};

const Alphabet& alphabet(Base base) {
  switch (base) {
    case Base::base16:
      return kBase16;
    case Base::base32:
      return kBase32;
    case Base::base36:
      return kBase36;
    case Base::base58:
      return kBase58;
    case Base::base64url:
      break;
  }
  return kBase64Url;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<unsigned> digit_value(const Alphabet& alphabet, char c) {
  const std::size_t at = alphabet.digits.find(alphabet.any_case ? lower(c) : c);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(at);
}

std::string bits_to_text(const Alphabet& alphabet, ByteView bytes) {
  std::string text;
  unsigned held = 0, count = 0;  // `count` bits not yet written, at the low end of `held`
  for (const std::uint8_t byte : bytes) {
    held = (held << 8 | byte) & 0xffff;
    for (count += 8; count >= alphabet.bits; count -= alphabet.bits) {
      text += alphabet.digits[held >> (count - alphabet.bits) & ((1U << alphabet.bits) - 1)];
    }
  }
  if (count > 0) {
    text += alphabet.digits[held << (alphabet.bits - count) & ((1U << alphabet.bits) - 1)];
  }
  return text;
}

Result<Bytes> text_to_bits(const Alphabet& alphabet, std::string_view text) {
  Bytes bytes;
  unsigned held = 0, count = 0;
  for (const char c : text) {
    const auto value = digit_value(alphabet, c);
    if (!value) return fail(Errc::malformed, "character outside the base");
    held = (held << alphabet.bits | *value) & 0xffff;
    count += alphabet.bits;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(held >> count));
  }
  const bool whole_digit_unused = count >= alphabet.bits;
  if (whole_digit_unused || (held & ((1U << count) - 1)) != 0) {
    return fail(Errc::malformed, "bits left over at the end of the text");
  }
  return bytes;
}

// number = number * by + add, in places of `radix`, the lowest first.
void multiply_add(Bytes& number, unsigned by, unsigned add, unsigned radix) {
  for (std::uint8_t& place : number) {
    add += place * by;
    place = static_cast<std::uint8_t>(add % radix);
    add /= radix;
  }
  for (; add > 0; add /= radix) number.push_back(static_cast<std::uint8_t>(add % radix));
}

std::string number_to_text(const Alphabet& alphabet, ByteView bytes) {
  const auto radix = static_cast<unsigned>(alphabet.digits.size());
  const auto first = std::ranges::find_if(bytes, [](std::uint8_t byte) { return byte != 0; });
  Bytes places;
  for (const std::uint8_t byte : ByteView(first, bytes.end())) {
    multiply_add(places, 256, byte, radix);
  }
  std::string text(static_cast<std::size_t>(first - bytes.begin()), alphabet.digits[0]);
  for (const std::uint8_t place : std::views::reverse(places)) text += alphabet.digits[place];
  return text;
}

Result<Bytes> text_to_number(const Alphabet& alphabet, std::string_view text) {
  if (text.size() > kMostNumberText) return fail(Errc::limit, "text of a number too long");
  const auto radix = static_cast<unsigned>(alphabet.digits.size());
  const std::size_t zeros = std::min(text.find_first_not_of(alphabet.digits[0]), text.size());
  Bytes number;
  for (const char c : text.substr(zeros)) {
    const auto value = digit_value(alphabet, c);
    if (!value) return fail(Errc::malformed, "character outside the base");
    multiply_add(number, radix, *value, 256);
  }
  number.resize(number.size() + zeros);
  std::ranges::reverse(number);
  return number;
}

}  // namespace

std::string to_base(Base base, ByteView bytes) {
  const Alphabet& digits = alphabet(base);
  return digits.bits > 0 ? bits_to_text(digits, bytes) : number_to_text(digits, bytes);
}

Result<Bytes> from_base(Base base, std::string_view text) {
  const Alphabet& digits = alphabet(base);
  return digits.bits > 0 ? text_to_bits(digits, text) : text_to_number(digits, text);
}

std::string to_multibase(Base base, ByteView bytes) {
  return static_cast<char>(base) + to_base(base, bytes);
}

Result<Bytes> from_multibase(std::string_view text) {
  if (text.empty()) return fail(Errc::malformed, "empty multibase text");
  const char prefix = text[0] == 'F' || text[0] == 'B' || text[0] == 'K' ? lower(text[0]) : text[0];
  for (const Base base :
       {Base::base16, Base::base32, Base::base36, Base::base58, Base::base64url}) {
    if (static_cast<char>(base) == prefix) return from_base(base, text.substr(1));
  }
  return fail(Errc::unsupported, "unknown base");
}

}  // namespace kadmesh
