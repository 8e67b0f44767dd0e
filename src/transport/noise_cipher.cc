#include "transport/noise_cipher.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::uint64_t kLastCounter = std::numeric_limits<std::uint64_t>::max() - 1;

void put_prefix(std::span<std::uint8_t> out, std::size_t body) {
  out[0] = static_cast<std::uint8_t>(body >> 8);
  out[1] = static_cast<std::uint8_t>(body);
}

// Of the message at the front of `in`, prefix and body, once its prefix is there.
std::optional<std::size_t> message_size(ByteView in) {
  if (in.size() < kNoisePrefixSize) return std::nullopt;
  return kNoisePrefixSize + (std::size_t{in[0]} << 8 | in[1]);
}

}  // namespace

Result<std::uint64_t> NoiseKey::next() {
  if (counter_ > kLastCounter) return fail(Errc::limit, "noise: the counter is used up");
  return counter_++;
}

Result<void> NoiseSealer::seal(ByteView plain, Bytes& out) {
  while (!plain.empty()) {
    const ByteView piece = plain.first(std::min(plain.size(), kMaxNoisePlain));
    const std::size_t start = begin(out);
    append(out, piece);
    RETURN_IF_ERROR(end(out, start));
    plain = plain.subspan(piece.size());
  }
  return {};
}

std::size_t NoiseSealer::begin(Bytes& out) const {
  out.resize(out.size() + kNoisePrefixSize);
  return out.size() - kNoisePrefixSize;
}

Result<void> NoiseSealer::end(Bytes& out, std::size_t start) {
  KAD_CHECK(start + kNoisePrefixSize <= out.size());
  const std::size_t size = out.size() - start - kNoisePrefixSize;
  KAD_CHECK(size <= kMaxNoisePlain);
  if (size == 0) {
    out.resize(start);
    return {};
  }
  ASSIGN_OR_RETURN(const std::uint64_t counter, key_.next());
  out.resize(out.size() + kAeadTagSize);
  const auto message = std::span(out).subspan(start);
  put_prefix(message, size + kAeadTagSize);
  const auto body = message.subspan(kNoisePrefixSize);
  aead_seal(key_.key(), counter, {}, body.first(size), body);
  return {};
}

Result<std::optional<ByteView>> NoiseOpener::next(ByteView& in) {
  if (dead_) return fail(Errc::closed, "noise: the session is dead");
  auto message = next_message(in);
  dead_ = !message;
  if (dead_ || !*message) release();
  return message;
}

// Empty messages are passed over.
Result<std::optional<ByteView>> NoiseOpener::next_message(ByteView& in) {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<ByteView> message, read(in));
    if (!message || !message->empty()) return message;
  }
}

Result<std::optional<ByteView>> NoiseOpener::read(ByteView& in) {
  if (std::exchange(lent_, false)) partial_.clear();
  const auto size = message_size(in);
  if (partial_.empty() && size && *size <= in.size()) return open_whole(in, *size);
  collect(in);
  if (message_size(partial_) != partial_.size()) return std::nullopt;
  return open_partial();
}

Result<ByteView> NoiseOpener::open_whole(ByteView& in, std::size_t size) {
  const ByteView body = in.first(size).subspan(kNoisePrefixSize);
  in = in.subspan(size);
  if (plain_size_ < body.size()) {
    plain_ = std::make_unique_for_overwrite<std::uint8_t[]>(body.size());
    plain_size_ = body.size();
  }
  const std::span plain(plain_.get(), plain_size_);
  RETURN_IF_ERROR(open(body, plain));
  return ByteView(plain).first(body.size() - kAeadTagSize);
}

Result<ByteView> NoiseOpener::open_partial() {
  lent_ = true;
  const auto body = std::span(partial_).subspan(kNoisePrefixSize);
  RETURN_IF_ERROR(open(body, body));
  return ByteView(body).first(body.size() - kAeadTagSize);
}

Result<void> NoiseOpener::open(ByteView sealed, std::span<std::uint8_t> plain) {
  if (sealed.size() < kAeadTagSize)
    return fail(Errc::malformed, "noise: a message shorter than its tag");
  ASSIGN_OR_RETURN(const std::uint64_t counter, key_.next());
  if (!aead_open(key_.key(), counter, {}, sealed, plain))
    return fail(Errc::auth, "noise: a message does not decrypt");
  return {};
}

void NoiseOpener::collect(ByteView& in) {
  collect_up_to(in, kNoisePrefixSize);
  if (const auto size = message_size(partial_)) collect_up_to(in, *size);
}

// Until partial_ has `size` bytes. Memory follows what has arrived, and never exceeds the message.
void NoiseOpener::collect_up_to(ByteView& in, std::size_t size) {
  if (partial_.size() >= size) return;
  const std::size_t count = std::min(in.size(), size - partial_.size());
  const std::size_t held = partial_.size() + count;
  if (held > partial_.capacity()) partial_.reserve(std::min(size, 2 * held));
  append(partial_, in.first(count));
  in = in.subspan(count);
}

void NoiseOpener::release() {
  plain_.reset();
  plain_size_ = 0;
  if (partial_.empty() || dead_) partial_ = Bytes();
}

}  // namespace kadmesh
