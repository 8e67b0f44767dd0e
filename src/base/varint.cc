#include "base/varint.h"

#include <bit>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::uint8_t kMore = 0x80;  // set in every byte but the last

}  // namespace

std::size_t varint_size(std::uint64_t value) {
  const auto bits = static_cast<std::size_t>(std::bit_width(value | 1));
  return (bits + 6) / 7;
}

void put_varint(Bytes& out, std::uint64_t value) {
  KAD_CHECK(value <= kMostVarint);
  for (; value >= kMore; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | kMore));
  out.push_back(static_cast<std::uint8_t>(value));
}

Result<std::optional<Varint>> get_varint(ByteView in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMostVarintSize; ++i) {
    if (i == in.size()) return std::nullopt;
    value |= std::uint64_t{in[i] & 0x7fU} << (7 * i);
    if ((in[i] & kMore) != 0) continue;
    if (i > 0 && in[i] == 0) return fail(Errc::malformed, "varint is not minimal");
    return Varint{value, i + 1};
  }
  return fail(Errc::malformed, "varint longer than 9 bytes");
}

}  // namespace kadmesh
