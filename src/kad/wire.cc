#include "kad/wire.h"

#include <algorithm>

#include "base/check.h"
#include "base/framing.h"
#include "base/proto_scan.h"
#include "base/varint.h"

namespace kadmesh {
namespace {

// --- what is counted before decoding
constexpr FieldShape kRecordFields[] = {{1, 1}, {2, 1}, {5, 1}};
constexpr MessageShape kRecordShape{kRecordFields};
constexpr FieldShape kPeerFields[] = {{1, 1}, {2, kMostFieldsOnWire}, {3, 1}};
constexpr MessageShape kPeerShape{kPeerFields};
constexpr FieldShape kMessageFields[] = {{1, 1},
                                         {2, 1},
                                         {3, 1, &kRecordShape},
                                         {8, kMostFieldsOnWire, &kPeerShape},
                                         {9, kMostFieldsOnWire, &kPeerShape}};
constexpr MessageShape kMessageShape{kMessageFields};

Result<void> scan(ByteView bytes, std::size_t most_bytes) {
  return scan_message(bytes, kMessageShape, {most_bytes, kMostFieldsOnWire});
}

// --- reading
// Of fields that scan() found sound, as the generated code would: it builds an object for each peer
// and address, from which ours were then copied, and a walk reads hundreds.
constexpr unsigned kVarint = 0, kBytes = 2;  // wire types

// The number of a field that is one; protobuf cuts what is too long for its type.
std::optional<std::uint64_t> number_of(const ProtoField& field) {
  if ((field.whole.front() & 7U) != kVarint) return std::nullopt;
  ByteView rest = field.whole;
  while ((rest.front() & 0x80U) != 0) rest = rest.subspan(1);
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (const std::uint8_t byte : rest.subspan(1)) {
    value |= std::uint64_t{byte & 0x7fU} << shift;
    shift += 7;
  }
  return value;
}

void for_each_field(ByteView message, const auto& each) {
  while (!message.empty()) {
    const auto field = take_field(message);
    KAD_CHECK(field);
    each(*field);
  }
}

// The one of a number that stands there but once.
std::optional<ProtoField> find_field(ByteView message, std::uint32_t number) {
  while (!message.empty()) {
    const auto field = take_field(message);
    KAD_CHECK(field);
    if (field->number == number) return *field;
  }
  return std::nullopt;
}

std::optional<Multiaddr> read_addr(ByteView bytes, const PeerId& of) {
  if (bytes.size() > kMostAddrSize) return std::nullopt;
  auto addr = Multiaddr::from_bytes(bytes);
  if (!addr) return std::nullopt;
  const auto names = addr->peer();
  if (!names) return *std::move(addr);
  if (*names != of) return std::nullopt;
  return addr->without_peer();
}

Connectedness connectedness(std::uint64_t number) {
  const auto value = static_cast<std::int32_t>(number);
  return value >= 0 && value <= 3 ? static_cast<Connectedness>(value)
                                  : Connectedness::not_connected;
}

// Which may stand behind the addresses.
std::optional<PeerId> read_id(ByteView peer) {
  const auto field = find_field(peer, 1);
  const auto id = PeerId::from_bytes(field ? field->body : ByteView());
  return id ? std::optional(*id) : std::nullopt;
}

std::optional<KadPeer> read_peer(ByteView from) {
  const auto id = read_id(from);
  if (!id) return std::nullopt;
  KadPeer peer{*id, {}, Connectedness::not_connected};
  for_each_field(from, [&](const ProtoField& field) {
    if (field.number == 2 && field.is_bytes && peer.addrs.size() < kMostAddrs) {
      if (auto addr = read_addr(field.body, *id)) peer.addrs.push_back(*std::move(addr));
    } else if (field.number == 3) {
      if (const auto number = number_of(field)) peer.connection = connectedness(*number);
    }
  });
  return peer;
}

KadRecord read_record(ByteView from) {
  KadRecord record;
  for_each_field(from, [&](const ProtoField& field) {
    if (field.number == 1 && field.is_bytes) record.key = to_bytes(field.body);
    if (field.number == 2 && field.is_bytes) record.value = to_bytes(field.body);
    if (field.number == 5 && field.is_bytes) record.time_received = to_bytes(field.body);
    if (field.number != 777) return;
    const auto ttl = static_cast<std::uint32_t>(number_of(field).value_or(0));
    record.ttl = ttl > 0 ? std::optional(ttl) : std::nullopt;
  });
  return record;
}

void read_field(const ProtoField& field, const KadWireLimits& limits, KadMessage& into) {
  if (!field.is_bytes) return;
  const auto read_into = [&](std::vector<KadPeer>& peers, std::size_t most) {
    if (peers.size() >= most) return;
    if (auto peer = read_peer(field.body)) peers.push_back(*std::move(peer));
  };
  if (field.number == 2) into.key = to_bytes(field.body);
  if (field.number == 3) into.record = read_record(field.body);
  if (field.number == 8) read_into(into.closer, limits.most_closer);
  if (field.number == 9) read_into(into.providers, limits.most_providers);
}

std::int32_t type_of(ByteView message) {
  const auto field = find_field(message, 1);
  return static_cast<std::int32_t>(field ? number_of(*field).value_or(0) : 0);
}

// --- writing
// By hand, field by field in order, as the generated code would: an answer of twenty peers is what
// a server spends its time on, and to build it as objects first took longer than all else about it.
constexpr std::uint8_t tag(unsigned field, unsigned wire_type) {
  return static_cast<std::uint8_t>(field << 3 | wire_type);
}
std::size_t field_size(std::size_t body) { return 1 + varint_size(body) + body; }

void write(Bytes& to, unsigned field, ByteView bytes) {
  to.push_back(tag(field, kBytes));
  put_frame(to, bytes);
}
// One that is below 128.
void write_small(Bytes& to, unsigned field, std::int32_t value) {
  to.push_back(tag(field, kVarint));
  to.push_back(static_cast<std::uint8_t>(value));
}
constexpr std::size_t kSmallSize = 2;

void for_each_written(const std::vector<Multiaddr>& addrs, const auto& each) {
  std::size_t count = 0;
  for (const Multiaddr& addr : addrs) {
    if (addr.bytes().size() > kMostAddrSize) continue;
    if (count++ == kMostAddrsHandedOut) return;
    each(addr.bytes());
  }
}

std::size_t body_size(const KadPeer& peer) {
  std::size_t size = field_size(peer.id.bytes().size()) + kSmallSize;
  for_each_written(peer.addrs, [&](ByteView addr) { size += field_size(addr.size()); });
  return size;
}

void write(Bytes& to, unsigned field, const KadPeer& peer) {
  to.push_back(tag(field, kBytes));
  put_varint(to, body_size(peer));
  write(to, 1, peer.id.bytes());
  for_each_written(peer.addrs, [&](ByteView addr) { write(to, 2, addr); });
  write_small(to, 3, static_cast<std::int32_t>(peer.connection));
}

Bytes written(const KadRecord& record) {
  Bytes out;
  write(out, 1, record.key);
  write(out, 2, record.value);
  if (!record.time_received.empty()) write(out, 5, record.time_received);
  if (record.ttl) {
    put_varint(out, 777U << 3 | kVarint);
    put_varint(out, *record.ttl);
  }
  return out;
}

// All but the peers.
Bytes written_frame(const KadMessage& message) {
  Bytes out;
  write_small(out, 1, static_cast<std::int32_t>(message.type));
  if (!message.key.empty()) write(out, 2, message.key);
  if (message.record) write(out, 3, written(*message.record));
  return out;
}

// How many of them fit into `room` bytes, which shrinks by what they take.
std::size_t fitting(const std::vector<KadPeer>& peers, std::size_t& room) {
  constexpr std::size_t kTagAndLength = 4;  // a tag of one byte, a length of at most three
  std::size_t count = 0;
  for (const KadPeer& peer : peers) {
    const std::size_t size = body_size(peer) + kTagAndLength;
    if (size > room) break;
    room -= size;
    ++count;
  }
  return count;
}

Bytes encode(const KadMessage& message, std::size_t most) {
  Bytes out = written_frame(message);
  const std::size_t whole = out.size() < most ? most - out.size() : most;
  // Providers are what was asked for; closer peers, for the walk to go on, keep at least a half.
  std::size_t for_closer = message.providers.empty() ? whole : whole / 2;
  std::size_t room = whole - for_closer;
  const std::size_t closer = fitting(message.closer, for_closer);
  room += for_closer;
  const std::size_t providers = fitting(message.providers, room);
  out.reserve(out.size() + whole - room);
  for (std::size_t n = 0; n < closer; ++n) write(out, 8, message.closer[n]);
  for (std::size_t n = 0; n < providers; ++n) write(out, 9, message.providers[n]);
  return out;
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
  const std::int32_t type = type_of(bytes);
  if (type < 0 || type > static_cast<std::int32_t>(KadType::ping))
    return fail(Errc::unsupported, "Kademlia message of type " + std::to_string(type));
  KadMessage message;
  message.type = static_cast<KadType>(type);
  for_each_field(bytes, [&](const ProtoField& field) { read_field(field, limits, message); });
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
