// The messages of a handshake on the wire (libp2p specs, noise/README.md, "Wire Format"): each
// behind 2 bytes of length, big-endian, which is judged before anything is kept for it.
//
//   message   body
//   first     32                        no payload: rust refuses one, the spec forbids it
//   second    32 + 48 + payload + 16    the responder's identity
//   third     48 + payload + 16         the initiator's
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"
#include "transport/noise_xx.h"

namespace kadmesh {

// An RSA key of 8192 bits and its signature are 2.1 KiB; the rest is room for extensions.
inline constexpr std::size_t kMaxNoisePayload = 8192;

// Collects one message at a time, as its bytes come.
class HandshakeReader {
 public:
  // The body of the message that must come next, once it is whole; `in` shrinks by what was taken.
  // None: all of `in` was taken. Errc::malformed, Errc::limit: no message of its kind is so long.
  Result<std::optional<Bytes>> next(NoiseXX::Message kind, ByteView& in);

 private:
  Bytes message_;  // prefix and body of the one being read
};

// Appends the prefix and the body.
void put_handshake_message(Bytes& out, ByteView body);

}  // namespace kadmesh
