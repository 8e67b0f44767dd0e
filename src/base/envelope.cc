#include "base/envelope.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/proto_scan.h"
#include "base/signature_memo.h"
#include "base/varint.h"
#include "envelope.pb.h"
#include "peer_record.pb.h"

namespace kadmesh {
namespace {

// --- envelopes -----------------------------------------------------------------------------------

constexpr MessageShape kEnvelopeShape{};  // flat: four fields and what the future adds
constexpr ScanLimits kEnvelopeLimits{kMostEnvelopeSize, 16, 1};

// protobuf 3.21 takes its bytes as strings.
std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

template <class Message>
Result<Message> parse(ByteView bytes, const MessageShape& shape, const ScanLimits& limits) {
  RETURN_IF_ERROR(scan_message(bytes, shape, limits));
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Errc::malformed, "envelope: no protobuf");
  }
  return message;
}

Result<pb::Envelope> parse_envelope(ByteView bytes) {
  return parse<pb::Envelope>(bytes, kEnvelopeShape, kEnvelopeLimits);
}

// What is signed: domain, type and payload, each behind its length (RFC 0002, "Signature
// Production / Validation").
Bytes signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload) {
  Bytes bytes;
  for (const ByteView piece : {as_bytes(domain), payload_type, payload}) {
    put_varint(bytes, piece.size());
    append(bytes, piece);
  }
  return bytes;
}

Result<Envelope> contents(const pb::Envelope& message) {
  ASSIGN_OR_RETURN(PublicKey signer, PublicKey::from_proto(as_bytes(message.public_key())));
  return Envelope{std::move(signer), to_bytes(as_bytes(message.payload_type())),
                  to_bytes(as_bytes(message.payload()))};
}

Result<void> check_signature(const Envelope& envelope, std::string_view domain,
                             ByteView signature) {
  const Bytes statement = signed_bytes(domain, envelope.payload_type, envelope.payload);
  if (envelope.signer.verify(statement, signature)) return {};
  return fail(Errc::auth, "envelope: the signature does not fit");
}

// --- peer records --------------------------------------------------------------------------------

constexpr std::string_view kStandardType = "\x03\x01";
constexpr std::string_view kStandardDomain = "libp2p-peer-record";
constexpr std::string_view kLegacyType = "/libp2p/routing-state-record";
constexpr std::string_view kLegacyDomain = "libp2p-routing-state";

constexpr MessageShape kAddressShape{};
constexpr std::array<FieldShape, 1> kRecordFields{
    {{pb::PeerRecord::kAddressesFieldNumber, kMostRecordAddrs, &kAddressShape}}};
constexpr MessageShape kRecordShape{kRecordFields};
// An address has an element of its own and one for what is in it.
constexpr ScanLimits kRecordLimits{kMostEnvelopeSize, 2 * kMostRecordAddrs + 16, 2};

std::optional<std::string_view> domain_of(std::string_view payload_type) {
  if (payload_type == kStandardType) return kStandardDomain;
  if (payload_type == kLegacyType) return kLegacyDomain;
  return std::nullopt;
}

std::vector<Multiaddr> readable_addrs(const pb::PeerRecord& message) {
  std::vector<Multiaddr> addrs;
  for (const auto& info : message.addresses()) {
    if (auto addr = Multiaddr::from_bytes(as_bytes(info.multiaddr()))) {
      addrs.push_back(*std::move(addr));
    }
  }
  return addrs;
}

Result<PeerRecord> read_record(const Envelope& envelope) {
  ASSIGN_OR_RETURN(const auto message,
                   parse<pb::PeerRecord>(envelope.payload, kRecordShape, kRecordLimits));
  ASSIGN_OR_RETURN(const PeerId peer, PeerId::from_bytes(as_bytes(message.peer_id())));
  if (peer != envelope.signer.peer_id()) {
    return fail(Errc::auth, "peer record signed by someone else");
  }
  return PeerRecord{peer, message.seq(), readable_addrs(message)};
}

std::string record_proto(const PeerRecord& record) {
  pb::PeerRecord message;
  message.set_peer_id(to_text(record.peer.bytes()));
  message.set_seq(record.seq);
  for (const Multiaddr& addr : record.addrs) {
    message.add_addresses()->set_multiaddr(to_text(addr.bytes()));
  }
  return message.SerializeAsString();
}

}  // namespace

Result<Envelope> open_envelope(ByteView bytes, std::string_view domain) {
  ASSIGN_OR_RETURN(const pb::Envelope message, parse_envelope(bytes));
  ASSIGN_OR_RETURN(Envelope opened, contents(message));
  RETURN_IF_ERROR(check_signature(opened, domain, as_bytes(message.signature())));
  return opened;
}

Bytes seal_envelope(const KeyPair& key, std::string_view domain, ByteView payload_type,
                    ByteView payload) {
  pb::Envelope message;
  message.set_public_key(to_text(key.public_key().proto()));
  message.set_payload_type(to_text(payload_type));
  message.set_payload(to_text(payload));
  message.set_signature(to_text(key.sign(signed_bytes(domain, payload_type, payload))));
  return to_bytes(as_bytes(message.SerializeAsString()));
}

Result<PeerRecord> open_peer_record(ByteView envelope, SignatureMemo* memo) {
  ASSIGN_OR_RETURN(const pb::Envelope message, parse_envelope(envelope));
  const auto domain = domain_of(message.payload_type());
  if (!domain) return fail(Errc::unsupported, "envelope: not a peer record");
  ASSIGN_OR_RETURN(const Envelope opened, contents(message));
  RETURN_IF_ERROR(verify_once(memo, "record", envelope, [&] {
    return check_signature(opened, *domain, as_bytes(message.signature()));
  }));
  return read_record(opened);
}

Bytes seal_peer_record(const KeyPair& key, const PeerRecord& record, RecordFlavour flavour) {
  KAD_CHECK(record.peer == key.peer_id());
  const std::string payload = record_proto(record);
  if (flavour == RecordFlavour::legacy) {
    return seal_envelope(key, kLegacyDomain, as_bytes(kLegacyType), as_bytes(payload));
  }
  return seal_envelope(key, kStandardDomain, as_bytes(kStandardType), as_bytes(payload));
}

}  // namespace kadmesh
