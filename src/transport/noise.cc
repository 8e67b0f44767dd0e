#include "transport/noise.h"

#include <utility>

#include "base/check.h"

namespace kadmesh {

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
    ASSIGN_OR_RETURN(const std::optional<ByteView> message, reader_.next(xx_.next(), rest));
    if (!message) break;
    RETURN_IF_ERROR(on_message(*message));
  }
  return in.size() - rest.size();
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
  remote_payload_ = to_bytes(payload);
  return {};
}

Result<void> NoiseHandshake::write_message() {
  const bool presents = xx_.next() != NoiseXX::Message::first;
  Bytes body;
  RETURN_IF_ERROR(xx_.write(presents ? ByteView(payload_) : ByteView(), body));
  put_handshake_message(output_, body);
  return {};
}

}  // namespace kadmesh
