// Messages on the wire, of a Noise handshake and of a session, and of what stands in for them
// (libp2p specs, noise/README.md, "Wire Format"):
//
//   off  size
//   0    2      length of the body, big-endian
//   2    n      the body
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace kadmesh {

inline constexpr std::size_t kNoisePrefixSize = 2;
inline constexpr std::size_t kMostNoiseBody = 65535;

// Into the first kNoisePrefixSize bytes of `out`; `body` is at most kMostNoiseBody.
void put_noise_prefix(std::span<std::uint8_t> out, std::size_t body);

struct NoiseFrame {
  ByteView body;
  // The same bytes where they were collected, for the reader to change; none where they lie in the
  // input.
  std::span<std::uint8_t> own;
};

// Cuts bytes into frames. One that lies whole in the input is given out where it lies; one that is
// cut off is collected as its bytes arrive, so that a length alone costs no memory, and never more
// than the frame. Holds no buffer while nothing is cut off and nothing is on loan.
class NoiseFrameReader {
 public:
  // Of the body that next() will give, once its prefix is here: before anything is kept for it.
  std::optional<std::size_t> next_size(ByteView in) const;
  // One frame, valid until the next call, and as long as `in`'s bytes; `in` shrinks by what was
  // taken. None: all of `in` was taken and more is needed; call until then.
  std::optional<NoiseFrame> next(ByteView& in);

  // Nobody looks at the latest frame any more.
  void release();

  std::size_t buffered() const { return partial_.capacity(); }

 private:
  void collect(ByteView& in);
  void collect_up_to(ByteView& in, std::size_t size);

  bool lent_ = false;  // partial_ is a frame that the caller may be looking at
  Bytes partial_;      // of a frame that is cut off: what has come, from its prefix on
};

}  // namespace kadmesh
