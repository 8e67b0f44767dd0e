// A message as it travels, with its author's signature (libp2p specs, pubsub/README.md, "Message
// Signing").
#pragma once

#include "gossip/gossip.h"

namespace kadmesh::gossip {

// Views into the encoded message; what is absent is empty. Most messages that arrive are
// duplicates, so reading one neither copies nor allocates.
struct SignedMessage : MessageView {
  ByteView signature;
  ByteView encoded;
};
// Errc::malformed: no protobuf, a known field that is no bytes, no topic, an author that is no peer
// id. Errc::limit.
Result<SignedMessage> decode_message(ByteView bytes);
// Big endian; 0 for what is not 8 bytes long.
std::uint64_t seqno_value(ByteView seqno);
GossipMessage owned(const MessageView& message);
// Under StrictSign: with `author`'s signature, and its key where the id does not hold it.
Bytes encode_message(const GossipMessage& message, const KeyPair* author);
// What both policies demand of a received message. Errc::auth, Errc::protocol. Signed is what came,
// without signature and key, in the one form in which others encode again what they decoded: known
// fields in the order of their numbers, each once and with the shortest length, and behind them
// those that go signs without knowing them. Taking any other would make us forward what our mesh
// blames us for.
// `memo`: null, or what a simulation has verified before.
Result<void> check_signature(const SignedMessage& message, SignaturePolicy policy,
                             SignatureMemo* memo = nullptr);

}  // namespace kadmesh::gossip
