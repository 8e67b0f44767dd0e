// A fuzzer's bytes as a script: numbers for decisions and bytes for content, until they are used
// up. A script that has ended answers 0.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace kadmesh {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  // Less than bound, which is at most 256.
  std::uint32_t below(std::uint32_t bound) { return u8() % bound; }
  ByteView bytes(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes(width)) value = value << 8 | byte;
    return value;
  }

  ByteView rest_;
};

}  // namespace kadmesh
