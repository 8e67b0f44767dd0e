#include "store/ipns.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/cbor.h"
#include "store/brought_key.h"
#include "store/ipns_wire.h"

namespace kadmesh {
namespace {

constexpr std::string_view kNamespace = "/ipns/";

// --- what is in the data -------------------------------------------------------------------------

constexpr std::string_view kValue = "Value";
constexpr std::string_view kValidity = "Validity";
constexpr std::string_view kValidityType = "ValidityType";
constexpr std::string_view kSequence = "Sequence";
constexpr std::string_view kTtl = "TTL";
// The one type of validity there is, and what a first signature calls it.
constexpr std::int64_t kUntil = 0;
constexpr std::string_view kUntilName = "EOL";

std::unexpected<Error> invalid(std::string_view what) {
  return fail(Errc::invalid, "ipns: " + std::string(what));
}

Result<std::int64_t> integer_of(const CborMap& data, std::string_view key) {
  const CborValue* field = data.find(key);
  if (!field || !field->integer) return invalid(std::string(key) + " is no integer");
  return *field->integer;
}

Result<ByteView> bytes_of(const CborMap& data, std::string_view key) {
  const CborValue* field = data.find(key);
  if (!field || field->kind != CborKind::bytes) return invalid(std::string(key) + " is no bytes");
  return field->content;
}

// go keeps the sequence as an integer with a sign and compares it without: so must we.
Result<std::uint64_t> sequence_of(const CborMap& data) {
  ASSIGN_OR_RETURN(const std::int64_t sequence, integer_of(data, kSequence));
  return static_cast<std::uint64_t>(sequence);
}

Result<Moment> validity_of(const CborMap& data) {
  ASSIGN_OR_RETURN(const std::int64_t type, integer_of(data, kValidityType));
  if (type != kUntil) return invalid("a type of validity that is not known");
  ASSIGN_OR_RETURN(const ByteView text, bytes_of(data, kValidity));
  const auto validity = moment_from_rfc3339(as_text(text));
  return validity ? Result<Moment>(*validity) : invalid("Validity is no time");
}

Result<Duration> ttl_of(const CborMap& data) {
  const auto ttl = integer_of(data, kTtl).value_or(0);
  if (ttl < 0) return invalid("TTL is negative");
  return Duration(ttl);
}

Result<IpnsRecord> read_data(const CborMap& data) {
  ASSIGN_OR_RETURN(const std::uint64_t sequence, sequence_of(data));
  ASSIGN_OR_RETURN(const Moment validity, validity_of(data));
  ASSIGN_OR_RETURN(const Duration ttl, ttl_of(data));
  return IpnsRecord{to_bytes(bytes_of(data, kValue).value_or(ByteView())), sequence, validity, ttl};
}

bool same_integer(const CborMap& data, std::string_view key, std::uint64_t copy) {
  const auto integer = integer_of(data, key);
  return integer && static_cast<std::uint64_t>(*integer) == copy;
}

bool same_bytes(const CborMap& data, std::string_view key, ByteView copy) {
  const auto bytes = bytes_of(data, key);
  return bytes && equal(*bytes, copy);
}

Result<void> check_copies(const IpnsEntry& entry, const CborMap& data) {
  if (!entry.has_legacy()) return {};
  const bool same =
      same_bytes(data, kValue, entry.value) && same_bytes(data, kValidity, entry.validity) &&
      integer_of(data, kValidityType) == Result<std::int64_t>(entry.validity_type) &&
      same_integer(data, kSequence, entry.sequence) && same_integer(data, kTtl, entry.ttl);
  if (same) return {};
  return invalid("what is outside the signed data says something else");
}

Bytes write_data(ByteView value, std::uint64_t sequence, std::string_view validity, Duration ttl) {
  CborMapWriter data;
  data.bytes(kValue, value);
  data.bytes(kValidity, as_bytes(validity));
  data.integer(kValidityType, kUntil);
  data.integer(kSequence, static_cast<std::int64_t>(sequence));
  data.integer(kTtl, ttl.count());
  return data.document();
}

// --- who has signed it ---------------------------------------------------------------------------

Bytes signed_bytes(ByteView data) {
  Bytes bytes = to_bytes(as_bytes("ipns-signature:"));
  append(bytes, data);
  return bytes;
}

Bytes first_signed_bytes(const IpnsEntry& entry) {
  Bytes bytes = entry.value;
  append(bytes, entry.validity);
  append(bytes, as_bytes(kUntilName));
  return bytes;
}

Result<PublicKey> signer_of(const PeerId& name, const IpnsEntry& entry) {
  if (!entry.public_key.empty()) return brought_key(name, entry.public_key);
  if (name.inlined_key().empty())
    return fail(Errc::auth, "ipns: the key is neither in the record nor in the name");
  return key_of(name);
}

Result<void> check_signature(const PeerId& name, const IpnsEntry& entry) {
  ASSIGN_OR_RETURN(const PublicKey signer, signer_of(name, entry));
  if (signer.verify(signed_bytes(entry.data), entry.signature_v2)) return {};
  return fail(Errc::auth, "ipns: the signature does not fit");
}

// --- which of two is better ----------------------------------------------------------------------

using Standing = std::pair<std::uint64_t, Moment>;

// Empty for what validate() refuses whoever signed it.
std::optional<Standing> standing_of(ByteView bytes) {
  const auto entry = decode_ipns(bytes);
  if (!entry || entry->signature_v2.empty()) return std::nullopt;
  const auto data = CborMap::read(entry->data);
  if (!data) return std::nullopt;
  const auto record = read_data(*data);
  if (!record) return std::nullopt;
  return Standing(record->sequence, record->validity);
}

}  // namespace

Bytes ipns_key(const PeerId& name) {
  Bytes key = to_bytes(as_bytes(kNamespace));
  append(key, name.bytes());
  return key;
}

// Who signed it comes before what it says: no stranger's data is read.
Result<IpnsRecord> open_ipns(const PeerId& name, ByteView record, WallTime now) {
  ASSIGN_OR_RETURN(const IpnsEntry entry, decode_ipns(record));
  RETURN_IF_ERROR(check_signature(name, entry));
  ASSIGN_OR_RETURN(const CborMap data, CborMap::read(entry.data));
  RETURN_IF_ERROR(check_copies(entry, data));
  ASSIGN_OR_RETURN(IpnsRecord opened, read_data(data));
  if (opened.validity < moment_of(now)) return fail(Errc::timeout, "ipns: the record has expired");
  return opened;
}

Result<Bytes> seal_ipns(const KeyPair& key, ByteView value, std::uint64_t sequence,
                        WallTime validity, Duration ttl) {
  if (sequence > std::numeric_limits<std::int64_t>::max()) return invalid("too high a sequence");
  if (ttl < Duration::zero()) return invalid("a negative ttl");
  const std::string until = to_rfc3339(validity);
  IpnsEntry entry;
  entry.value = to_bytes(value);
  entry.validity = to_bytes(as_bytes(until));
  entry.sequence = sequence;
  entry.ttl = static_cast<std::uint64_t>(ttl.count());
  entry.data = write_data(value, sequence, until, ttl);
  entry.signature_v1 = key.sign(first_signed_bytes(entry));
  entry.signature_v2 = key.sign(signed_bytes(entry.data));
  if (key.peer_id().inlined_key().empty()) entry.public_key = key.public_key().proto();
  Bytes record = encode_ipns(entry);
  if (record.size() > kMostIpnsRecord)
    return fail(Errc::limit, "ipns: a record of " + std::to_string(record.size()) +
                                 " bytes; at most " + std::to_string(kMostIpnsRecord));
  return record;
}

Result<void> IpnsValidator::validate(ByteView key, ByteView value, WallTime now) const {
  if (!as_text(key).starts_with(kNamespace)) return invalid("the key is none of /ipns");
  ASSIGN_OR_RETURN(const PeerId name, PeerId::from_bytes(key.subspan(kNamespace.size())));
  RETURN_IF_ERROR(open_ipns(name, value, now));
  return {};
}

std::size_t IpnsValidator::select(ByteView, std::span<const Bytes> values) const {
  std::vector<std::pair<std::optional<Standing>, std::string_view>> ranks;
  for (const Bytes& value : values) ranks.emplace_back(standing_of(value), as_text(value));
  return static_cast<std::size_t>(std::ranges::max_element(ranks) - ranks.begin());
}

bool IpnsValidator::same(ByteView, ByteView one, ByteView other) const {
  const auto first = decode_ipns(one), second = decode_ipns(other);
  return first && second && first->data == second->data;
}

}  // namespace kadmesh
