#include "transport/secure_channel.h"

namespace kadmesh {
namespace {

std::variant<NoiseHandshake, PlainHandshake> begin_handshake(Security security, Role role,
                                                             const NoiseStatic& ours, Rng& rng,
                                                             std::optional<PeerId> expected) {
  if (security == Security::plain) return PlainHandshake(role, ours, &rng, expected);
  if (security == Security::replay) return PlainHandshake(role, ours, nullptr, expected);
  return NoiseHandshake(role, ours, rng, expected);
}

SecureSession session_of(Security, NoiseSession session) {
  return {{std::move(session.remote_key), session.remote, std::move(session.remote_muxers)},
          Sealer(std::move(session.send)),
          Opener(std::move(session.receive)),
          session.secrets};
}

SecureSession session_of(Security security, PlainSession session) {
  Opener::Any receive(std::move(session.receive));
  if (security == Security::replay) receive.emplace<ReplayOpener>();
  return {std::move(session.remote), Sealer(session.send), Opener(std::move(receive)),
          std::nullopt};
}

}  // namespace

std::string_view protocol_name(Security security) {
  return security == Security::plain ? kPlainProtocol : kNoiseProtocol;
}

Result<void> Sealer::seal(ByteView plain, Bytes& out) {
  return std::visit([&](auto& sealer) { return sealer.seal(plain, out); }, sealer_);
}

std::size_t Sealer::begin(Bytes& out) const {
  return std::visit([&](const auto& sealer) { return sealer.begin(out); }, sealer_);
}

Result<void> Sealer::end(Bytes& out, std::size_t start) {
  return std::visit([&](auto& sealer) { return sealer.end(out, start); }, sealer_);
}

Result<std::optional<ByteView>> Opener::next(ByteView& in) {
  return std::visit([&](auto& opener) { return opener.next(in); }, opener_);
}

void Opener::release() {
  std::visit([](auto& opener) { opener.release(); }, opener_);
}

SecureHandshake::SecureHandshake(Security security, Role role, const NoiseStatic& ours, Rng& rng,
                                 std::optional<PeerId> expected)
    : security_(security), handshake_(begin_handshake(security, role, ours, rng, expected)) {}

Result<std::size_t> SecureHandshake::on_bytes(ByteView in) {
  if (security_ == Security::replay)
    if (auto fault = plain_fault(in)) return std::unexpected(*std::move(fault));
  return std::visit([&](auto& handshake) { return handshake.on_bytes(in); }, handshake_);
}

Bytes SecureHandshake::take_output() {
  return std::visit([](auto& handshake) { return handshake.take_output(); }, handshake_);
}

bool SecureHandshake::done() const {
  return std::visit([](const auto& handshake) { return handshake.done(); }, handshake_);
}

ByteView SecureHandshake::remote_payload() const {
  const auto* noise = std::get_if<NoiseHandshake>(&handshake_);
  return noise ? noise->remote_payload() : ByteView();
}

SecureSession SecureHandshake::take() {
  return std::visit([this](auto& handshake) { return session_of(security_, handshake.take()); },
                    handshake_);
}

}  // namespace kadmesh
