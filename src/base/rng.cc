#include "base/rng.h"

#include <algorithm>

#include "base/crypto_sodium.h"

namespace kadmesh {

Rng::Rng(std::uint64_t seed) : key_{} {
  for (std::size_t i = 0; i < 8; ++i) key_[i] = static_cast<std::uint8_t>(seed >> (8 * i));
}

void Rng::refill() {
  static constexpr std::uint8_t kNonce[crypto_stream_chacha20_NONCEBYTES] = {};
  crypto_stream_chacha20(buffer_.data(), buffer_.size(), kNonce, key_.data());
  std::copy_n(buffer_.begin(), key_.size(), key_.begin());
  std::fill_n(buffer_.begin(), key_.size(), std::uint8_t{0});
  used_ = key_.size();
}

void Rng::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (used_ == buffer_.size()) refill();
    const std::size_t count = std::min(out.size(), buffer_.size() - used_);
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(used_);
    std::copy_n(from, count, out.begin());
    std::fill_n(from, count, std::uint8_t{0});
    used_ += count;
    out = out.subspan(count);
  }
}

std::uint64_t Rng::next() {
  std::array<std::uint8_t, 8> bytes;
  fill(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  // Draws under 2^64 mod bound would favour small results; they are thrown away.
  const std::uint64_t unfair = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = next();
    if (draw >= unfair) return draw % bound;
  }
}

bool Rng::chance(std::uint64_t numerator, std::uint64_t denominator) {
  return below(denominator) < numerator;
}

Rng Rng::fork() {
  Key key;
  fill(key);
  return Rng(key);
}

}  // namespace kadmesh
