#include "gossip/wire.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/framing.h"
#include "base/proto_scan.h"
#include "base/signature_memo.h"
#include "base/varint.h"
#include "gossip.pb.h"
#include "gossip/params.h"

namespace kadmesh::gossip {
namespace {

constexpr std::string_view kSignaturePrefix = "libp2p-pubsub:";
constexpr std::uint32_t kPublish = 2;
constexpr std::uint8_t kPublishTag = kPublish << 3 | 2;
enum MessageField : std::uint32_t { kFrom = 1, kData, kSeqno, kTopic, kSignature, kKey };
constexpr std::size_t kSeqnoSize = 8;

// --- bounds, before decoding
constexpr std::array<FieldShape, 1> kIWantFields{{{1, kMostIds, nullptr}}};
constexpr std::array<FieldShape, 1> kIHaveFields{{{2, kMostIds, nullptr}}};
constexpr MessageShape kIWantShape{kIWantFields}, kIHaveShape{kIHaveFields}, kLeafShape{};
constexpr std::array<FieldShape, 5> kControlFields{{{1, kMostControls, &kIHaveShape},
                                                    {2, kMostControls, &kIWantShape},
                                                    {3, kMostControls, &kLeafShape},
                                                    {4, kMostControls, &kLeafShape},
                                                    {5, kMostControls, &kIWantShape}}};
constexpr MessageShape kControlShape{kControlFields};
constexpr std::array<FieldShape, 3> kRpcFields{{{1, kMostSubOpts, &kLeafShape},
                                                {2, kMostPublishes, nullptr},
                                                {3, kMostControls, &kControlShape}}};
constexpr MessageShape kRpcShape{kRpcFields};

Bytes bytes(const std::string& text) { return to_bytes(as_bytes(text)); }
std::string text(ByteView view) { return std::string(as_text(view)); }

bool usable(std::string_view topic) { return !topic.empty() && topic.size() <= kMostTopicName; }

std::vector<MessageId> ids(const auto& repeated) {
  std::vector<MessageId> out;
  out.reserve(static_cast<std::size_t>(repeated.size()));
  for (const std::string& id : repeated)
    if (id.size() <= kMostIdSize) out.push_back(bytes(id));
  return out;
}

void take_control(Rpc& rpc, const pb::GossipControl& control) {
  for (const auto& have : control.ihave())
    if (usable(have.topic())) rpc.ihave.push_back({have.topic(), ids(have.ids())});
  for (const auto& want : control.iwant()) {
    auto wanted = ids(want.ids());
    std::ranges::move(wanted, std::back_inserter(rpc.iwant));
  }
  for (const auto& graft : control.graft())
    if (usable(graft.topic())) rpc.graft.push_back(graft.topic());
  for (const auto& prune : control.prune())
    if (usable(prune.topic()))
      rpc.prune.push_back(
          {prune.topic(), prune.has_backoff() ? std::optional(prune.backoff()) : std::nullopt});
}

// --- encoding
// Collects control and subscriptions, and cuts a frame whenever one is full.
class Batch {
 public:
  explicit Batch(std::vector<Bytes>& frames) : frames_(frames) {}
  ~Batch() { cut(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Makes room for about `size` bytes more.
  pb::GossipRpc& room(std::size_t size) {
    constexpr std::size_t kOverhead = 12;  // tags and lengths of one element and its parents
    if (size_ > 0 && size_ + size + kOverhead > kMostControlOut) cut();
    size_ += size + kOverhead;
    return rpc_;
  }

 private:
  void cut() {
    if (size_ == 0) return;
    const std::string encoded = rpc_.SerializeAsString();
    frames_.push_back(frame(as_bytes(encoded)));
    rpc_.Clear();
    size_ = 0;
  }

  std::vector<Bytes>& frames_;
  pb::GossipRpc rpc_;
  std::size_t size_ = 0;
};

// Calls `add` with runs of ids, each of which fills a frame; a run's `size` is what it adds to one.
void in_chunks(const std::vector<MessageId>& ids, std::size_t beside, auto&& add) {
  constexpr std::size_t kPerId = 3;  // tag and length
  std::vector<const MessageId*> chunk;
  std::size_t size = beside;
  for (const MessageId& id : ids) {
    if (id.size() > kMostIdSize) continue;
    if (!chunk.empty() && size + id.size() + kPerId > kMostControlOut) {
      add(chunk, size);
      chunk.clear();
      size = beside;
    }
    chunk.push_back(&id);
    size += id.size() + kPerId;
  }
  if (!chunk.empty()) add(chunk, size);
}

void add_ihave(Batch& batch, const IHave& have) {
  in_chunks(have.ids, have.topic.size(), [&](const auto& chunk, std::size_t size) {
    auto* out = batch.room(size).mutable_control()->add_ihave();
    out->set_topic(have.topic);
    for (const MessageId* id : chunk) out->add_ids(id->data(), id->size());
  });
}

void add_iwant(Batch& batch, const std::vector<MessageId>& wanted) {
  in_chunks(wanted, 0, [&](const auto& chunk, std::size_t size) {
    auto* out = batch.room(size).mutable_control()->add_iwant();
    for (const MessageId* id : chunk) out->add_ids(id->data(), id->size());
  });
}

void add_prune(Batch& batch, const Prune& prune) {
  auto* out = batch.room(prune.topic.size()).mutable_control()->add_prune();
  out->set_topic(prune.topic);
  if (prune.backoff) out->set_backoff(*prune.backoff);
}

void add_subscription(Batch& batch, const SubOpts& change) {
  auto* out = batch.room(change.topic.size()).add_subscriptions();
  out->set_subscribe(change.subscribe);
  out->set_topic(change.topic);
}

Bytes signed_bytes(ByteView unsigned_message) {
  Bytes out = to_bytes(as_bytes(kSignaturePrefix));
  append(out, unsigned_message);
  return out;
}

pb::GossipMessage unsigned_form(const GossipMessage& message) {
  pb::GossipMessage out;
  if (message.from) out.set_from(text(message.from->bytes()));
  out.set_data(text(message.data));
  if (!message.seqno.empty()) out.set_seqno(text(message.seqno));
  out.set_topic(message.topic);
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

// Everything of an RPC but its messages.
Result<void> take_rest(Rpc& rpc, ByteView encoded) {
  pb::GossipRpc received;
  if (!received.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())))
    return fail(Errc::malformed, "gossip: not an RPC");
  for (const auto& change : received.subscriptions())
    if (usable(change.topic())) rpc.subscriptions.push_back({change.subscribe(), change.topic()});
  take_control(rpc, received.control());
  return {};
}

}  // namespace

bool Rpc::empty() const {
  return subscriptions.empty() && publish.empty() && ihave.empty() && iwant.empty() &&
         graft.empty() && prune.empty();
}

Result<Rpc> decode_rpc(ByteView encoded) {
  RETURN_IF_ERROR(scan_message(encoded, kRpcShape, {kMostRpc, kMostElements}));
  Rpc rpc;
  Bytes rest;
  while (!encoded.empty()) {
    ASSIGN_OR_RETURN(const ProtoField field, take_field(encoded));
    if (field.number == kPublish && field.is_bytes)
      rpc.publish.push_back(field.body);
    else
      append(rest, field.whole);
  }
  if (!rest.empty()) RETURN_IF_ERROR(take_rest(rpc, rest));
  return rpc;
}

std::optional<ByteView> only_message(ByteView rpc) {
  if (rpc.size() > kMostRpc || rpc.empty() || rpc.front() != kPublishTag) return std::nullopt;
  const auto field = take_field(rpc);
  if (!field || !rpc.empty()) return std::nullopt;
  return field->body;
}

std::vector<Bytes> encode_rpc(const Rpc& rpc) {
  std::vector<Bytes> frames;
  {
    Batch batch(frames);
    for (const SubOpts& change : rpc.subscriptions) add_subscription(batch, change);
    for (const Topic& topic : rpc.graft)
      batch.room(topic.size()).mutable_control()->add_graft()->set_topic(topic);
    for (const Prune& prune : rpc.prune) add_prune(batch, prune);
    for (const IHave& have : rpc.ihave) add_ihave(batch, have);
    add_iwant(batch, rpc.iwant);
  }
  for (const ByteView message : rpc.publish) frames.push_back(message_frame(message));
  return frames;
}

Bytes message_frame(ByteView message) {
  Bytes out;
  const std::size_t body = 1 + varint_size(message.size()) + message.size();
  out.reserve(varint_size(body) + body);
  put_varint(out, body);
  out.push_back(kPublishTag);
  put_frame(out, message);
  return out;
}

Result<SignedMessage> decode_message(ByteView encoded) {
  SignedMessage message;
  message.encoded = encoded;
  std::size_t fields = 0;
  while (!encoded.empty()) {
    if (++fields > kMostMessageFields) return fail(Errc::limit, "gossip: fields in a message");
    ASSIGN_OR_RETURN(const ProtoField field, take_field(encoded));
    RETURN_IF_ERROR(take(message, field));
  }
  if (!usable(message.topic)) return fail(Errc::malformed, "gossip: a message without a topic");
  return message;
}

GossipMessage owned(const MessageView& message) {
  return {message.from, to_bytes(message.data), to_bytes(message.seqno), Topic(message.topic)};
}

Bytes encode_message(const GossipMessage& message, const KeyPair* author) {
  pb::GossipMessage out = unsigned_form(message);
  if (author) {
    const std::string form = out.SerializeAsString();
    out.set_signature(text(author->sign(signed_bytes(as_bytes(form)))));
    if (author->peer_id().inlined_key().empty()) out.set_key(text(author->public_key().proto()));
  }
  const std::string encoded = out.SerializeAsString();
  return to_bytes(as_bytes(encoded));
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
