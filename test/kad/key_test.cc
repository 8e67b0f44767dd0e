#include "kad/key.h"

#include <doctest/doctest.h>

#include "kad/rows.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("key: a peer is where SHA-256 of its id's bytes says") {
  // Printed by js-libp2p for the key of specs/peer-ids.
  const PeerId id =
      PeerId::from_text("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq").value();
  CHECK(to_hex(KadId::of(id).bytes) ==
        "dfd53212a4bd2beda3ea8e82d08285370c70a70cfe9c588e28754b23c8033121");
}

TEST_CASE("key: distance is symmetric, zero only to itself, and keeps the triangle") {
  const KadId a = KadId::of(peer(1)), b = KadId::of(peer(2)), c = KadId::of(peer(3));
  CHECK(distance(a, b) == distance(b, a));
  CHECK(distance(a, a) == Distance{});
  CHECK(distance(a, b) != Distance{});
  KadId through;  // XOR: going by way of c comes to the same place
  for (std::size_t i = 0; i < through.bytes.size(); ++i)
    through.bytes[i] = distance(a, c).bytes[i] ^ distance(c, b).bytes[i];
  CHECK(through.bytes == distance(a, b).bytes);
}

TEST_CASE("key: a row's place is the head of where its key lies") {
  const Bytes name = to_bytes(as_bytes("/v/name"));
  Bytes head;
  for (unsigned shift = 64; shift > 0; shift -= 8)
    head.push_back(static_cast<std::uint8_t>(place_of(name) >> (shift - 8)));
  CHECK(equal(head, ByteView(KadId::of(name).bytes).first(8)));
  CHECK(publishing_row(name, {1}, kNeverDelivered).place == place_of(name));
}

TEST_CASE("key: distances compare as big-endian numbers") {
  Distance near, far;
  near.bytes[1] = 0xff;
  far.bytes[0] = 0x01;
  CHECK(near < far);
}

TEST_CASE("H55: the common prefix is exact at every bit and has no shift beyond its type") {
  const KadId zero;
  for (unsigned bit = 0; bit < kKadBits; ++bit) {
    KadId other;
    other.bytes[bit / 8] = static_cast<std::uint8_t>(0x80u >> (bit % 8));
    CHECK(common_prefix(zero, other) == bit);
  }
  CHECK(common_prefix(zero, zero) == 256);
}

}  // namespace kadmesh
