// Covers: src/store/ipns.cc src/store/ipns_wire.cc src/store/loose_proto.cc
// src/store/brought_key.cc Covers: src/base/moment.cc
#include <algorithm>
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

// A number in up to ten bytes, as the input has it.
void put_padded(Bytes& out, std::uint64_t number, std::uint8_t padding) {
  std::size_t size = 1;
  for (std::uint64_t rest = number >> 7; rest > 0; rest >>= 7) ++size;
  size = std::max(size, std::size_t{padding} % 11);
  for (std::size_t i = 1; i < size; ++i, number >>= 7)
    out.push_back(static_cast<std::uint8_t>(number | 0x80));
  out.push_back(static_cast<std::uint8_t>(number));
}

// A field that no record has, of any type and in any encoding that go takes.
void put_unknown(Bytes& out, ByteView& input, unsigned depth) {
  const auto next = [&]() -> std::uint8_t {
    if (input.empty()) return 0;
    const std::uint8_t byte = input.front();
    input = input.subspan(1);
    return byte;
  };
  constexpr std::array<std::uint8_t, 5> kWires{0, 1, 2, 5, 3};
  const std::uint8_t wire = kWires.at(next() % kWires.size());
  const std::uint64_t number = 16 + std::uint64_t{next()} * next() * next();
  put_padded(out, number << 3 | wire, next());
  if (wire == 0) put_padded(out, std::uint64_t{next()} << (next() % 57), next());
  if (wire == 1 || wire == 5) out.resize(out.size() + (wire == 1 ? 8 : 4));
  if (wire == 2) {
    const std::size_t length = next();
    put_padded(out, length, next());
    out.resize(out.size() + length);
  }
  if (wire != 3) return;
  while (depth < 100 && !input.empty() && next() % 2 == 0) put_unknown(out, input, depth + 1);
  put_padded(out, number << 3 | 4, next());
}

// The encoding is not signed: nobody makes a valid record invalid by writing more around it.
void check_front(ByteView input) {
  static const Bytes kRecord = seal_ipns(owner(), {}, 7, kNow, 5s).value();
  Bytes record;
  do put_unknown(record, input, 0);
  while (!input.empty() && record.size() < kMostIpnsRecord);
  append(record, kRecord);
  if (record.size() <= kMostIpnsRecord) KAD_CHECK(valid(record));
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
  check_front(input);
  check_moment(as_text(input));
  return 0;
}
