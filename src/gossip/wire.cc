#include "gossip/wire.h"

#include <algorithm>
#include <array>
#include <iterator>

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

}  // namespace kadmesh::gossip
