#include "sim/luck.h"

#include <array>

#include "base/crypto.h"

namespace kadmesh {
namespace {

std::array<std::uint8_t, 8> little_endian(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return bytes;
}

}  // namespace

Rng::Key derived_key(std::uint64_t seed, std::string_view label, std::uint64_t index) {
  const auto first = little_endian(seed), last = little_endian(index);
  const std::array<ByteView, 3> pieces{first, last, as_bytes(label)};
  return sha256(pieces);
}

std::uint64_t derived(std::uint64_t seed, std::string_view label, std::uint64_t index) {
  const Rng::Key key = derived_key(seed, label, index);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{key[i]} << (8 * i);
  return number;
}

}  // namespace kadmesh
