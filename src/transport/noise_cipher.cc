#include "transport/noise_cipher.h"

#include <limits>

namespace kadmesh {
namespace {

constexpr std::uint64_t kLastCounter = std::numeric_limits<std::uint64_t>::max() - 1;

}  // namespace

Result<std::uint64_t> NoiseKey::next() {
  if (counter_ > kLastCounter) return fail(Errc::limit, "noise: the counter is used up");
  return counter_++;
}

Result<void> NoiseSeal::seal(std::span<std::uint8_t> body) {
  ASSIGN_OR_RETURN(const std::uint64_t counter, key_.next());
  aead_seal(key_.key(), counter, {}, body.first(body.size() - kAeadTagSize), body);
  return {};
}

Result<ByteView> NoiseOpen::open(const NoiseFrame& frame) {
  ASSIGN_OR_RETURN(const std::uint64_t counter, key_.next());
  const std::span<std::uint8_t> plain = frame.own.empty() ? room(frame.body.size()) : frame.own;
  if (!aead_open(key_.key(), counter, {}, frame.body, plain))
    return fail(Errc::auth, "noise: a message does not decrypt");
  return ByteView(plain).first(frame.body.size() - kAeadTagSize);
}

std::span<std::uint8_t> NoiseOpen::room(std::size_t size) {
  if (plain_size_ < size) {
    plain_ = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    plain_size_ = size;
  }
  return {plain_.get(), plain_size_};
}

void NoiseOpen::release() {
  plain_.reset();
  plain_size_ = 0;
}

}  // namespace kadmesh
