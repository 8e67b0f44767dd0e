#include "kad/wire.h"

#include <algorithm>

#include "base/framing.h"
#include "base/proto_scan.h"
#include "kad.pb.h"

namespace kadmesh {
namespace {

// --- what is counted before decoding
constexpr FieldShape kRecordFields[] = {{1, 1}, {2, 1}, {5, 1}};
constexpr MessageShape kRecordShape{kRecordFields};
constexpr FieldShape kPeerFields[] = {{1, 1}, {2, kMostAddrsOnWire}, {3, 1}};
constexpr MessageShape kPeerShape{kPeerFields};
constexpr FieldShape kMessageFields[] = {{1, 1},
                                         {2, 1},
                                         {3, 1, &kRecordShape},
                                         {8, kMostPeersOnWire, &kPeerShape},
                                         {9, kMostPeersOnWire, &kPeerShape}};
constexpr MessageShape kMessageShape{kMessageFields};

Result<void> scan(ByteView bytes, std::size_t most_bytes) {
  return scan_message(bytes, kMessageShape, {most_bytes, kMostFieldsOnWire});
}

// --- reading
Bytes bytes_of(const std::string& text) { return to_bytes(as_bytes(text)); }

std::optional<Multiaddr> read_addr(const std::string& bytes, const PeerId& of) {
  if (bytes.size() > kMostAddrSize) return std::nullopt;
  const auto addr = Multiaddr::from_bytes(as_bytes(bytes));
  if (!addr) return std::nullopt;
  const auto names = addr->peer();
  if (names && *names != of) return std::nullopt;
  return addr->without_peer();
}

std::optional<KadPeer> read_peer(const pb::KadPeer& from) {
  const auto id = PeerId::from_bytes(as_bytes(from.id()));
  if (!id) return std::nullopt;
  KadPeer peer{*id, {}, Connectedness::not_connected};
  for (const std::string& bytes : from.addrs()) {
    if (peer.addrs.size() >= kMostAddrs) break;
    if (auto addr = read_addr(bytes, *id)) peer.addrs.push_back(*std::move(addr));
  }
  if (from.connection() >= 0 && from.connection() <= 3)
    peer.connection = static_cast<Connectedness>(from.connection());
  return peer;
}

template <class List>
std::vector<KadPeer> read_peers(const List& from, std::size_t most) {
  std::vector<KadPeer> peers;
  for (const pb::KadPeer& entry : from) {
    if (peers.size() >= most) break;
    if (auto peer = read_peer(entry)) peers.push_back(*std::move(peer));
  }
  return peers;
}

KadRecord read_record(const pb::KadRecord& from) {
  KadRecord record{bytes_of(from.key()), bytes_of(from.value()), bytes_of(from.time_received())};
  if (from.ttl() > 0) record.ttl = from.ttl();
  return record;
}

// --- writing
void write(std::string& to, ByteView bytes) { to.assign(as_text(bytes)); }

pb::KadPeer written(const KadPeer& peer) {
  pb::KadPeer out;
  write(*out.mutable_id(), peer.id.bytes());
  for (const Multiaddr& addr : peer.addrs) {
    if (static_cast<std::size_t>(out.addrs_size()) >= kMostAddrsHandedOut) break;
    if (addr.bytes().size() <= kMostAddrSize) write(*out.add_addrs(), addr.bytes());
  }
  out.set_connection(static_cast<std::int32_t>(peer.connection));
  return out;
}

// All but the peers.
pb::KadMessage written_frame(const KadMessage& message) {
  pb::KadMessage out;
  out.set_type(static_cast<std::int32_t>(message.type));
  if (!message.key.empty()) write(*out.mutable_key(), message.key);
  if (!message.record) return out;
  auto& record = *out.mutable_record();
  write(*record.mutable_key(), message.record->key);
  write(*record.mutable_value(), message.record->value);
  if (!message.record->time_received.empty())
    write(*record.mutable_time_received(), message.record->time_received);
  if (message.record->ttl) record.set_ttl(*message.record->ttl);
  return out;
}

// Appends peers while they fit into `room` bytes, which shrinks by what they take.
template <class List>
void write_peers(List& to, const std::vector<KadPeer>& peers, std::size_t& room) {
  constexpr std::size_t kTagAndLength = 4;  // a tag of one byte, a length of at most three
  for (const KadPeer& peer : peers) {
    auto entry = written(peer);
    const std::size_t size = entry.ByteSizeLong() + kTagAndLength;
    if (size > room) return;
    room -= size;
    *to.Add() = std::move(entry);
  }
}

Bytes serialized(const pb::KadMessage& message) {
  Bytes bytes(message.ByteSizeLong());
  message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

Bytes encode(const KadMessage& message, std::size_t most) {
  auto out = written_frame(message);
  const std::size_t fixed = out.ByteSizeLong();
  std::size_t room = fixed < most ? most - fixed : most;
  // Providers are what was asked for; closer peers, for the walk to go on, keep at least a half.
  std::size_t for_closer = message.providers.empty() ? room : room / 2;
  room -= for_closer;
  write_peers(*out.mutable_closer_peers(), message.closer, for_closer);
  room += for_closer;
  write_peers(*out.mutable_provider_peers(), message.providers, room);
  return serialized(out);
}

}  // namespace

std::string_view name(KadType type) {
  switch (type) {
    case KadType::put_value:
      return "PUT_VALUE";
    case KadType::get_value:
      return "GET_VALUE";
    case KadType::add_provider:
      return "ADD_PROVIDER";
    case KadType::get_providers:
      return "GET_PROVIDERS";
    case KadType::find_node:
      return "FIND_NODE";
    case KadType::ping:
      return "PING";
  }
  return "unknown";
}

Result<KadMessage> decode_kad(ByteView bytes, const KadWireLimits& limits) {
  RETURN_IF_ERROR(scan(bytes, limits.most_bytes));
  pb::KadMessage in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::malformed, "not a Kademlia message");
  if (in.type() < 0 || in.type() > static_cast<std::int32_t>(KadType::ping))
    return fail(Errc::unsupported, "Kademlia message of type " + std::to_string(in.type()));
  KadMessage message;
  message.type = static_cast<KadType>(in.type());
  message.key = bytes_of(in.key());
  if (in.has_record()) message.record = read_record(in.record());
  message.closer = read_peers(in.closer_peers(), limits.most_closer);
  message.providers = read_peers(in.provider_peers(), limits.most_providers);
  return message;
}

Bytes encode_request(const KadMessage& message) { return encode(message, kMostRequest); }

Bytes encode_answer(const KadMessage& message) { return encode(message, kMostAnswer); }

Bytes encode_addrs(const std::vector<Multiaddr>& addrs) {
  Bytes value;
  for (const Multiaddr& addr : addrs) put_frame(value, addr.bytes());
  return value;
}

std::vector<Multiaddr> decode_addrs(ByteView value) {
  std::vector<Multiaddr> addrs;
  FrameReader reader(Multiaddr::kMostSize);
  while (!value.empty() && addrs.size() < kMostAddrs) {
    const auto entry = reader.next(value);
    if (!entry || !*entry) break;
    if (auto addr = Multiaddr::from_bytes(**entry)) addrs.push_back(*std::move(addr));
  }
  return addrs;
}

}  // namespace kadmesh
