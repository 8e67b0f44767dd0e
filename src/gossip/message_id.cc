#include "base/crypto.h"
#include "gossip/gossip.h"

namespace kadmesh {
namespace {

// Big endian; 0 for what is not 8 bytes long.
std::uint64_t seqno_value(const Bytes& seqno) {
  std::uint64_t value = 0;
  if (seqno.size() == 8)
    for (const std::uint8_t byte : seqno) value = value << 8 | byte;
  return value;
}

}  // namespace

MessageId go_message_id(const GossipMessage& message) {
  MessageId id = message.from ? to_bytes(message.from->bytes()) : MessageId{};
  append(id, message.seqno);
  return id;
}

MessageId rust_message_id(const GossipMessage& message) {
  std::string id = message.from ? message.from->text() : std::string();
  return to_bytes(as_bytes(id += std::to_string(seqno_value(message.seqno))));
}

MessageId js_message_id(const GossipMessage& message) {
  MessageId id = message.from ? to_bytes(message.from->inlined_key()) : MessageId{};
  append(id, message.seqno);
  return id;
}

MessageId sha256_message_id(const GossipMessage& message) {
  const Sha256 digest = sha256(message.data);
  return {digest.begin(), digest.end()};
}

}  // namespace kadmesh
