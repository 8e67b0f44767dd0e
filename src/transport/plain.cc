#include "transport/plain.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::size_t kShare = sizeof(X25519Key);
constexpr std::size_t kSealedShare = kShare + kAeadTagSize;

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

void put_zeros(Bytes& out, std::size_t count) { out.resize(out.size() + count); }

// `bytes` without the zeros that stand at both ends.
Result<ByteView> inside(ByteView bytes, std::size_t before) {
  if (!all_zero(bytes.first(before)) || !all_zero(bytes.last(kAeadTagSize)))
    return fail(Errc::auth, "plain: bytes where there must be zeros");
  return bytes.subspan(before, bytes.size() - before - kAeadTagSize);
}

// Of the message at the front of `in`, prefix and body, once its prefix is there.
std::optional<std::size_t> message_size(ByteView in) {
  if (in.size() < kNoisePrefixSize) return std::nullopt;
  return kNoisePrefixSize + (std::size_t{in[0]} << 8 | in[1]);
}

Result<ByteView> opened(ByteView message) {
  const ByteView body = message.subspan(kNoisePrefixSize);
  if (body.size() < kAeadTagSize)
    return fail(Errc::malformed, "plain: a message shorter than its tag");
  return inside(body, 0);
}

}  // namespace

// --- messages

Result<void> PlainSealer::seal(ByteView plain, Bytes& out) const {
  while (!plain.empty()) {
    const ByteView piece = plain.first(std::min(plain.size(), kMaxNoisePlain));
    const std::size_t start = begin(out);
    append(out, piece);
    RETURN_IF_ERROR(end(out, start));
    plain = plain.subspan(piece.size());
  }
  return {};
}

std::size_t PlainSealer::begin(Bytes& out) const {
  put_zeros(out, kNoisePrefixSize);
  return out.size() - kNoisePrefixSize;
}

Result<void> PlainSealer::end(Bytes& out, std::size_t start) const {
  KAD_CHECK(start + kNoisePrefixSize <= out.size());
  const std::size_t size = out.size() - start - kNoisePrefixSize;
  KAD_CHECK(size <= kMaxNoisePlain);
  if (size == 0) {
    out.resize(start);
    return {};
  }
  put_zeros(out, kAeadTagSize);
  const std::size_t body = size + kAeadTagSize;
  out[start] = static_cast<std::uint8_t>(body >> 8);
  out[start + 1] = static_cast<std::uint8_t>(body);
  return {};
}

Result<std::optional<ByteView>> PlainOpener::next(ByteView& in) {
  if (dead_) return fail(Errc::closed, "plain: the session is dead");
  auto message = next_message(in);
  dead_ = !message;
  if (dead_ || (!*message && partial_.empty())) partial_ = Bytes();
  return message;
}

// Empty messages are passed over, as Noise's are.
Result<std::optional<ByteView>> PlainOpener::next_message(ByteView& in) {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<ByteView> message, read(in));
    if (!message || !message->empty()) return message;
  }
}

Result<std::optional<ByteView>> PlainOpener::read(ByteView& in) {
  if (std::exchange(lent_, false)) partial_.clear();
  const auto size = message_size(in);
  if (partial_.empty() && size && *size <= in.size()) {
    const ByteView message = in.first(*size);
    in = in.subspan(*size);
    return opened(message);
  }
  collect(in, kNoisePrefixSize);
  if (const auto whole = message_size(partial_)) collect(in, *whole);
  if (message_size(partial_) != partial_.size()) return std::nullopt;
  lent_ = true;
  return opened(partial_);
}

// Until partial_ has `size` bytes. Memory follows what has arrived.
void PlainOpener::collect(ByteView& in, std::size_t size) {
  if (partial_.size() >= size) return;
  const std::size_t count = std::min(in.size(), size - partial_.size());
  append(partial_, in.first(count));
  in = in.subspan(count);
}

// --- the handshake

PlainHandshake::PlainHandshake(Role role, const NoiseStatic& ours, Rng* luck,
                               std::optional<PeerId> expected)
    : payload_(ours.payload), expected_(expected) {
  if (luck) luck->fill(ephemeral_);
  if (role == Role::initiator) write_message();
}

Bytes PlainHandshake::take_output() { return std::exchange(output_, {}); }

PlainSession PlainHandshake::take() {
  KAD_CHECK(done());
  return {*std::exchange(remote_, std::nullopt), {}, {}};
}

Result<std::size_t> PlainHandshake::on_bytes(ByteView in) {
  if (failed_) return fail(Errc::closed, "plain: the handshake has failed");
  auto taken = read_messages(in);
  if (taken) return taken;
  failed_ = true;
  output_.clear();
  return taken;
}

Result<std::size_t> PlainHandshake::read_messages(ByteView in) {
  ByteView rest = in;
  while (next_ != Message::done) {
    ASSIGN_OR_RETURN(const std::optional<Bytes> body, reader_.next(next_, rest));
    if (!body) break;
    RETURN_IF_ERROR(on_message(*body));
  }
  return in.size() - rest.size();
}

// Its size has been judged. Whoever has read a message writes the next one, if there is one.
Result<void> PlainHandshake::on_message(ByteView body) {
  if (next_ != Message::first) {
    const ByteView sealed = next_ == Message::second ? body.subspan(kShare) : body;
    ASSIGN_OR_RETURN(const ByteView payload, inside(sealed, kSealedShare));
    ASSIGN_OR_RETURN(remote_, read_noise_payload(payload, expected_));
  }
  advance();
  if (next_ != Message::done) write_message();
  return {};
}

void PlainHandshake::write_message() {
  Bytes body;
  if (next_ != Message::third) append(body, ephemeral_);
  if (next_ != Message::first) {
    put_zeros(body, kSealedShare);
    append(body, payload_);
    put_zeros(body, kAeadTagSize);
  }
  put_handshake_message(output_, body);
  advance();
}

void PlainHandshake::advance() {
  next_ = static_cast<Message>(static_cast<std::uint8_t>(next_) + 1);
}

}  // namespace kadmesh
