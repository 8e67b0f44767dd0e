// GossipSub's RPCs (libp2p specs, pubsub/README.md "The RPC"; gossipsub-v1.1.md "Protobuf").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gossip/gossip.h"

namespace kadmesh::gossip {

struct SubOpts {
  bool subscribe;
  Topic topic;
  PartialUse partial{};
};
struct IHave {
  Topic topic;
  std::vector<MessageId> ids;
};
// Whom a pruned peer may turn to instead.
struct Exchanged {
  PeerId peer;
  Bytes record;  // a signed envelope, or empty
};
struct Prune {
  Topic topic;
  std::optional<std::uint64_t> backoff;  // seconds, as the peer says
  std::vector<Exchanged> peers{};
};
// What a peer says that it can do (gossipsub-v1.3.md); in the first RPC of its stream, or never.
struct Extensions {
  bool partial_messages = false;
};
struct Rpc {
  std::vector<SubOpts> subscriptions;
  std::vector<ByteView> publish;  // encoded messages; views into the RPC that was decoded
  std::vector<IHave> ihave;
  std::vector<MessageId> iwant;
  std::vector<Topic> graft;
  std::vector<Prune> prune;
  std::vector<MessageId> idontwant;
  std::optional<Extensions> extensions;
  std::optional<PartialMessage> partial;

  bool empty() const;
};

// Elements are counted before anything is decoded. Errc::malformed, Errc::limit. What has no topic,
// or one that is too long, and ids that are too long, are left out alone. Messages are not copied.
Result<Rpc> decode_rpc(ByteView rpc);

// The message of an RPC that holds one and nothing else, which most are. None: decode_rpc() says.
std::optional<ByteView> only_message(ByteView rpc);

// One or more frames, length prefix included: control and subscriptions split at kMostControlOut,
// each message in a frame of its own. Ids that are too long are left out.
std::vector<Bytes> encode_rpc(const Rpc& rpc);
// The frame of an RPC that holds one encoded message and nothing else.
Bytes message_frame(ByteView message);
// The frame of an RPC that says IDONTWANT of one message and nothing else.
Bytes idontwant_frame(const MessageId& id);
// A frame without its length: a view into it.
ByteView rpc_in(ByteView frame);
// The message of a message_frame(): a view into it.
ByteView message_in(ByteView frame);

}  // namespace kadmesh::gossip
