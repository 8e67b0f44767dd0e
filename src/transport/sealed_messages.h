// The messages of a session, one direction at a time, whatever seals them: frames (noise_frame.h)
// whose body is 1..65519 plain bytes, sealed, which makes 16 more.
//
// We write no empty message (litep2p ends the connection) and ignore the peer's. Bigger messages
// are cheaper per byte for both ends: fill them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/crypto.h"
#include "transport/noise_frame.h"

namespace kadmesh {

inline constexpr std::size_t kMostNoisePlain = kMostNoiseBody - kAeadTagSize;  // 65519

// Seal: `Result<void> seal(std::span<std::uint8_t> body)`, in place: plain bytes, room for the tag.
template <class Seal>
class MessageSealer {
 public:
  MessageSealer() = default;
  explicit MessageSealer(Seal seal) : seal_(std::move(seal)) {}

  // Appends `plain` as messages of at most kMostNoisePlain. Nothing for nothing.
  Result<void> seal(ByteView plain, Bytes& out) {
    while (!plain.empty()) {
      const ByteView piece = plain.first(std::min(plain.size(), kMostNoisePlain));
      const std::size_t start = begin(out);
      append(out, piece);
      RETURN_IF_ERROR(end(out, start));
      plain = plain.subspan(piece.size());
    }
    return {};
  }

  // In place, to save a copy: append 1..kMostNoisePlain bytes to `out` between the two calls.
  // begin() leaves room for the prefix and returns where the message starts; end() seals what
  // stands behind it, or takes the room back when that is nothing.
  std::size_t begin(Bytes& out) const {
    out.resize(out.size() + kNoisePrefixSize);
    return out.size() - kNoisePrefixSize;
  }

  // What cannot be sealed is taken back.
  Result<void> end(Bytes& out, std::size_t start) {
    KAD_CHECK(start + kNoisePrefixSize <= out.size());
    const std::size_t size = out.size() - start - kNoisePrefixSize;
    KAD_CHECK(size <= kMostNoisePlain);
    if (size == 0) return out.resize(start), Result<void>();
    out.resize(out.size() + kAeadTagSize);
    const auto message = std::span(out).subspan(start);
    put_noise_prefix(message, size + kAeadTagSize);
    auto sealed = seal_.seal(message.subspan(kNoisePrefixSize));
    if (!sealed) out.resize(start);
    return sealed;
  }

 private:
  Seal seal_;
};

// Open: `Result<ByteView> open(const NoiseFrame&)`, of a body that has a tag: the plain bytes,
// valid until the next; `void release()`, once nobody looks at those; `std::size_t buffered()
// const`.
template <class Open>
class MessageOpener {
 public:
  MessageOpener() = default;
  explicit MessageOpener(Open open) : open_(std::move(open)) {}

  // The plain bytes of one message, never empty; `in` shrinks by what was taken. The view is valid
  // until the next call, and as long as `in`'s bytes. None: all of `in` was taken and more is
  // needed. Only then, or by release(), buffers are given back.
  // Errc::malformed, what open() fails with: the session is dead, and every later call fails.
  Result<std::optional<ByteView>> next(ByteView& in) {
    if (dead_) return fail(Errc::closed, "secure channel: the session is dead");
    auto message = next_message(in);
    dead_ = !message;
    if (dead_) frames_ = NoiseFrameReader();
    if (dead_ || !*message) open_.release();
    return message;
  }

  // Nobody looks at what next() has given out any more. A message that is cut off stays.
  void release() {
    frames_.release();
    open_.release();
  }

  std::size_t buffered() const { return frames_.buffered() + open_.buffered(); }

 private:
  // Empty messages are passed over.
  Result<std::optional<ByteView>> next_message(ByteView& in) {
    while (const auto frame = frames_.next(in)) {
      if (frame->body.size() < kAeadTagSize)
        return fail(Errc::malformed, "secure channel: a message shorter than its tag");
      ASSIGN_OR_RETURN(const ByteView plain, open_.open(*frame));
      if (!plain.empty()) return plain;
    }
    return std::nullopt;
  }

  bool dead_ = false;
  NoiseFrameReader frames_;
  Open open_;
};

}  // namespace kadmesh
