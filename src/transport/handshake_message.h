// The messages of a handshake: frames (noise_frame.h) whose length is judged before anything is
// kept for them.
//
//   message   body
//   first     32                        no payload: rust refuses one, the spec forbids it
//   second    32 + 48 + payload + 16    the responder's identity
//   third     48 + payload + 16         the initiator's
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"
#include "transport/noise_frame.h"
#include "transport/noise_xx.h"

namespace kadmesh {

// An RSA key of 8192 bits and its signature are 2.1 KiB; the rest is room for extensions.
inline constexpr std::size_t kMostNoisePayload = 8192;

// Reads one message at a time, as its bytes come.
class HandshakeReader {
 public:
  // The body of the message that must come next, once it is whole; `in` shrinks by what was taken.
  // The view is valid until the next call, and as long as `in`'s bytes. None: all of `in` was
  // taken. Errc::malformed, Errc::limit: no message of its kind is so long.
  Result<std::optional<ByteView>> next(NoiseXX::Message kind, ByteView& in);

 private:
  NoiseFrameReader frames_;
};

// Appends the prefix and the body.
void put_handshake_message(Bytes& out, ByteView body);

}  // namespace kadmesh
