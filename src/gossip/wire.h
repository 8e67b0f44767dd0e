// GossipSub's bytes (libp2p specs, pubsub/README.md "The RPC"; gossipsub-v1.1.md "Protobuf").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gossip/gossip.h"

namespace kadmesh::gossip {

// --- the RPC
struct SubOpts {
  bool subscribe;
  Topic topic;
};
struct IHave {
  Topic topic;
  std::vector<MessageId> ids;
};
struct Prune {
  Topic topic;
  std::optional<std::uint64_t> backoff;  // seconds, as the peer says
};
struct Rpc {
  std::vector<SubOpts> subscriptions;
  std::vector<Bytes> publish;  // encoded messages
  std::vector<IHave> ihave;
  std::vector<MessageId> iwant;
  std::vector<Topic> graft;
  std::vector<Prune> prune;

  bool empty() const;
};

// Elements are counted before anything is decoded. Errc::malformed, Errc::limit. What has no topic,
// or one that is too long, is left out alone.
Result<Rpc> decode_rpc(ByteView rpc);

// One or more frames, length prefix included: control and subscriptions split at kMostControlOut,
// each message in a frame of its own.
std::vector<Bytes> encode_rpc(const Rpc& rpc);
// The frame of an RPC that holds one encoded message and nothing else.
Bytes message_frame(ByteView message);

// --- a message
struct SignedMessage {
  GossipMessage message;
  std::optional<Bytes> signature;
  std::optional<Bytes> key;  // PublicKey protobuf, where the author's id does not hold it
};
// Errc::malformed: no protobuf, no topic, an author that is no peer id.
Result<SignedMessage> decode_message(ByteView bytes);
// Under StrictSign: with `author`'s signature, and its key where the id does not hold it.
Bytes encode_message(const GossipMessage& message, const KeyPair* author);
// What both policies demand of a received message. Errc::auth, Errc::protocol.
Result<void> check_signature(const SignedMessage& message, SignaturePolicy policy);

}  // namespace kadmesh::gossip
