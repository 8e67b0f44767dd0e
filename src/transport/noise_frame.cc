#include "transport/noise_frame.h"

#include <algorithm>
#include <utility>

namespace kadmesh {
namespace {

// Of the frame at the front of `in`, prefix and body, once its prefix is there.
std::optional<std::size_t> frame_size(ByteView in) {
  if (in.size() < kNoisePrefixSize) return std::nullopt;
  return kNoisePrefixSize + (std::size_t{in[0]} << 8 | in[1]);
}

}  // namespace

void put_noise_prefix(std::span<std::uint8_t> out, std::size_t body) {
  out[0] = static_cast<std::uint8_t>(body >> 8);
  out[1] = static_cast<std::uint8_t>(body);
}

std::optional<std::size_t> NoiseFrameReader::next_size(ByteView in) const {
  const ByteView held = lent_ ? ByteView() : ByteView(partial_);
  Bytes prefix = to_bytes(held.first(std::min(held.size(), kNoisePrefixSize)));
  append(prefix, in.first(std::min(in.size(), kNoisePrefixSize - prefix.size())));
  const auto size = frame_size(prefix);
  if (!size) return std::nullopt;
  return *size - kNoisePrefixSize;
}

std::optional<NoiseFrame> NoiseFrameReader::next(ByteView& in) {
  if (std::exchange(lent_, false)) partial_.clear();
  const auto size = frame_size(in);
  if (partial_.empty() && size && *size <= in.size()) {
    const ByteView frame = in.first(*size);
    in = in.subspan(*size);
    return NoiseFrame{frame.subspan(kNoisePrefixSize), {}};
  }
  collect(in);
  if (partial_.empty()) partial_ = Bytes();
  if (frame_size(partial_) != partial_.size()) return std::nullopt;
  lent_ = true;
  const auto body = std::span(partial_).subspan(kNoisePrefixSize);
  return NoiseFrame{body, body};
}

void NoiseFrameReader::release() {
  if (std::exchange(lent_, false)) partial_ = Bytes();
}

void NoiseFrameReader::collect(ByteView& in) {
  collect_up_to(in, kNoisePrefixSize);
  if (const auto size = frame_size(partial_)) collect_up_to(in, *size);
}

// Until partial_ has `size` bytes.
void NoiseFrameReader::collect_up_to(ByteView& in, std::size_t size) {
  if (partial_.size() >= size) return;
  const std::size_t count = std::min(in.size(), size - partial_.size());
  const std::size_t held = partial_.size() + count;
  if (held > partial_.capacity()) partial_.reserve(std::min(size, 2 * held));
  append(partial_, in.first(count));
  in = in.subspan(count);
}

}  // namespace kadmesh
