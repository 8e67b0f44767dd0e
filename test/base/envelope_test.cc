#include "base/envelope.h"

#include <doctest/doctest.h>

#include <string>

#include "refusal.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

KeyPair spec_pair() { return KeyPair::from_proto(hex(spec_keys::kEd25519Private)).value(); }

KeyPair other_pair() { return KeyPair::from_seed(Ed25519Seed{9}); }

Multiaddr addr(std::string_view text) { return Multiaddr::from_text(text).value(); }

PeerRecord record_of(const KeyPair& key) {
  return {key.peer_id(), 1, {addr("/ip4/127.0.0.1/tcp/4001")}};
}

// A field of bytes, its number below 16.
void put_field(Bytes& out, unsigned number, ByteView value) {
  REQUIRE(value.size() < 16384);
  out.push_back(static_cast<std::uint8_t>(number << 3 | 2));
  if (value.size() >= 128) out.push_back(static_cast<std::uint8_t>(value.size() | 0x80));
  out.push_back(static_cast<std::uint8_t>(value.size() >= 128 ? value.size() >> 7 : value.size()));
  append(out, value);
}

Bytes record_payload(ByteView peer, std::initializer_list<Bytes> addrs) {
  Bytes payload;
  put_field(payload, 1, peer);
  payload.insert(payload.end(), {0x10, 0x05});
  for (const Bytes& one : addrs) {
    Bytes info;
    put_field(info, 1, one);
    put_field(payload, 3, info);
  }
  return payload;
}

Bytes sealed_payload(const KeyPair& key, ByteView payload) {
  return seal_envelope(key, "libp2p-peer-record", hex("0301"), payload);
}

Errc refusal(ByteView envelope) { return refusal_of(open_peer_record(envelope)); }

}  // namespace

TEST_CASE("envelope: what is sealed opens in its domain, and in no other") {
  const Bytes sealed = seal_envelope(spec_pair(), "domain", hex("0302"), as_bytes("payload"));
  const Envelope opened = open_envelope(sealed, "domain").value();
  CHECK(opened.signer == spec_pair().public_key());
  CHECK(to_hex(opened.payload_type) == "0302");
  CHECK(as_text(opened.payload) == "payload");
  CHECK(refusal_of(open_envelope(sealed, "domaim")) == Errc::auth);
  CHECK(refusal_of(open_envelope(sealed, "")) == Errc::auth);
}

// Signature checked against @libp2p/peer-record, with the specification's key.
TEST_CASE("envelope: the golden peer record") {
  const Bytes sealed =
      seal_peer_record(spec_pair(), record_of(spec_pair()), RecordFlavour::standard);
  CHECK(to_hex(sealed) == "0a24" + std::string(spec_keys::kEd25519Public) +
                              "12020301"
                              "1a36"
                              "0a260024" +
                              std::string(spec_keys::kEd25519Public) +
                              "1001"
                              "1a0a0a08047f000001060fa1"
                              "2a40"
                              "4504e51a36806e8eba9344a743f2e1cbd0170d2632fb413f98101f6e3ff26d3d"
                              "a91f4eedebf36383fa5819438bce1d7398117236e52d2d1dfce98196294ac60e");
}

TEST_CASE("envelope: both flavours of a record are read") {
  for (const RecordFlavour flavour : {RecordFlavour::standard, RecordFlavour::legacy}) {
    const Bytes sealed = seal_peer_record(spec_pair(), record_of(spec_pair()), flavour);
    const PeerRecord record = open_peer_record(sealed).value();
    CHECK(record.peer == spec_pair().peer_id());
    CHECK(record.seq == 1);
    REQUIRE(record.addrs.size() == 1);
    CHECK(record.addrs[0].text() == "/ip4/127.0.0.1/tcp/4001");
  }
}

TEST_CASE("envelope: the type of one flavour with the domain of the other is no record") {
  const Bytes payload = record_payload(spec_pair().peer_id().bytes(), {});
  CHECK(refusal(seal_envelope(spec_pair(), "libp2p-routing-state", hex("0301"), payload)) ==
        Errc::auth);
  CHECK(refusal(seal_envelope(spec_pair(), "libp2p-relay-rsvp", hex("0302"), payload)) ==
        Errc::unsupported);
}

TEST_CASE("H14: a peer record signed by someone else is refused") {
  const Bytes payload = record_payload(other_pair().peer_id().bytes(), {});
  CHECK(open_peer_record(sealed_payload(other_pair(), payload)));
  CHECK(refusal(sealed_payload(spec_pair(), payload)) == Errc::auth);
}

TEST_CASE("H14: the key of a record cannot be exchanged for its subject's") {
  const Bytes payload = record_payload(other_pair().peer_id().bytes(), {});
  Bytes sealed = sealed_payload(spec_pair(), payload);
  const Bytes key = other_pair().public_key().proto();
  std::copy(key.begin(), key.end(), sealed.begin() + 2);
  CHECK(refusal(sealed) == Errc::auth);
}

TEST_CASE("H12: no byte of an envelope can be changed") {
  const Bytes sealed =
      seal_peer_record(spec_pair(), record_of(spec_pair()), RecordFlavour::standard);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x01;
    CAPTURE(i);
    CHECK(!open_peer_record(changed));
  }
}

TEST_CASE("envelope: cut short anywhere it is refused") {
  const Bytes sealed =
      seal_peer_record(spec_pair(), record_of(spec_pair()), RecordFlavour::standard);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    CHECK(!open_peer_record(to_bytes(ByteView(sealed).first(size))));
  }
}

TEST_CASE("envelope: an address that cannot be read is dropped alone") {
  const Bytes good = hex("047f000001060fa1");
  const Bytes payload =
      record_payload(spec_pair().peer_id().bytes(), {hex("0a0b"), {}, good, hex("04"), good});
  const PeerRecord record = open_peer_record(sealed_payload(spec_pair(), payload)).value();
  CHECK(record.seq == 5);
  CHECK(record.addrs.size() == 2);
}

TEST_CASE("envelope: a subject that is no peer id is refused") {
  CHECK(refusal(sealed_payload(spec_pair(), record_payload({}, {}))) == Errc::malformed);
  CHECK(refusal(sealed_payload(spec_pair(), {})) == Errc::malformed);
  CHECK(refusal(sealed_payload(spec_pair(), hex("ff"))) == Errc::malformed);
}

TEST_CASE("envelope: size and addresses are bounded before they are decoded") {
  CHECK(refusal(Bytes(kMostEnvelopeSize + 1, 0)) == Errc::limit);
  PeerRecord record = record_of(spec_pair());
  record.addrs.assign(kMostRecordAddrs, addr("/tcp/1"));
  CHECK(open_peer_record(seal_peer_record(spec_pair(), record, RecordFlavour::standard)));
  record.addrs.push_back(addr("/tcp/1"));
  CHECK(refusal(seal_peer_record(spec_pair(), record, RecordFlavour::standard)) == Errc::limit);
}

TEST_CASE("envelope: millions of empty fields are not decoded") {
  Bytes fields;
  for (int i = 0; i < 2000; ++i) fields.insert(fields.end(), {0x7a, 0x00});  // of no known number
  CHECK(refusal(fields) == Errc::limit);
  Bytes payload = record_payload(spec_pair().peer_id().bytes(), {});
  append(payload, fields);
  CHECK(refusal(sealed_payload(spec_pair(), payload)) == Errc::limit);
}

}  // namespace kadmesh
