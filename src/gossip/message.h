// What travels between GossipSub's peers, as applications see it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/peer_id.h"

namespace kadmesh {

// A topic's name, as bytes: peers may send what is no UTF-8.
using Topic = std::string;
using MessageId = Bytes;

struct GossipMessage {
  std::optional<PeerId> from;  // none under StrictNoSign
  Bytes data;
  Bytes seqno;  // 8 bytes, opaque; empty under StrictNoSign
  Topic topic;
};

// What a message id is made of: views into the message as it came, valid for the call.
struct MessageView {
  std::optional<PeerId> from;
  ByteView data, seqno, key;  // key: the author's PublicKey protobuf, where it was sent along
  std::string_view topic;
};
using MessageIdFunction = std::function<MessageId(const MessageView&)>;
// The defaults of the stacks; under StrictNoSign only sha256 tells messages apart.
MessageId go_message_id(const MessageView& message);      // from ‖ seqno
MessageId rust_message_id(const MessageView& message);    // base58(from) ‖ decimal seqno
MessageId js_message_id(const MessageView& message);      // public key protobuf ‖ seqno
MessageId sha256_message_id(const MessageView& message);  // SHA-256(data)

// accept: delivered and forwarded. reject: neither, and whoever sent it is blamed. ignore: neither.
enum class Verdict { accept, reject, ignore };

// What we or a peer want of a topic's partial messages: to be sent parts rather than whole
// messages; to be asked for parts.
struct PartialUse {
  bool requests = false, supports = false;
  bool operator==(const PartialUse&) const = default;
};
// Parts of what all who speak of `group` are putting together, and what the sender has and wants.
// Both are the application's own; either may be empty.
struct PartialMessage {
  Topic topic;
  Bytes group, message, metadata;
};

}  // namespace kadmesh
