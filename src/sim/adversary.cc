#include "sim/adversary.h"

#include <algorithm>
#include <iterator>

#include "base/varint.h"
#include "kad/key.h"
#include "sim/luck.h"

namespace kadmesh {
namespace {

constexpr std::size_t kMostMessage = std::size_t{4} * 1024 * 1024;
// Nobody speaks it: what the adversary's own Kademlia is left with.
constexpr std::string_view kNoKad = "/adversary/kad/1.0.0";
constexpr std::uint32_t kRefused = 1;

NodeConfig without_voices(NodeConfig config) {
  config.kad.protocol = kNoKad;
  config.kad.mode = KadMode::client;
  config.kad.seeds.clear();
  config.gossip.protocols.clear();
  return config;
}

KadMessage answer_to(const KadMessage& request) {
  KadMessage answer;
  answer.type = request.type;
  answer.key = request.key;
  return answer;
}

}  // namespace

Adversary::Adversary(World& world, Script script)
    : Adversary(world, std::move(script), world.default_config(world.nodes())) {}

Adversary::Adversary(World& world, Script script, const NodeConfig& like,
                     const NodeOptions& options)
    : world_(world),
      script_(std::move(script)),
      kad_(like.kad.protocol),
      meshsub_(like.gossip.protocols),
      index_(world.add_listening(without_voices(like), options)) {
  world_.on_report_of(index_, [this](const Report& report) { on_report(report); });
  world_.command(index_, [&](Node& node, Turn turn) {
    if (!kad_.empty()) node.serve(turn, kad_);
    for (const std::string& protocol : meshsub_) node.serve(turn, protocol);
  });
}

KadPeer Adversary::self() const {
  return {identity().peer_id(), {world_.bare_addr(index_)}, Connectedness::can_connect};
}

void Adversary::connect(World::Index to) {
  world_.start(index_, [&](Node& node, Turn turn, Time deadline) {
    return node.connect(turn, world_.addr(to), deadline);
  });
}

std::set<PeerId> Adversary::connected() const {
  std::set<PeerId> peers;
  for (const ConnectionInfo& info : world_.node(index_).connections()) peers.insert(info.peer);
  return peers;
}

// --- what the node reports
void Adversary::on_report(const Report& report) {
  if (const auto* up = std::get_if<PeerConnected>(&report)) return open_pubsub(up->peer);
  if (const auto* gone = std::get_if<PeerDisconnected>(&report)) {
    pubsub_.erase(gone->peer);
    pubsub_peers_.erase(gone->peer);
  }
  if (const auto* in = std::get_if<StreamIncoming>(&report))
    inbound_.try_emplace(in->key,
                         Inbound{in->peer, in->protocol == kad_, FrameReader(kMostMessage)});
  if (const auto* done = std::get_if<OpDone>(&report); done && done->result)
    if (const auto* opened = std::get_if<StreamReport>(&*done->result)) on_opened(*opened);
  const auto* event = std::get_if<StreamEvent>(&report);
  if (!event) return;
  if (const auto* readable = std::get_if<StreamReadable>(event)) on_readable(readable->key);
  if (const auto* finished = std::get_if<StreamFinished>(event)) forget(finished->key);
  if (const auto* reset = std::get_if<StreamReset>(event)) inbound_.erase(reset->key);
}

void Adversary::open_pubsub(const PeerId& peer) {
  if (meshsub_.empty()) return;
  world_.start(index_, [&](Node& node, Turn turn, Time deadline) {
    return node.open_stream(turn, peer, meshsub_, deadline);
  });
}

void Adversary::on_opened(const StreamReport& stream) {
  if (stream.protocol == kad_) return;
  pubsub_.insert_or_assign(stream.peer, stream.key);
  pubsub_peers_.insert(stream.peer);
  if (script_.on_pubsub) script_.on_pubsub(*this, stream.peer);
}

void Adversary::on_readable(StreamKey key) {
  const Bytes bytes = to_bytes(world_.node(index_).readable(key));
  world_.command(index_, [&](Node& node, Turn turn) { node.consumed(turn, key, bytes.size()); });
  ByteView rest = bytes;
  for (auto at = inbound_.find(key); at != inbound_.end() && !rest.empty();
       at = inbound_.find(key)) {
    const auto message = at->second.frames.next(rest);
    if (!message) return forget(key);
    if (*message) take(key, at->second, **message);
  }
}

void Adversary::take(StreamKey key, Inbound& in, ByteView message) {
  const PeerId from = in.peer;
  if (!in.kad) {
    ++rpcs_;
    if (const auto rpc = gossip::decode_rpc(message); rpc && script_.on_rpc)
      script_.on_rpc(*this, from, *rpc);
    return;
  }
  ++requests_;
  const auto request = decode_kad(message, KadWireLimits{});
  if (!request || !script_.on_request) return;
  const std::optional<Bytes> answer = script_.on_request(*this, from, *request);
  if (!answer) return refuse(key);
  if (!answer->empty()) write(key, *answer);
}

void Adversary::refuse(StreamKey key) {
  inbound_.erase(key);
  world_.command(index_, [&](Node& node, Turn turn) { node.reset(turn, key, kRefused); });
}

void Adversary::forget(StreamKey key) {
  inbound_.erase(key);
  world_.command(index_, [&](Node& node, Turn turn) {
    node.finish(turn, key);
    node.release(turn, key);
  });
}

// --- what it says
void Adversary::write(StreamKey key, ByteView bytes) {
  world_.command(index_, [&](Node& node, Turn turn) { return node.write(turn, key, bytes); });
}

bool Adversary::say(const PeerId& to, const gossip::Rpc& rpc) {
  bool said = true;
  for (const Bytes& framed : gossip::encode_rpc(rpc)) said = say_raw(to, framed) && said;
  return said;
}

bool Adversary::say_raw(const PeerId& to, ByteView bytes) {
  const auto at = pubsub_.find(to);
  if (at == pubsub_.end()) return false;
  return world_.command(index_, [&](Node& node, Turn turn) {
    return node.write(turn, at->second, bytes) == bytes.size();
  });
}

std::optional<ConnectionInfo> Adversary::pubsub_connection(const PeerId& peer) const {
  const auto at = pubsub_.find(peer);
  if (at == pubsub_.end()) return std::nullopt;
  for (const ConnectionInfo& info : world_.node(index_).connections())
    if (info.id == at->second.conn) return info;
  return std::nullopt;
}

void Adversary::ask(const PeerId& to, Bytes framed) {
  world_.start(index_, [&](Node& node, Turn turn, Time deadline) {
    return node.open_stream(turn, to, {kad_}, deadline, std::move(framed));
  });
}

std::vector<KadPeer> Directory::nearest(ByteView key, std::size_t count) const {
  const KadId target = KadId::of(key);
  std::vector<std::pair<Distance, World::Index>> all;
  for (const Entry& entry : entries_)
    if (world_.up(entry.node)) all.emplace_back(distance(entry.id, target), entry.node);
  const std::size_t most = std::min(count, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most));
  std::vector<KadPeer> out;
  for (const auto& [away, node] : std::span(all).first(most))
    out.push_back({world_.peer(node), {world_.bare_addr(node)}, Connectedness::can_connect});
  return out;
}

namespace adversary {

OnRequest silence() {
  return [](Adversary&, const PeerId&, const KadMessage&) { return Bytes(); };
}

OnRequest refusal() {
  return [](Adversary&, const PeerId&, const KadMessage&) { return std::nullopt; };
}

OnRequest deceit(std::shared_ptr<const Directory> names, std::size_t k) {
  return [names = std::move(names), k](Adversary&, const PeerId&, const KadMessage& request) {
    KadMessage answer = answer_to(request);
    // An ADD_PROVIDER has no answer (libp2p specs, kad-dht/README.md, "RPC messages").
    if (request.type == KadType::add_provider) return Bytes();
    if (request.type == KadType::put_value)
      answer.record = request.record;
    else if (request.type != KadType::ping)
      answer.closer = names->nearest(request.key, k);
    return frame(encode_answer(answer));
  };
}

OnRequest answer_with(std::vector<KadPeer> closer) {
  return [closer = std::move(closer)](Adversary&, const PeerId&, const KadMessage& request) {
    KadMessage answer = answer_to(request);
    answer.closer = closer;
    return frame(encode_answer(answer));
  };
}

OnRequest forge_value(Bytes value) {
  return [value = std::move(value)](Adversary&, const PeerId&, const KadMessage& request) {
    KadMessage answer = answer_to(request);
    if (request.type == KadType::get_value) answer.record = KadRecord{request.key, value, {}};
    return frame(encode_answer(answer));
  };
}

OnRequest oversize() {
  return [](Adversary&, const PeerId&, const KadMessage&) {
    Bytes out;
    put_varint(out, 2 * kMostMessage);
    out.resize(out.size() + 64 * 1024, 0x41);
    return out;
  };
}

OnRequest garbage() {
  return [](Adversary&, const PeerId&, const KadMessage& request) {
    return frame(Bytes(200, static_cast<std::uint8_t>(0x80 | request.key.size())));
  };
}

namespace {

KeyPair drawn_id(std::uint64_t seed, std::size_t number) {
  Rng luck(derived_key(seed, "sybil", number));
  return KeyPair::make(luck);
}

}  // namespace

std::vector<KeyPair> ids_near(std::uint64_t seed, ByteView key, std::size_t count,
                              std::size_t tries) {
  const KadId target = KadId::of(key);
  std::map<Distance, KeyPair> nearest;
  for (std::size_t i = 0; i < tries; ++i) {
    KeyPair drawn = drawn_id(seed, i);
    const Distance away = distance(KadId::of(drawn.peer_id()), target);
    nearest.emplace(away, std::move(drawn));
    if (nearest.size() > count) nearest.erase(std::prev(nearest.end()));
  }
  std::vector<KeyPair> out;
  out.reserve(nearest.size());
  for (auto& [away, drawn] : nearest) out.push_back(std::move(drawn));
  return out;
}

std::vector<KeyPair> ids_around(std::uint64_t seed, const KadId& victim, std::size_t count,
                                std::size_t of_bucket, std::size_t tries) {
  std::map<unsigned, std::vector<KeyPair>, std::greater<>> buckets;
  std::vector<KeyPair> others;
  for (std::size_t i = 0; i < tries; ++i) {
    KeyPair drawn = drawn_id(seed, i);
    std::vector<KeyPair>& bucket = buckets[common_prefix(KadId::of(drawn.peer_id()), victim)];
    std::vector<KeyPair>& into = bucket.size() < of_bucket ? bucket : others;
    if (into.size() < count) into.push_back(std::move(drawn));
  }
  std::vector<KeyPair> out;
  for (auto& [prefix, bucket] : buckets) std::ranges::move(bucket, std::back_inserter(out));
  std::ranges::move(others, std::back_inserter(out));
  if (out.size() > count) out.erase(out.begin() + static_cast<std::ptrdiff_t>(count), out.end());
  return out;
}

}  // namespace adversary

}  // namespace kadmesh
