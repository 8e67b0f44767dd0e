// Noise transport messages (Noise Protocol Framework, revision 34, section 3 and 12.3): the
// messages of a session (sealed_messages.h) under one key a direction, after its handshake.
//
//   body   ChaCha20-Poly1305 of n bytes, n+16; counter 0, 1, 2 ... per direction, no associated
//   data
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/crypto.h"
#include "transport/sealed_messages.h"

namespace kadmesh {

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

class NoiseSeal {
 public:
  NoiseSeal(NoiseKey key) : key_(std::move(key)) {}
  // Errc::limit: the counter is used up.
  Result<void> seal(std::span<std::uint8_t> body);

 private:
  NoiseKey key_;
};

// Decrypts a body that was collected in place, another out of the input.
class NoiseOpen {
 public:
  NoiseOpen(NoiseKey key) : key_(std::move(key)) {}
  // Errc::auth: it does not decrypt. Errc::limit: the counter is used up.
  Result<ByteView> open(const NoiseFrame& frame);
  void release();
  std::size_t buffered() const { return plain_size_; }

 private:
  std::span<std::uint8_t> room(std::size_t size);

  NoiseKey key_;
  std::unique_ptr<std::uint8_t[]> plain_;  // where messages are opened that lay whole in the input
  std::size_t plain_size_ = 0;
};

using NoiseSealer = MessageSealer<NoiseSeal>;
using NoiseOpener = MessageOpener<NoiseOpen>;

}  // namespace kadmesh
