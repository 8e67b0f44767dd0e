#include "gossip/signed_message.h"

#include "base/framing.h"
#include "base/proto_scan.h"
#include "base/signature_memo.h"
#include "base/varint.h"
#include "gossip/params.h"

namespace kadmesh::gossip {
namespace {

constexpr std::string_view kSignaturePrefix = "libp2p-pubsub:";
enum MessageField : std::uint32_t { kFrom = 1, kData, kSeqno, kTopic, kSignature, kKey };
constexpr std::size_t kSeqnoSize = 8;

Bytes signed_bytes(ByteView unsigned_message) {
  Bytes out = to_bytes(as_bytes(kSignaturePrefix));
  append(out, unsigned_message);
  return out;
}

void put_field(Bytes& out, std::uint32_t number, ByteView body) {
  out.push_back(static_cast<std::uint8_t>(number << 3 | 2));
  put_frame(out, body);
}

Bytes unsigned_form(const GossipMessage& message) {
  Bytes out;
  if (message.from) put_field(out, kFrom, message.from->bytes());
  put_field(out, kData, message.data);
  if (!message.seqno.empty()) put_field(out, kSeqno, message.seqno);
  put_field(out, kTopic, as_bytes(message.topic));
  return out;
}

// As every encoder writes a known field: tag and length as short as they can be.
bool shortest(const ProtoField& field) {
  return field.whole.size() == 1 + varint_size(field.body.size()) + field.body.size();
}

// What the author of a message that has been decoded has signed.
Result<Bytes> signed_part(ByteView encoded) {
  Bytes out = to_bytes(as_bytes(kSignaturePrefix));
  out.reserve(out.size() + encoded.size());
  std::uint32_t last = 0;
  while (!encoded.empty()) {
    const ProtoField field = *take_field(encoded);
    if (field.number == kKey && field.body.empty())
      return fail(Errc::protocol, "gossip: a key that is empty");
    if (field.number == kSignature || field.number == kKey) continue;
    if (field.number <= kTopic && (field.number <= last || !shortest(field)))
      return fail(Errc::protocol, "gossip: a message in a form that nobody else would verify");
    last = field.number;
    append(out, field.whole);
  }
  return out;
}

Result<void> take_author(SignedMessage& message, ByteView from) {
  if (from.empty()) return {};
  ASSIGN_OR_RETURN(message.from, PeerId::from_bytes(from));
  return {};
}

Result<void> take(SignedMessage& message, const ProtoField& field) {
  if (field.number > kKey) return {};
  if (!field.is_bytes) return fail(Errc::malformed, "gossip: a field of a message is no bytes");
  switch (field.number) {
    case kFrom:
      return take_author(message, field.body);
    case kData:
      message.data = field.body;
      break;
    case kSeqno:
      message.seqno = field.body;
      break;
    case kTopic:
      message.topic = as_text(field.body);
      break;
    case kSignature:
      message.signature = field.body;
      break;
    case kKey:
      message.key = field.body;
      break;
    default:
      break;
  }
  return {};
}

Result<PublicKey> author_key(const SignedMessage& message) {
  if (message.key.empty()) return key_of(*message.from);
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::from_proto(message.key));
  if (key.peer_id() != *message.from)
    return fail(Errc::auth, "gossip: the key is not the author's");
  return key;
}

Result<void> check_strict_sign(const SignedMessage& message) {
  if (!message.from || message.signature.empty())
    return fail(Errc::protocol, "gossip: an unsigned message where signatures are demanded");
  if (message.seqno.size() != kSeqnoSize)
    return fail(Errc::protocol, "gossip: a sequence number that is not 8 bytes");
  ASSIGN_OR_RETURN(const Bytes statement, signed_part(message.encoded));
  ASSIGN_OR_RETURN(const PublicKey key, author_key(message));
  if (!key.verify(statement, message.signature))
    return fail(Errc::auth, "gossip: a signature that does not verify");
  return {};
}

}  // namespace

Result<SignedMessage> decode_message(ByteView encoded) {
  SignedMessage message;
  message.encoded = encoded;
  std::size_t fields = 0;
  while (!encoded.empty()) {
    if (++fields > kMostMessageFields) return fail(Errc::limit, "gossip: fields in a message");
    ASSIGN_OR_RETURN(const ProtoField field, take_field(encoded));
    RETURN_IF_ERROR(take(message, field));
  }
  if (message.topic.empty() || message.topic.size() > kMostTopicName)
    return fail(Errc::malformed, "gossip: a message without a topic");
  return message;
}

std::uint64_t seqno_value(ByteView seqno) {
  std::uint64_t value = 0;
  if (seqno.size() == kSeqnoSize)
    for (const std::uint8_t byte : seqno) value = value << 8 | byte;
  return value;
}

GossipMessage owned(const MessageView& message) {
  return {message.from, to_bytes(message.data), to_bytes(message.seqno), Topic(message.topic)};
}

Bytes encode_message(const GossipMessage& message, const KeyPair* author) {
  Bytes out = unsigned_form(message);
  if (!author) return out;
  put_field(out, kSignature, author->sign(signed_bytes(out)));
  if (author->peer_id().inlined_key().empty()) put_field(out, kKey, author->public_key().proto());
  return out;
}

Result<void> check_signature(const SignedMessage& message, SignaturePolicy policy,
                             SignatureMemo* memo) {
  if (policy == SignaturePolicy::strict_sign)
    return verify_once(memo, "gossip", message.encoded, [&] { return check_strict_sign(message); });
  if (message.from || !message.signature.empty() || !message.key.empty() || !message.seqno.empty())
    return fail(Errc::protocol, "gossip: an author where messages are anonymous");
  return {};
}

}  // namespace kadmesh::gossip
