// Covers: src/store/ipns.cc src/store/ipns_wire.cc src/base/moment.cc
#include <array>

#include "base/check.h"
#include "store/ipns.h"
#include "store/ipns_wire.h"

using namespace kadmesh;

namespace {

constexpr WallTime kNow(1'700'000'000s);

KeyPair owner() { return KeyPair::from_seed(Ed25519Seed{1}); }

bool valid(ByteView record) {
  return IpnsValidator().validate(ipns_key(owner().peer_id()), record, kNow).has_value();
}

// What is read is written as it was meant, whatever its first encoding.
void check_encoding(ByteView record) {
  const auto entry = decode_ipns(record);
  if (!entry) return KAD_CHECK(!valid(record));
  const Bytes again = encode_ipns(*entry);
  KAD_CHECK(again.size() <= record.size() + 64);
  if (again.size() <= kMostIpnsRecord) KAD_CHECK(valid(again) == valid(record));
}

// Data behind a signature that holds, which no mutation would find.
Bytes owner_signs(ByteView data) {
  Bytes statement = to_bytes(as_bytes("ipns-signature:"));
  append(statement, data);
  IpnsEntry entry;
  entry.signature_v2 = owner().sign(statement);
  entry.data = to_bytes(data);
  return encode_ipns(entry);
}

// Whichever stands first, the same one is the best; and what is valid is no worse than noise.
void check_choice(const Bytes& a, const Bytes& b) {
  const IpnsValidator validator;
  const std::array ab{a, b}, ba{b, a};
  const Bytes& best = ab.at(validator.select({}, ab));
  KAD_CHECK(best == ba.at(validator.select({}, ba)));
  if (valid(a) && !decode_ipns(b)) KAD_CHECK(best == a);
}

void check_sealed(ByteView value) {
  const auto record = seal_ipns(owner(), value, 7, kNow, 5s);
  if (!record) return KAD_CHECK(value.size() > 1024);
  const auto opened = open_ipns(owner().peer_id(), *record, kNow);
  KAD_CHECK(opened && equal(opened->value, value) && opened->sequence == 7 && opened->ttl == 5s);
}

void check_moment(std::string_view text) {
  const auto moment = moment_from_rfc3339(text);
  if (!moment) return;
  KAD_CHECK(moment->nanoseconds < 1'000'000'000);
  // The years 0 to 9999, and a day for clocks ahead and behind.
  KAD_CHECK(moment->seconds >= -62'167'219'200 - 86'400);
  KAD_CHECK(moment->seconds <= 253'402'300'799 + 86'400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_encoding(input);
  const Bytes data_signed = owner_signs(input);
  check_encoding(data_signed);
  check_choice(data_signed, to_bytes(input));
  check_sealed(input);
  check_moment(as_text(input));
  return 0;
}
