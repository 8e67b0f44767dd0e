#include "kad/wire.h"

#include <doctest/doctest.h>

#include <set>

#include "base/framing.h"
#include "base/proto_scan.h"
#include "kad.pb.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

KadPeer entry(std::uint32_t number, std::size_t addrs = 1) {
  KadPeer made{peer(number), {}, Connectedness::connected};
  for (std::uint32_t i = 0; i < addrs; ++i) made.addrs.push_back(home(number * 100 + i));
  return made;
}

KadMessage full_message() {
  KadMessage message{KadType::get_providers, to_bytes(as_bytes("a key")), {}, {}, {}};
  message.record =
      KadRecord{message.key, to_bytes(as_bytes("a value")), to_bytes(as_bytes("2026-01-01T"))};
  message.closer = {entry(1), entry(2, 3)};
  message.providers = {entry(3, 0)};
  return message;
}

Result<KadMessage> read(ByteView bytes) { return decode_kad(bytes, {}); }

// Protobuf by hand, for what no honest encoder writes.
Bytes field(std::uint8_t number, ByteView value) {
  Bytes out{static_cast<std::uint8_t>(number << 3 | 2)};
  put_frame(out, value);
  return out;
}
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}
Bytes typed(std::uint8_t type) { return {0x08, type}; }

}  // namespace

TEST_CASE("wire: a message read is the message written") {
  const KadMessage message = full_message();
  CHECK(read(encode_answer(message)).value() == message);
  CHECK(read(encode_request(message)).value() == message);
}

// As the generated code has it.
pb::KadPeer generated(const KadPeer& peer) {
  pb::KadPeer out;
  out.set_id(std::string(as_text(peer.id.bytes())));
  for (const Multiaddr& addr : peer.addrs) out.add_addrs(std::string(as_text(addr.bytes())));
  out.set_connection(static_cast<std::int32_t>(peer.connection));
  return out;
}
std::string generated(const KadMessage& message) {
  pb::KadMessage out;
  out.set_type(static_cast<std::int32_t>(message.type));
  out.set_key(std::string(as_text(message.key)));
  out.mutable_record()->set_key(std::string(as_text(message.record->key)));
  out.mutable_record()->set_value(std::string(as_text(message.record->value)));
  out.mutable_record()->set_time_received(std::string(as_text(message.record->time_received)));
  if (message.record->ttl) out.mutable_record()->set_ttl(*message.record->ttl);
  for (const KadPeer& peer : message.closer) *out.add_closer_peers() = generated(peer);
  for (const KadPeer& peer : message.providers) *out.add_provider_peers() = generated(peer);
  return out.SerializeAsString();
}

TEST_CASE("wire: what is written, and read, is what protobuf's own code writes") {
  KadMessage message = full_message();
  message.closer[1].connection = Connectedness::cannot_connect;
  message.record->value = Bytes(300, 7);
  message.record->ttl = 172'800;
  CHECK(as_text(encode_answer(message)) == generated(message));
  CHECK(read(as_bytes(generated(message))).value() == message);
}

TEST_CASE("wire: numbers are cut to their type, and fields of another type are not ours") {
  // -1 as protobuf writes it, in ten bytes: no type; as a connectedness: none of the four.
  const Bytes minus_one{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  CHECK(read(joined({{0x08}, minus_one})).error().code == Errc::unsupported);
  const Bytes odd = joined({field(1, peer(1).bytes()), {0x18}, minus_one});
  CHECK(read(joined({typed(4), field(8, odd)}))->closer.at(0).connection ==
        Connectedness::not_connected);
  // 2^32 + 4 is 4; a tag may be longer than need be; the type as bytes, the key as a number.
  CHECK(read(Bytes{0x08, 0x84, 0x80, 0x80, 0x80, 0x10})->type == KadType::find_node);
  CHECK(read(Bytes{0x88, 0x00, 0x04})->type == KadType::find_node);
  CHECK(read(field(1, as_bytes("\x04")))->type == KadType::put_value);
  CHECK(read(Bytes{0x10, 0x04})->key.empty());
}

TEST_CASE("wire: a peer's id may stand behind its addresses") {
  const Bytes late =
      joined({field(2, home(1).with_peer(peer(1)).bytes()), field(1, peer(1).bytes())});
  const auto message = read(joined({typed(4), field(8, late)}));
  CHECK(message->closer.at(0).addrs == std::vector{home(1)});
}

TEST_CASE("wire: how long a record is to be kept is read as rust writes it, and its 0 is nothing") {
  KadMessage put{KadType::put_value, {'k'}, KadRecord{{'k'}, {'v'}, {}, 60}, {}, {}};
  CHECK(to_hex(encode_request(put)) == "080012016b1a090a016b120176c8303c");
  CHECK(read(encode_request(put)).value() == put);
  put.record->ttl = 0;
  CHECK_FALSE(read(encode_request(put)).value().record->ttl);
}

TEST_CASE("wire: the type is written although it is 0") {
  const KadMessage put{KadType::put_value, {'k'}, {}, {}, {}};
  CHECK(to_hex(encode_request(put)) == "080012016b");
}

TEST_CASE("wire: a type left out is PUT_VALUE, as proto3 peers leave it out") {
  CHECK(read(field(2, as_bytes("k")))->type == KadType::put_value);
}

TEST_CASE("wire: an unknown type is an error, not a default") {
  CHECK(read(typed(6)).error().code == Errc::unsupported);
}

TEST_CASE("wire: whatever is not a message is malformed") {
  CHECK(read(as_bytes("\xff\xff\xff")).error().code == Errc::malformed);
  CHECK(read(Bytes{0x12, 0x05, 'a'}).error().code == Errc::malformed);
}

TEST_CASE("wire: a peer or an address that cannot be read is dropped alone") {
  const Bytes good_addr = to_bytes(home(1).bytes());
  const Bytes unknown_protocol{0xff, 0x7f, 0x01};
  const Bytes one = joined({field(1, peer(1).bytes()), field(2, unknown_protocol),
                            field(2, Bytes{}), field(2, good_addr)});
  const Bytes nameless = joined({field(1, as_bytes("not an id")), field(2, good_addr)});
  const auto message = read(joined({typed(4), field(8, nameless), field(8, one)}));
  REQUIRE(message);
  REQUIRE(message->closer.size() == 1);
  CHECK(message->closer[0].addrs == std::vector{home(1)});
}

TEST_CASE("wire: an address that ends in its peer's id loses it; one of another peer goes") {
  const Bytes entry_bytes =
      joined({field(1, peer(1).bytes()), field(2, home(1).with_peer(peer(1)).bytes()),
              field(2, home(2).with_peer(peer(2)).bytes())});
  const auto message = read(joined({typed(4), field(8, entry_bytes)}));
  REQUIRE(message);
  CHECK(message->closer.at(0).addrs == std::vector{home(1)});
}

TEST_CASE("H49: of more closer peers than 2k the rest is not looked at") {
  Bytes bytes = typed(4);
  for (std::uint32_t i = 1; i <= 100; ++i) append(bytes, field(8, field(1, peer(i).bytes())));
  CHECK(read(bytes)->closer.size() == 40);
}

TEST_CASE("H49: of endless peers none is kept that is none, and a longer message is refused") {
  Bytes bytes = typed(4);
  while (bytes.size() + 2 <= kMostReply) append(bytes, field(8, Bytes{}));
  CHECK(read(bytes)->closer.empty());
  append(bytes, field(8, Bytes{}));
  CHECK(read(bytes).error().code == Errc::limit);
}

TEST_CASE("H49: who repeats a peer of endless addresses is heard, and some of them are kept") {
  Bytes many = field(1, peer(1).bytes());
  for (std::size_t i = 0; i < 20'000; ++i) append(many, field(2, home(7).bytes()));
  const auto message =
      read(joined({typed(4), field(8, many), field(8, field(1, peer(2).bytes()))}));
  REQUIRE(message);
  REQUIRE(message->closer.size() == 2);
  CHECK(message->closer[0].addrs.size() == kMostAddrs);
}

TEST_CASE("H64: empty fields and empty lists are read as nothing") {
  const auto message = read(joined({typed(1), field(2, {}), field(3, {}), field(8, {})}));
  REQUIRE(message);
  CHECK(message->key.empty());
  CHECK(message->record.value().value.empty());
  CHECK(message->closer.empty());
  CHECK(read(Bytes{}).has_value());
}

TEST_CASE("H62: a message is refused wherever it is cut, but between its fields") {
  const Bytes bytes = encode_answer(full_message());
  std::set<std::size_t> ends{0};
  for (ByteView rest = bytes; !rest.empty(); ends.insert(bytes.size() - rest.size()))
    REQUIRE(take_field(rest));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(read(cut).has_value() == ends.contains(size));
  }
}

TEST_CASE("H62: a field that claims more than there is makes no message") {
  const std::vector<Bytes> claims{{0x02},
                                  {0x7f},
                                  {0xff, 0xff, 0x03},
                                  {0xff, 0xff, 0xff, 0xff, 0x0f},
                                  {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}};
  for (const std::uint8_t tag : Bytes{0x12, 0x1a, 0x42, 0x4a, 0x7a})
    for (const Bytes& claim : claims) {
      const Bytes claiming = joined({{tag}, claim, {'k'}});
      CHECK(read(claiming).error().code == Errc::malformed);
      CHECK(read(field(8, claiming)).error().code == Errc::malformed);
    }
}

TEST_CASE("H63: groups and messages within one another are not followed down") {
  CHECK(read(Bytes(100'000, 0x7b)).error().code == Errc::malformed);
  Bytes nested = field(1, peer(1).bytes());
  for (int i = 0; i < 2'000; ++i) nested = field(8, nested);
  const auto message = read(nested);
  REQUIRE(message);
  CHECK(message->closer.empty());
}

TEST_CASE("H66: a field of another type than it must have is none") {
  const auto typed_by_bytes = read(joined({field(1, Bytes{4}), field(2, as_bytes("k"))}));
  REQUIRE(typed_by_bytes);
  CHECK(typed_by_bytes->type == KadType::put_value);
  const auto numbers = read(Bytes{0x08, 4, 0x10, 5, 0x18, 5, 0x40, 5, 0x48, 5});
  REQUIRE(numbers);
  CHECK(*numbers == KadMessage{KadType::find_node, {}, {}, {}, {}});
}

TEST_CASE("wire: an answer stays below 16 KiB and leaves out what is farthest") {
  KadMessage message{KadType::find_node, {'k'}, {}, {}, {}};
  for (std::uint32_t i = 1; i <= 20; ++i) {
    message.closer.push_back(entry(i, 0));
    for (int j = 0; j < 8; ++j) {
      std::string name(200, 'a');
      message.closer.back().addrs.push_back(
          Multiaddr::from_text("/dns4/" + name + "/tcp/4001").value());
    }
  }
  const Bytes bytes = encode_answer(message);
  CHECK(bytes.size() <= kMostAnswer);
  const auto read_back = read(bytes);
  REQUIRE(read_back);
  CHECK(read_back->closer.size() > 5);
  CHECK(read_back->closer.size() < 20);
  CHECK(read_back->closer.front().id == peer(1));
}

TEST_CASE("wire: providers leave room for closer peers, and the other way round") {
  KadMessage message{KadType::get_providers, {'k'}, {}, {}, {}};
  for (std::uint32_t i = 1; i <= 20; ++i) message.closer.push_back(entry(i, 4));
  for (std::uint32_t i = 100; i < 400; ++i) message.providers.push_back(entry(i, 4));
  const Bytes bytes = encode_answer(message);
  CHECK(bytes.size() <= kMostAnswer);
  const auto read_back = read(bytes);
  REQUIRE(read_back);
  CHECK(read_back->closer.size() == 20);
  CHECK(read_back->providers.size() > 100);
}

TEST_CASE("wire: a record is never cut") {
  KadMessage message{KadType::get_value, {'k'}, {}, {}, {}};
  message.record = KadRecord{{'k'}, Bytes(40'000, 7), {}};
  message.closer = {entry(1)};
  const auto read_back = read(encode_answer(message));
  REQUIRE(read_back);
  CHECK(read_back->record->value.size() == 40'000);
  CHECK(read_back->closer.size() == 1);
}

TEST_CASE("wire: addresses in the store come back, and rubbish there is harmless") {
  const std::vector addrs{home(1), home(2)};
  Bytes value = encode_addrs(addrs);
  CHECK(decode_addrs(value) == addrs);
  value.pop_back();
  CHECK(decode_addrs(value) == std::vector{home(1)});
  CHECK(decode_addrs(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")).empty());
}

}  // namespace kadmesh
