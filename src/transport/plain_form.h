// What goes through Noise, as it goes under Security::replay: for recordings that are taken above
// Noise and hold nothing of its keys. Every message has its own length; partial ones are not shown.
//
// In front of a message, a length of 0 says that the session ends here and why: Noise found what
// cannot be shown (a tag that is wrong, a signature).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "transport/noise_xx.h"

namespace kadmesh {

struct PlainForms {
  Bytes opened;  // of what has come in
  Bytes sent;    // of what goes out
};

// `payload`: the identity that the message presents; none in the first.
void put_plain_handshake(Bytes& out, NoiseXX::Message kind, ByteView payload);
// Nothing for nothing; at most kMostNoisePlain bytes.
void put_plain_message(Bytes& out, ByteView plain);
void put_plain_fault(Bytes& out, const Error& why);

// The fault at the front, if one is there.
std::optional<Error> plain_fault(ByteView in);

}  // namespace kadmesh
