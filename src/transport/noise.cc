#include "transport/noise.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kadmesh {
namespace {

std::size_t body_size(ByteView prefix) { return std::size_t{prefix[0]} << 8 | prefix[1]; }

// What a message may measure: message 1 has no payload, the others have one.
struct Sizes {
  std::size_t least;
  std::size_t most;
};
Sizes sizes_of(NoiseXX::Message message) {
  using enum NoiseXX::Message;
  if (message == first) return {NoiseXX::kFirstSize, NoiseXX::kFirstSize};
  const std::size_t least = message == second ? NoiseXX::kSecondSize : NoiseXX::kThirdSize;
  return {least, least + kMaxNoisePayload};
}

// Moves bytes from `in` until `out` has `size` of them; whether it has.
bool fill(Bytes& out, ByteView& in, std::size_t size) {
  const std::size_t count = std::min(in.size(), size - out.size());
  append(out, in.first(count));
  in = in.subspan(count);
  return out.size() == size;
}

}  // namespace

NoiseStatic make_noise_static(Rng& rng, const KeyPair& identity,
                              std::span<const std::string> muxers) {
  const X25519KeyPair key = make_x25519(rng);
  return {key, make_noise_payload(identity, key.share, muxers)};
}

NoiseHandshake::NoiseHandshake(Role role, const NoiseStatic& ours, Rng& rng,
                               std::optional<PeerId> expected)
    : role_(role),
      payload_(ours.payload),
      expected_(expected),
      xx_(role, ours.key, make_x25519(rng)) {
  if (role == Role::initiator) KAD_CHECK(write_message());
}

Result<std::size_t> NoiseHandshake::on_bytes(ByteView in) {
  if (state_ == State::failed) return fail(Errc::closed, "noise: the handshake has failed");
  auto taken = read_messages(in);
  if (taken) return taken;
  state_ = State::failed;
  output_.clear();
  return taken;
}

Bytes NoiseHandshake::take_output() { return std::exchange(output_, {}); }

NoiseSession NoiseHandshake::take() {
  KAD_CHECK(done());
  state_ = State::taken;
  const NoiseSecrets& secrets = xx_.secrets();
  const bool initiator = role_ == Role::initiator;
  return {.remote_key = std::move(remote_->key),
          .remote = remote_->peer,
          .remote_muxers = std::move(remote_->muxers),
          .send = NoiseSealer(NoiseKey(initiator ? secrets.initiator : secrets.responder)),
          .receive = NoiseOpener(NoiseKey(initiator ? secrets.responder : secrets.initiator)),
          .secrets = secrets};
}

Result<std::size_t> NoiseHandshake::read_messages(ByteView in) {
  ByteView rest = in;
  while (!over()) {
    ASSIGN_OR_RETURN(const bool whole, collect(rest));
    if (!whole) break;
    const Bytes message = std::exchange(message_, {});
    RETURN_IF_ERROR(on_message(ByteView(message).subspan(kNoisePrefixSize)));
  }
  return in.size() - rest.size();
}

// Takes bytes up to the end of one message; whether it is whole. Its size is judged by its prefix.
Result<bool> NoiseHandshake::collect(ByteView& in) {
  if (message_.size() < kNoisePrefixSize && !fill(message_, in, kNoisePrefixSize)) return false;
  const std::size_t size = body_size(message_);
  RETURN_IF_ERROR(check_size(size));
  return fill(message_, in, kNoisePrefixSize + size);
}

Result<void> NoiseHandshake::check_size(std::size_t size) const {
  const Sizes sizes = sizes_of(xx_.next());
  if (size < sizes.least) return fail(Errc::malformed, "noise: a handshake message is cut short");
  if (size > sizes.most) return fail(Errc::limit, "noise: a handshake message is too long");
  return {};
}

Result<void> NoiseHandshake::on_message(ByteView message) {
  ASSIGN_OR_RETURN(const Bytes payload, xx_.read(message));
  if (xx_.next() != NoiseXX::Message::second) RETURN_IF_ERROR(on_identity(payload));
  if (xx_.our_turn()) RETURN_IF_ERROR(write_message());
  if (xx_.next() == NoiseXX::Message::done) state_ = State::done;
  return {};
}

Result<void> NoiseHandshake::on_identity(ByteView payload) {
  ASSIGN_OR_RETURN(remote_, check_noise_payload(payload, xx_.remote_static(), expected_));
  return {};
}

Result<void> NoiseHandshake::write_message() {
  const bool presents = xx_.next() != NoiseXX::Message::first;
  Bytes body;
  RETURN_IF_ERROR(xx_.write(presents ? ByteView(payload_) : ByteView(), body));
  output_.push_back(static_cast<std::uint8_t>(body.size() >> 8));
  output_.push_back(static_cast<std::uint8_t>(body.size()));
  append(output_, body);
  return {};
}

}  // namespace kadmesh
