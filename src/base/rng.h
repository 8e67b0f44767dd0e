// The only source of luck: ChaCha20 with fast key erasure (the first 32 bytes of every block of
// output become the next key, so a captured state tells nothing about the past).
// The OS seeds it in production, a number in simulation. Same seed, same draws, on every platform;
// the standard library's distributions and std::shuffle differ between libraries, hence our own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace kadmesh {

class Rng {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit Rng(const Key& key) : key_(key) {}
  explicit Rng(std::uint64_t seed);

  Rng(Rng&&) noexcept = default;
  Rng& operator=(Rng&&) noexcept = default;
  // Two copies would draw the same luck.
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;

  void fill(std::span<std::uint8_t> out);
  std::uint64_t next();
  // Uniform in [0, bound), without modulo bias. bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // True `numerator` times in `denominator`.
  bool chance(std::uint64_t numerator, std::uint64_t denominator);
  // A generator of its own: further draws from either do not disturb the other.
  Rng fork();

  // Fisher-Yates, from the back.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  void refill();

  static constexpr std::size_t kBlock = 512;
  Key key_;
  std::array<std::uint8_t, kBlock> buffer_{};
  std::size_t used_ = kBlock;  // bytes of buffer_ already given out; those are zeroed
};

}  // namespace kadmesh
