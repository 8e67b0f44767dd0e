// Who a Noise static key belongs to: the payload of handshake messages 2 and 3 (libp2p specs,
// noise/README.md, "The libp2p Handshake Payload" and "Static Key Authentication"). The identity
// key signs the static key; the muxers that the sender has ride along.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/keys.h"
#include "transport/handshake_message.h"

namespace kadmesh {

// A longer list is ignored, as go ignores it.
inline constexpr std::size_t kMostEarlyMuxers = 100;

struct NoiseIdentity {
  PublicKey key;
  PeerId peer;
  std::vector<std::string> muxers;  // as sent, bytes that need not be text; in order of preference
};

// `muxers`: at most kMostEarlyMuxers.
Bytes make_noise_payload(const KeyPair& identity, const X25519Key& static_key,
                         std::span<const std::string> muxers);

// `static_key` is the one that Noise has authenticated. In order: the payload parses, its
// signature holds, its key is that of the peer whom we `expected`.
// Errc::malformed, Errc::limit, Errc::unsupported (a key type), Errc::auth.
Result<NoiseIdentity> check_noise_payload(ByteView payload, const X25519Key& static_key,
                                          const std::optional<PeerId>& expected);
// The same without the signature: who the sender says it is, unproven.
Result<NoiseIdentity> read_noise_payload(ByteView payload, const std::optional<PeerId>& expected);

}  // namespace kadmesh
