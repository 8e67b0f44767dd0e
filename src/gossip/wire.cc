#include "gossip/wire.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "base/check.h"
#include "base/framing.h"
#include "base/proto_scan.h"
#include "base/varint.h"
#include "gossip.pb.h"
#include "gossip/params.h"

namespace kadmesh::gossip {
namespace {

constexpr std::uint32_t kPublish = 2;
constexpr std::uint8_t kPublishTag = kPublish << 3 | 2;

// --- bounds, before decoding
constexpr std::array<FieldShape, 1> kIWantFields{{{1, kMostIds, nullptr}}};
constexpr std::array<FieldShape, 1> kIHaveFields{{{2, kMostIds, nullptr}}};
constexpr MessageShape kIWantShape{kIWantFields}, kIHaveShape{kIHaveFields}, kLeafShape{};
constexpr std::array<FieldShape, 1> kPruneFields{{{2, kMostExchanged, &kLeafShape}}};
constexpr MessageShape kPruneShape{kPruneFields};
constexpr std::array<FieldShape, 6> kControlFields{{{1, kMostControls, &kIHaveShape},
                                                    {2, kMostControls, &kIWantShape},
                                                    {3, kMostControls, &kLeafShape},
                                                    {4, kMostControls, &kPruneShape},
                                                    {5, kMostControls, &kIWantShape},
                                                    {6, 1, &kLeafShape}}};
constexpr MessageShape kControlShape{kControlFields};
constexpr std::array<FieldShape, 4> kRpcFields{{{1, kMostSubOpts, &kLeafShape},
                                                {2, kMostPublishes, nullptr},
                                                {3, kMostControls, &kControlShape},
                                                {10, 1, &kLeafShape}}};
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

std::vector<MessageId> all_ids(const auto& lists) {
  std::vector<MessageId> out;
  for (const auto& list : lists) std::ranges::move(ids(list.ids()), std::back_inserter(out));
  return out;
}

Prune read_prune(const pb::GossipControl::Prune& from) {
  Prune prune{from.topic(), from.has_backoff() ? std::optional(from.backoff()) : std::nullopt};
  for (const auto& info : from.peers())
    if (auto peer = PeerId::from_bytes(as_bytes(info.peer())))
      prune.peers.push_back({*std::move(peer), bytes(info.signed_record())});
  return prune;
}

Extensions read_extensions(const std::string& encoded) {
  pb::GossipExtensions said;
  return {said.ParseFromString(encoded) && said.partial_messages()};
}

void take_control(Rpc& rpc, const pb::GossipControl& control) {
  for (const auto& have : control.ihave())
    if (usable(have.topic())) rpc.ihave.push_back({have.topic(), ids(have.ids())});
  rpc.iwant = all_ids(control.iwant());
  for (const auto& graft : control.graft())
    if (usable(graft.topic())) rpc.graft.push_back(graft.topic());
  for (const auto& prune : control.prune())
    if (usable(prune.topic())) rpc.prune.push_back(read_prune(prune));
  rpc.idontwant = all_ids(control.idontwant());
  if (control.has_extensions()) rpc.extensions = read_extensions(control.extensions());
}

std::optional<PartialMessage> read_partial(const pb::GossipPartial& from) {
  if (!usable(from.topic()) || from.group().empty() || from.group().size() > kMostGroupName)
    return std::nullopt;
  return PartialMessage{from.topic(), bytes(from.group()), bytes(from.message()),
                        bytes(from.metadata())};
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
  // Of a frame of its own, whatever its size.
  pb::GossipRpc& fresh() {
    cut();
    return room(kMostControlOut);
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
  std::size_t size = prune.topic.size();
  for (const Exchanged& other : prune.peers)
    size += other.peer.bytes().size() + other.record.size();
  auto* out = batch.room(size).mutable_control()->add_prune();
  out->set_topic(prune.topic);
  if (prune.backoff) out->set_backoff(*prune.backoff);
  for (const Exchanged& other : prune.peers) {
    auto* info = out->add_peers();
    info->set_peer(text(other.peer.bytes()));
    if (!other.record.empty()) info->set_signed_record(text(other.record));
  }
}

void add_subscription(Batch& batch, const SubOpts& change) {
  auto* out = batch.room(change.topic.size()).add_subscriptions();
  out->set_subscribe(change.subscribe);
  out->set_topic(change.topic);
  if (change.partial.requests) out->set_requests_partial(true);
  if (change.partial.supports) out->set_supports_partial(true);
}

// go reads no more ids of one RPC.
void add_idontwant(Batch& batch, std::span<const MessageId> ids) {
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), kMostDontWantIds))) {
    auto* out = batch.fresh().mutable_control()->add_idontwant();
    for (const MessageId& id : ids.first(std::min(ids.size(), kMostDontWantIds)))
      out->add_ids(id.data(), id.size());
  }
}

void add_extensions(Batch& batch, const Extensions& ours) {
  pb::GossipExtensions out;
  out.set_partial_messages(ours.partial_messages);
  batch.room(0).mutable_control()->set_extensions(out.SerializeAsString());
}

void add_partial(Batch& batch, const PartialMessage& partial) {
  auto* out = batch.fresh().mutable_partial();
  out->set_topic(partial.topic);
  out->set_group(text(partial.group));
  if (!partial.message.empty()) out->set_message(text(partial.message));
  if (!partial.metadata.empty()) out->set_metadata(text(partial.metadata));
}

// Everything of an RPC but its messages.
Result<void> take_rest(Rpc& rpc, ByteView encoded) {
  pb::GossipRpc received;
  if (!received.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())))
    return fail(Errc::malformed, "gossip: not an RPC");
  for (const auto& change : received.subscriptions())
    if (usable(change.topic()))
      rpc.subscriptions.push_back({change.subscribe(),
                                   change.topic(),
                                   {change.requests_partial(), change.supports_partial()}});
  take_control(rpc, received.control());
  rpc.partial = read_partial(received.partial());
  return {};
}

}  // namespace

bool Rpc::empty() const {
  return subscriptions.empty() && publish.empty() && ihave.empty() && iwant.empty() &&
         graft.empty() && prune.empty() && idontwant.empty() && !extensions && !partial;
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
    // First of all: extensions are in the first RPC of a stream, or nowhere.
    if (rpc.extensions) add_extensions(batch, *rpc.extensions);
    for (const SubOpts& change : rpc.subscriptions) add_subscription(batch, change);
    for (const Topic& topic : rpc.graft)
      batch.room(topic.size()).mutable_control()->add_graft()->set_topic(topic);
    for (const Prune& prune : rpc.prune) add_prune(batch, prune);
    for (const IHave& have : rpc.ihave) add_ihave(batch, have);
    add_iwant(batch, rpc.iwant);
    add_idontwant(batch, rpc.idontwant);
    if (rpc.partial) add_partial(batch, *rpc.partial);
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

Bytes idontwant_frame(const MessageId& id) {
  constexpr std::uint8_t kControlTag = 3 << 3 | 2, kDontWantTag = 5 << 3 | 2, kIdTag = 1 << 3 | 2;
  const std::size_t ids = 1 + varint_size(id.size()) + id.size();
  const std::size_t control = 1 + varint_size(ids) + ids;
  const std::size_t body = 1 + varint_size(control) + control;
  Bytes out;
  out.reserve(varint_size(body) + body);
  put_varint(out, body);
  out.push_back(kControlTag);
  put_varint(out, control);
  out.push_back(kDontWantTag);
  put_varint(out, ids);
  out.push_back(kIdTag);
  put_frame(out, id);
  return out;
}

ByteView rpc_in(ByteView frame) {
  const auto length = get_varint(frame);
  KAD_CHECK(length && *length);
  return frame.subspan((*length)->size);
}

ByteView message_in(ByteView frame) {
  const auto message = only_message(rpc_in(frame));
  KAD_CHECK(message.has_value());
  return *message;
}

}  // namespace kadmesh::gossip
