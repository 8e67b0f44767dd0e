// What happens in a router, event by event, as go-libp2p-pubsub's tracer tells it (pb/trace.proto
// there), so that tools for its traces read ours (gossip/trace_format.h).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/peer_id.h"
#include "gossip/message.h"

namespace kadmesh {

// --- what an RPC consists of
struct TracedMessage {
  MessageId id;
  Topic topic;
};
struct TracedSubscription {
  bool subscribe;
  Topic topic;
};
struct TracedIHave {
  Topic topic;
  std::vector<MessageId> ids;
};
struct TracedPrune {
  Topic topic;
  std::vector<PeerId> peers;  // whom it names for peer exchange
};
struct TracedRpc {
  std::vector<TracedMessage> messages;
  std::vector<TracedSubscription> subscriptions;
  std::vector<TracedIHave> ihave;
  std::vector<MessageId> iwant;
  std::vector<Topic> graft;
  std::vector<TracedPrune> prune;
  std::vector<MessageId> idontwant;
};

// --- events
namespace traced {

struct Published {
  MessageId id;
  Topic topic;
};
struct Rejected {  // or ignored
  MessageId id;
  PeerId from;
  std::string reason;  // text(Refusal)
  Topic topic;
};
struct Duplicate {
  MessageId id;
  PeerId from;
  Topic topic;
};
struct Delivered {  // to the application; what it publishes itself is told of, too
  MessageId id;
  Topic topic;
  PeerId from;
};
struct StreamOpened {  // ours to the peer
  PeerId peer;
  std::string protocol;
};
struct StreamClosed {
  PeerId peer;
};
struct RpcReceived {
  PeerId peer;
  TracedRpc rpc;
};
struct RpcSent {
  PeerId peer;
  TracedRpc rpc;
};
struct RpcDropped {  // for the peer takes no more
  PeerId peer;
  TracedRpc rpc;
};
struct Joined {
  Topic topic;
};
struct Left {
  Topic topic;
};
struct Grafted {  // into our mesh, whoever asked
  PeerId peer;
  Topic topic;
};
struct Pruned {
  PeerId peer;
  Topic topic;
};

}  // namespace traced

// In the order of go's types.
using TraceEvent =
    std::variant<traced::Published, traced::Rejected, traced::Duplicate, traced::Delivered,
                 traced::StreamOpened, traced::StreamClosed, traced::RpcReceived, traced::RpcSent,
                 traced::RpcDropped, traced::Joined, traced::Left, traced::Grafted, traced::Pruned>;

}  // namespace kadmesh
