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

}  // namespace

// --- messages

Result<void> PlainSeal::seal(std::span<std::uint8_t> body) {
  std::ranges::fill(body.last(kAeadTagSize), std::uint8_t{0});
  return {};
}

Result<ByteView> PlainOpen::open(const NoiseFrame& frame) { return inside(frame.body, 0); }

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
    ASSIGN_OR_RETURN(const std::optional<ByteView> body, reader_.next(next_, rest));
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
