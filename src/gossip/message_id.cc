#include "base/crypto.h"
#include "gossip/signed_message.h"

namespace kadmesh {
namespace {

// The key inside the author's id, or the one beside it: js sends both.
ByteView key_of_author(const MessageView& message) {
  const ByteView inlined = message.from ? message.from->inlined_key() : ByteView();
  return inlined.empty() ? message.key : inlined;
}

}  // namespace

MessageId go_message_id(const MessageView& message) {
  const ByteView from = message.from ? message.from->bytes() : ByteView();
  MessageId id;
  id.reserve(from.size() + message.seqno.size());
  append(id, from);
  append(id, message.seqno);
  return id;
}

MessageId rust_message_id(const MessageView& message) {
  // rust writes a message without an author as one of the id 00 01 00.
  std::string id = message.from ? message.from->text() : std::string("15R");
  return to_bytes(as_bytes(id += std::to_string(gossip::seqno_value(message.seqno))));
}

MessageId js_message_id(const MessageView& message) {
  MessageId id = to_bytes(key_of_author(message));
  append(id, message.seqno);
  return id;
}

MessageId sha256_message_id(const MessageView& message) {
  const Sha256 digest = sha256(message.data);
  return {digest.begin(), digest.end()};
}

}  // namespace kadmesh
