// Covers: src/gossip/wire.cc src/gossip/signed_message.cc
#include "base/check.h"
#include "base/framing.h"
#include "gossip/params.h"
#include "gossip/signed_message.h"
#include "gossip/wire.h"

using namespace kadmesh;
using namespace kadmesh::gossip;

namespace {

// What the RPC holds, for comparison: all ids and names in order, whatever parts they came in.
struct Flat {
  std::vector<std::pair<bool, Topic>> subscriptions;
  std::vector<std::pair<Topic, MessageId>> ihave;
  std::vector<MessageId> iwant;
  std::vector<Topic> graft;
  std::vector<std::pair<Topic, std::optional<std::uint64_t>>> prune;
  std::vector<Bytes> publish;

  friend bool operator==(const Flat&, const Flat&) = default;
};

void add(Flat& flat, const Rpc& rpc) {
  for (const SubOpts& s : rpc.subscriptions) flat.subscriptions.emplace_back(s.subscribe, s.topic);
  for (const IHave& have : rpc.ihave)
    for (const MessageId& id : have.ids) flat.ihave.emplace_back(have.topic, id);
  for (const MessageId& id : rpc.iwant) flat.iwant.push_back(id);
  for (const Topic& topic : rpc.graft) flat.graft.push_back(topic);
  for (const Prune& p : rpc.prune) flat.prune.emplace_back(p.topic, p.backoff);
  for (const ByteView message : rpc.publish) flat.publish.push_back(to_bytes(message));
}

bool usable(std::string_view topic) { return !topic.empty() && topic.size() <= kMostTopicName; }

void check_bounds(const Flat& flat) {
  KAD_CHECK(flat.subscriptions.size() <= kMostSubOpts);
  KAD_CHECK(flat.publish.size() <= kMostPublishes);
  KAD_CHECK(flat.ihave.size() + flat.iwant.size() + flat.graft.size() + flat.prune.size() <=
            kMostElements);
  for (const auto& [subscribe, topic] : flat.subscriptions) KAD_CHECK(usable(topic));
  for (const Topic& topic : flat.graft) KAD_CHECK(usable(topic));
  for (const auto& [topic, backoff] : flat.prune) KAD_CHECK(usable(topic));
  for (const MessageId& id : flat.iwant) KAD_CHECK(id.size() <= kMostIdSize);
  for (const auto& [topic, id] : flat.ihave) KAD_CHECK(usable(topic) && id.size() <= kMostIdSize);
}

// Through our encoder and back nothing changes, and no frame is more than peers take.
void round_trip(const Rpc& rpc, const Flat& wanted) {
  Flat again;
  for (const Bytes& framed : encode_rpc(rpc)) {
    ByteView in(framed);
    FrameReader reader(kMostRpc);
    const Bytes body = reader.next(in).value().value();
    KAD_CHECK(in.empty());
    const auto part = decode_rpc(body);
    KAD_CHECK(part.has_value());
    if (part->publish.empty()) KAD_CHECK(framed.size() <= 16 * 1024);
    add(again, *part);
  }
  KAD_CHECK(again == wanted);
}

void read_message(ByteView bytes) {
  const auto message = decode_message(bytes);
  if (!message) return;
  KAD_CHECK(usable(message->topic));
  KAD_CHECK(message->data.size() <= bytes.size() && message->seqno.size() <= bytes.size());
  (void)check_signature(*message, SignaturePolicy::strict_sign);
  const bool anonymous = check_signature(*message, SignaturePolicy::strict_no_sign).has_value();
  const GossipMessage copy = owned(*message);
  const Bytes encoded = encode_message(copy, nullptr);
  const auto again = decode_message(encoded);
  KAD_CHECK(again.has_value());
  KAD_CHECK(again->from == message->from && again->topic == message->topic);
  KAD_CHECK(equal(again->data, message->data) && equal(again->seqno, message->seqno));
  if (anonymous) KAD_CHECK(check_signature(*again, SignaturePolicy::strict_no_sign).has_value());
  for (const auto function : {go_message_id, rust_message_id, js_message_id, sha256_message_id})
    (void)function(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  read_message(bytes);
  const auto rpc = decode_rpc(bytes);
  if (!rpc) return 0;
  Flat flat;
  add(flat, *rpc);
  check_bounds(flat);
  for (const ByteView message : rpc->publish) read_message(message);
  round_trip(*rpc, flat);
  return 0;
}
