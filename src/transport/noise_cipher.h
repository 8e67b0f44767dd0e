// Noise transport messages (Noise Protocol Framework, revision 34, section 3 and 12.3; libp2p
// specs, noise/README.md, "Wire Format"): one direction of a session, after its handshake.
//
//   off  size
//   0    2      length of the body, big-endian: 16..65535
//   2    n+16   ChaCha20-Poly1305 of n bytes; counter 0, 1, 2 ... per direction, no associated data
//
// We write no empty message (litep2p ends the connection) and ignore the peer's. Bigger messages
// are cheaper per byte for both ends: fill them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/crypto.h"

namespace kadmesh {

inline constexpr std::size_t kNoisePrefixSize = 2;
inline constexpr std::size_t kMaxNoiseBody = 65535;
inline constexpr std::size_t kMaxNoisePlain = kMaxNoiseBody - kAeadTagSize;  // 65519

// A key and its counter. The counter is never used twice, and 2^64-1 is never used.
class NoiseKey {
 public:
  explicit NoiseKey(const AeadKey& key, std::uint64_t counter = 0) : key_(key), counter_(counter) {}
  ~NoiseKey() { wipe(key_); }
  NoiseKey(NoiseKey&&) noexcept = default;
  NoiseKey& operator=(NoiseKey&&) noexcept = default;

  // The counter for one more message. Errc::limit when there is none left: the session must end.
  Result<std::uint64_t> next();
  const AeadKey& key() const { return key_; }

 private:
  AeadKey key_;
  std::uint64_t counter_;
};

class NoiseSealer {
 public:
  explicit NoiseSealer(NoiseKey key) : key_(std::move(key)) {}

  // Appends `plain` as messages of at most kMaxNoisePlain. Nothing for nothing.
  // Errc::limit: the counter is used up.
  Result<void> seal(ByteView plain, Bytes& out);

  // In place, to save a copy: append 1..kMaxNoisePlain bytes to `out` between the two calls.
  // begin() leaves room for the prefix and returns where the message starts; end() seals what
  // stands behind it, or takes the room back when that is nothing.
  std::size_t begin(Bytes& out) const;
  Result<void> end(Bytes& out, std::size_t start);

 private:
  NoiseKey key_;
};

// Cuts the peer's bytes into messages and opens them. A message that lies whole in the input is
// decrypted out of it; one that is cut off is collected as its bytes arrive, so that a length
// alone costs no memory. Holds no buffer while nothing is cut off and nothing is on loan.
class NoiseOpener {
 public:
  explicit NoiseOpener(NoiseKey key) : key_(std::move(key)) {}

  // The plain bytes of one message, never empty; `in` shrinks by what was taken. The view is valid
  // until the next call. None: all of `in` was taken and more is needed; call until then.
  // Errc::auth, Errc::malformed, Errc::limit: the session is dead, and every later call fails.
  Result<std::optional<ByteView>> next(ByteView& in);

  std::size_t buffered() const { return partial_.capacity() + plain_size_; }

 private:
  Result<std::optional<ByteView>> next_message(ByteView& in);
  Result<std::optional<ByteView>> read(ByteView& in);
  Result<ByteView> open_whole(ByteView& in, std::size_t size);
  Result<ByteView> open_partial();
  Result<void> open(ByteView sealed, std::span<std::uint8_t> plain);
  void collect(ByteView& in);
  void collect_up_to(ByteView& in, std::size_t size);
  void release();

  NoiseKey key_;
  bool dead_ = false;
  bool lent_ = false;  // partial_ holds an opened message that the caller may be looking at
  Bytes partial_;      // prefix and as much of the body as has come; opened in place
  std::unique_ptr<std::uint8_t[]> plain_;  // where messages are opened that lay whole in the input
  std::size_t plain_size_ = 0;
};

}  // namespace kadmesh
