#include "transport/noise_payload.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/proto_scan.h"
#include "noise.pb.h"

namespace kadmesh {
namespace {

constexpr std::string_view kDomain = "noise-libp2p-static-key:";

// protobuf 3.21 takes its bytes as strings.
std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

// What is signed: the domain and the key.
auto statement(const X25519Key& static_key) {
  std::array<std::uint8_t, kDomain.size() + sizeof(X25519Key)> bytes;
  const auto tail = std::ranges::copy(kDomain, bytes.begin()).out;
  std::ranges::copy(static_key, tail);
  return bytes;
}

// Lists longer than kMostEarlyMuxers are read in order to be ignored; this only keeps a payload of
// empty elements from growing in memory.
constexpr std::size_t kMostElements = 1024;
constexpr ScanLimits kLimits{kMostNoisePayload, kMostElements, 2};
constexpr MessageShape kExtensionsShape{};
constexpr std::array<FieldShape, 1> kFields{
    {{pb::NoiseHandshakePayload::kExtensionsFieldNumber, kMostElements, &kExtensionsShape}}};
constexpr MessageShape kPayloadShape{kFields};

Result<pb::NoiseHandshakePayload> parse(ByteView payload) {
  RETURN_IF_ERROR(scan_message(payload, kPayloadShape, kLimits));
  pb::NoiseHandshakePayload message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return fail(Errc::malformed, "noise: the handshake payload is no protobuf");
  return message;
}

Result<PublicKey> signer_of(const pb::NoiseHandshakePayload& message, const X25519Key& static_key) {
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::from_proto(as_bytes(message.identity_key())));
  if (!key.verify(statement(static_key), as_bytes(message.identity_sig())))
    return fail(Errc::auth, "noise: the identity key did not sign the static key");
  return key;
}

Result<void> check_peer(const PeerId& proven, const std::optional<PeerId>& expected) {
  if (!expected || proven == *expected) return {};
  return fail(Errc::auth, "expected " + expected->text() + ", found " + proven.text());
}

std::vector<std::string> muxers_of(const pb::NoiseHandshakePayload& message) {
  const auto& list = message.extensions().stream_muxers();
  if (static_cast<std::size_t>(list.size()) > kMostEarlyMuxers) return {};
  return {list.begin(), list.end()};
}

Result<NoiseIdentity> identity_of(PublicKey key, const pb::NoiseHandshakePayload& message,
                                  const std::optional<PeerId>& expected) {
  const PeerId peer = key.peer_id();
  RETURN_IF_ERROR(check_peer(peer, expected));
  return NoiseIdentity{std::move(key), peer, muxers_of(message)};
}

}  // namespace

Bytes make_noise_payload(const KeyPair& identity, const X25519Key& static_key,
                         std::span<const std::string> muxers) {
  KAD_CHECK(muxers.size() <= kMostEarlyMuxers);
  pb::NoiseHandshakePayload message;
  message.set_identity_key(to_text(identity.public_key().proto()));
  message.set_identity_sig(to_text(identity.sign(statement(static_key))));
  for (const std::string& muxer : muxers) message.mutable_extensions()->add_stream_muxers(muxer);
  const Bytes payload = to_bytes(as_bytes(message.SerializeAsString()));
  KAD_CHECK(payload.size() <= kMostNoisePayload);
  return payload;
}

Result<NoiseIdentity> check_noise_payload(ByteView payload, const X25519Key& static_key,
                                          const std::optional<PeerId>& expected) {
  ASSIGN_OR_RETURN(const pb::NoiseHandshakePayload message, parse(payload));
  ASSIGN_OR_RETURN(PublicKey key, signer_of(message, static_key));
  return identity_of(std::move(key), message, expected);
}

Result<NoiseIdentity> read_noise_payload(ByteView payload, const std::optional<PeerId>& expected) {
  ASSIGN_OR_RETURN(const pb::NoiseHandshakePayload message, parse(payload));
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::from_proto(as_bytes(message.identity_key())));
  return identity_of(std::move(key), message, expected);
}

}  // namespace kadmesh
