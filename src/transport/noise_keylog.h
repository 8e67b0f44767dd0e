// The secrets of one Noise session as a line of text, so that a capture of it can be decrypted
// offline. Whoever has the line reads the whole session: it is written only when asked for.
//
//   NOISE_XX <e_i> <e_r> <ee> <es> <se> <initiator> <responder>
//
// Each field is 32 bytes in lower-case hex, fields are separated by one space, no newline.
//   e_i, e_r              the ephemeral public keys, in the clear at the front of messages 1 and
//                         2: they find the session in a capture
//   ee                    opens the responder's static key, in message 2 (counter 0)
//   es                    opens the payload of message 2 (0) and the initiator's static key (1)
//   se                    opens the payload of message 3 (0)
//   initiator, responder  open that side's transport frames, counting from 0
// Inside the handshake the associated data is the transcript hash, which the capture gives.
#pragma once

#include <string>
#include <string_view>

#include "base/crypto.h"

namespace kadmesh {

struct NoiseSecrets {
  X25519Key initiator_ephemeral{};  // public
  X25519Key responder_ephemeral{};  // public
  AeadKey ee{};
  AeadKey es{};
  AeadKey se{};
  AeadKey initiator{};
  AeadKey responder{};

  friend bool operator==(const NoiseSecrets&, const NoiseSecrets&) = default;
};

std::string keylog_line(const NoiseSecrets& secrets);
// Errc::malformed for anything that keylog_line() would not write.
Result<NoiseSecrets> parse_keylog_line(std::string_view line);

}  // namespace kadmesh
