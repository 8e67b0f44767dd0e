#include "store/ipns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/cbor.h"
#include "refusal.h"
#include "store/ipns_wire.h"
#include "vectors/ipns_records.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

constexpr WallTime kNow(1'700'000'000s);  // 2023-11-14T22:13:20Z
constexpr std::string_view kPath = "/ipfs/bafkqac3jobxhgidsn5rww4yk";

Bytes hex(std::string_view text) { return from_hex(text).value(); }
std::string hex_of(std::string_view text) { return to_hex(as_bytes(text)); }

KeyPair owner() { return KeyPair::from_seed({1, 2, 3}); }
KeyPair other() { return KeyPair::from_seed({4, 5, 6}); }
// A key that no name holds, of which nobody asks for a signature that fits.
KeyPair rsa_owner() {
  return KeyPair::signed_by(PublicKey::from_proto(hex(spec_keys::kRsaPublic)).value(),
                            [](ByteView) { return Bytes(256); });
}

Bytes record(std::uint64_t sequence, WallTime until = after(kNow, 1h)) {
  return seal_ipns(owner(), as_bytes(kPath), sequence, until, 5min).value();
}

Result<void> validate(const PeerId& name, ByteView value, WallTime now = kNow) {
  return IpnsValidator().validate(ipns_key(name), value, now);
}
Errc refusal(ByteView value) { return refusal_of(validate(owner().peer_id(), value)); }

// A record that is changed after it was signed, and encoded again.
template <class Change>
Bytes changed(Change change, Bytes value = record(1)) {
  IpnsEntry entry = decode_ipns(value).value();
  change(entry);
  return encode_ipns(entry);
}

// The fields of a record's data, as hex, for the owner to sign whatever they say.
using Fields = std::map<std::string, std::string, CborKeyOrder>;

Fields good_fields() {
  return {{"TTL", "00"},
          {"Value", "5820" + hex_of("/ipfs/bafkqac3jobxhgidsn5rww4yk1")},
          {"Sequence", "01"},
          {"Validity", "54" + hex_of("2023-11-15T00:00:00Z")},
          {"ValidityType", "00"}};
}

std::string text_key(std::string_view key) {
  return to_hex(Bytes{static_cast<std::uint8_t>(0x60 + key.size())}) + hex_of(key);
}

Bytes owner_signs(Bytes data) {
  IpnsEntry entry;
  Bytes statement = to_bytes(as_bytes("ipns-signature:"));
  append(statement, data);
  entry.signature_v2 = owner().sign(statement);
  entry.data = std::move(data);
  return encode_ipns(entry);
}

Bytes owner_signs(const Fields& fields) {
  std::string data = to_hex(Bytes{static_cast<std::uint8_t>(0xA0 + fields.size())});
  for (const auto& [key, value] : fields) data += text_key(key) + value;
  return owner_signs(hex(data));
}

Bytes with_field(const std::string& key, std::string value) {
  Fields fields = good_fields();
  fields[key] = std::move(value);
  return owner_signs(fields);
}

Result<IpnsRecord> open_vector(const ipns_records::Vector& vector) {
  return open_ipns(PeerId::from_text(vector.name).value(), hex(vector.record), kNow);
}

// The better one wins wherever it stands.
void check_better(const Bytes& better, const Bytes& worse) {
  const Bytes key = ipns_key(owner().peer_id());
  CHECK(IpnsValidator().select(key, std::vector{better, worse}) == 0);
  CHECK(IpnsValidator().select(key, std::vector{worse, better}) == 1);
  CHECK(IpnsValidator().select(key, std::vector{worse, better, worse}) == 1);
}

}  // namespace

TEST_CASE("ipns: the published records that hold, hold") {
  const IpnsRecord both = open_vector(ipns_records::kBoth).value();
  CHECK(as_text(both.value) == "/ipfs/bafkqaddwgevxmmraojswg33smq");
  CHECK(both.sequence == 0);
  CHECK(both.validity == moment_from_rfc3339("2123-08-14T12:17:03.694052Z").value());
  CHECK(both.ttl == 30min);
  CHECK(as_text(open_vector(ipns_records::kDataAlone).value().value) ==
        "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi");
  CHECK(as_text(open_vector(ipns_records::kBrokenFirstSignature).value().value) ==
        "/ipfs/bafkqahtwgevxmmrao5uxi2bamjzg623fnyqhg2lhnzqxi5lsmuqhmmi");
  CHECK(as_text(open_vector(ipns_records::kRsa).value().value) ==
        "/ipfs/bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am");
}

TEST_CASE("ipns: the published records that are broken do not hold") {
  CHECK(!open_vector(ipns_records::kCopiesAlone));
  CHECK(refusal_of(open_vector(ipns_records::kOtherValue)) == Errc::invalid);
  CHECK(refusal_of(open_vector(ipns_records::kBrokenSignature)) == Errc::auth);
}

TEST_CASE("ipns: a published record is written as its publisher wrote it") {
  for (const auto& vector :
       {ipns_records::kBoth, ipns_records::kDataAlone, ipns_records::kCopiesAlone,
        ipns_records::kBrokenFirstSignature, ipns_records::kRsa})
    CHECK(to_hex(encode_ipns(decode_ipns(hex(vector.record)).value())) == vector.record);
}

TEST_CASE("ipns: a sealed record says what it was given, under the name of its key alone") {
  const Bytes sealed = record(7);
  const IpnsRecord opened = open_ipns(owner().peer_id(), sealed, kNow).value();
  CHECK(as_text(opened.value) == kPath);
  CHECK(opened.sequence == 7);
  CHECK(opened.validity == moment_of(after(kNow, 1h)));
  CHECK(opened.ttl == 5min);
  CHECK(refusal_of(validate(other().peer_id(), sealed)) == Errc::auth);
}

TEST_CASE("ipns: a record holds to its last moment, and not a nanosecond longer") {
  const WallTime end = after(kNow, 1h);
  const PeerId name = owner().peer_id();
  CHECK(validate(name, record(1, end), end));
  CHECK(refusal_of(validate(name, record(1, end), after(end, 1ns))) == Errc::timeout);
}

TEST_CASE("ipns: who signed comes before what is said: an expired forgery is a forgery") {
  const Bytes forged =
      changed([](IpnsEntry& entry) { entry.signature_v2[0] ^= 1; }, record(1, after(kNow, -1h)));
  CHECK(refusal(forged) == Errc::auth);
}

TEST_CASE("ipns: an end beyond our clock is an end") {
  const Bytes late = with_field("Validity", "54" + hex_of("9999-12-31T23:59:59Z"));
  CHECK(validate(owner().peer_id(), late, WallTime::max()));
}

// ipfs/boxo (8df89a7), ipns/validation_test.go: TestValidate.
TEST_CASE("ipns: the first signature is not looked at, the second must be there and fit") {
  const PeerId name = owner().peer_id();
  CHECK(validate(name, changed([](IpnsEntry& entry) { entry.signature_v1.clear(); })));
  CHECK(validate(name, changed([](IpnsEntry& entry) { entry.signature_v1 = {1, 2, 3}; })));
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.signature_v2.clear(); })) == Errc::auth);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.signature_v2 = {1, 2, 3}; })) == Errc::auth);
  CHECK(!validate(name, changed([](IpnsEntry& entry) { entry.data.clear(); })));
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.data[10] ^= 1; })) == Errc::auth);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.data[0] = 0xFF; })) == Errc::auth);
}

TEST_CASE("ipns: each copy outside the data must say what the data says") {
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.value[8] ^= 1; })) == Errc::invalid);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.validity[3] ^= 1; })) == Errc::invalid);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.validity_type = 1; })) == Errc::invalid);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.sequence = 2; })) == Errc::invalid);
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.ttl = 2; })) == Errc::invalid);
  // One of the two that call for them is enough.
  CHECK(refusal(changed([](IpnsEntry& entry) { entry.value.clear(); })) == Errc::invalid);
  CHECK(refusal(changed([](IpnsEntry& entry) {
          entry.signature_v1.clear();
          entry.sequence = 2;
        })) == Errc::invalid);
}

TEST_CASE("ipns: without a value and a first signature, other copies are not looked at") {
  Bytes value = with_field("TTL", "00");
  value.insert(value.begin(), {0x28, 0x07});  // a sequence of 7
  CHECK(decode_ipns(value).value().sequence == 7);
  CHECK(open_ipns(owner().peer_id(), value, kNow).value().sequence == 1);
}

// ipfs/boxo (8df89a7), ipns/validation_test.go: TestEmbeddedPubKeyValidate.
TEST_CASE("ipns: a key that the name does not hold comes with the record") {
  const PeerId name = PeerId::from_text(ipns_records::kRsa.name).value();
  const Bytes published = hex(ipns_records::kRsa.record);
  const auto refusal_with = [&](Bytes key) {
    return refusal_of(
        validate(name, changed([&](IpnsEntry& entry) { entry.public_key = key; }, published)));
  };
  REQUIRE(validate(name, published));
  CHECK(refusal_with({}) == Errc::auth);
  CHECK(refusal_with(owner().public_key().proto()) == Errc::auth);
  CHECK(refusal_with(hex(spec_keys::kRsaPublic)) == Errc::auth);
  CHECK(refusal_with({1, 2, 3}) == Errc::malformed);
}

// As in go and js: the key is what hashes to the name, not how it was written.
TEST_CASE("ipns: a key that is brought may be encoded otherwise, and is the same key") {
  const std::string data = to_hex(owner().public_key().data());
  const auto brought = [](std::string_view proto) {
    return validate(owner().peer_id(),
                    changed([&](IpnsEntry& entry) { entry.public_key = hex(proto); }));
  };
  for (const std::string& proto : {"0801"
                                   "1220" +
                                       data,
                                   "1220" + data + "0801",
                                   "0801"
                                   "1220" +
                                       data + "7800",
                                   "088100"
                                   "12a000" +
                                       data,
                                   "0800"
                                   "0801"
                                   "1220" +
                                       data,
                                   "088180808010"
                                   "1220" +
                                       data})
    CHECK_MESSAGE(brought(proto), proto);
  CHECK(refusal_of(brought("1220" + data)) == Errc::malformed);
  CHECK(refusal_of(brought("0801")) == Errc::malformed);
  CHECK(refusal_of(brought("0805"
                           "1220" +
                           data)) == Errc::unsupported);
  CHECK(refusal_of(brought("0801"
                           "1221" +
                           data + "00")) == Errc::malformed);
}

TEST_CASE("ipns: nobody writes under another's name by bringing a key of their own") {
  const Bytes others = seal_ipns(other(), as_bytes(kPath), 1, after(kNow, 1h), 0s).value();
  const Bytes bringing =
      changed([](IpnsEntry& entry) { entry.public_key = other().public_key().proto(); }, others);
  REQUIRE(validate(other().peer_id(), bringing));
  CHECK(refusal(bringing) == Errc::auth);
  CHECK(refusal_of(validate(PeerId::from_text(ipns_records::kRsa.name).value(), bringing)) ==
        Errc::auth);
}

TEST_CASE("ipns: a sealed record brings its key when the name does not hold it") {
  const Bytes rsa = seal_ipns(rsa_owner(), as_bytes(kPath), 1, after(kNow, 1h), 0s).value();
  CHECK(to_hex(decode_ipns(rsa).value().public_key) == spec_keys::kRsaPublic);
  CHECK(decode_ipns(record(1)).value().public_key.empty());
  // A key beside the name that holds it too is read, and must be that key.
  const auto bringing = [](const KeyPair& key) {
    return changed([&](IpnsEntry& entry) { entry.public_key = key.public_key().proto(); });
  };
  CHECK(validate(owner().peer_id(), bringing(owner())));
  CHECK(refusal(bringing(other())) == Errc::auth);
}

// ipfs/boxo (8df89a7), ipns/validation_test.go: TestOrdering.
TEST_CASE("ipns: the higher sequence wins, then the later end, then the greater bytes") {
  check_better(record(2), record(1));
  check_better(record(2, after(kNow, 1h)), record(1, after(kNow, 9h)));
  // Several, as signatures decide which of two has the greater bytes.
  for (const auto hours : {1h, 2h, 3h, 4h, 5h, 6h, 7h, 8h})
    check_better(record(3, after(kNow, hours + 1h)), record(3, after(kNow, hours)));
  check_better(record(3, after(kNow, 1ns)), record(3, kNow));
  const Bytes one = with_field("TTL", "01"), two = with_field("TTL", "02");
  check_better(std::max(one, two), std::min(one, two));
  CHECK(IpnsValidator().select(ipns_key(owner().peer_id()), std::vector<Bytes>{one}) == 0);
}

TEST_CASE("ipns: what cannot be read loses to what can") {
  const Bytes one = record(1);
  check_better(one, changed([](IpnsEntry& entry) { entry.signature_v2.clear(); }, record(2)));
  for (const Bytes& garbage : {Bytes{}, Bytes{0xFF}, Bytes(20'000, 0xFF),
                               with_field("Sequence", "f6"), owner_signs(hex("ff"))})
    check_better(one, garbage);
}

// go keeps it as int64 (ipfs/boxo, ipns/record.go: Sequence), and compares it as uint64.
TEST_CASE("ipns: a sequence is read as go reads it") {
  const Bytes highest = with_field("Sequence", "20");  // -1
  CHECK(open_ipns(owner().peer_id(), highest, kNow).value().sequence == ~std::uint64_t{0});
  check_better(highest, with_field("Sequence", "1b7fffffffffffffff"));
  CHECK(refusal(with_field("Sequence", "1b8000000000000000")) == Errc::invalid);
}

// ipfs/boxo (8df89a7), ipns/validation_test.go: TestValidateRejectsNegativeTTL.
TEST_CASE("ipns: a ttl may be missing, and not negative") {
  CHECK(refusal(with_field("TTL", "20")) == Errc::invalid);
  Fields without = good_fields();
  without.erase("TTL");
  CHECK(open_ipns(owner().peer_id(), owner_signs(without), kNow).value().ttl == 0s);
}

TEST_CASE("ipns: the data may hold more, and in any order") {
  const PeerId name = owner().peer_id();
  CHECK(validate(name, with_field("_more",
                                  "a1"
                                  "6161"
                                  "82"
                                  "f6"
                                  "d82a4a00015500050001020304")));
  std::string data = "a5";
  const Fields fields = good_fields();
  for (auto field = fields.rbegin(); field != fields.rend(); ++field)
    data += text_key(field->first) + field->second;
  CHECK(validate(name, owner_signs(hex(data))));
}

TEST_CASE("ipns: of validity there is one type, and one way to write a time") {
  CHECK(refusal(with_field("ValidityType", "01")) == Errc::invalid);
  CHECK(refusal(with_field("Validity", "54" + hex_of("2023-11-15 00:00:00Z"))) == Errc::invalid);
  CHECK(refusal(with_field("Validity", "40")) == Errc::invalid);
  // The same time, as text instead of bytes.
  CHECK(refusal(with_field("Validity", "74" + hex_of("2023-11-15T00:00:00Z"))) == Errc::invalid);
}

TEST_CASE("ipns: a record is at most 10 KiB, and is not sealed above it") {
  const auto sealed = [](std::size_t size) {
    return seal_ipns(owner(), Bytes(size, 'x'), 1, after(kNow, 1h), 0s);
  };
  // The value comes twice; between two sizes of it lie two bytes.
  const std::size_t most = (kMostIpnsRecord - sealed(4000).value().size()) / 2 + 4000;
  CHECK(validate(owner().peer_id(), sealed(most).value()));
  CHECK(refusal_of(sealed(most + 1)) == Errc::limit);
  const auto padded_to = [](std::size_t size) {
    Bytes padded = record(1);
    const std::size_t rest = size - padded.size() - 3;  // field 15, whatever it may be
    padded.insert(padded.end(), {0x7A, static_cast<std::uint8_t>(rest | 0x80),
                                 static_cast<std::uint8_t>(rest >> 7)});
    padded.resize(size);
    return padded;
  };
  CHECK(validate(owner().peer_id(), padded_to(kMostIpnsRecord)));
  CHECK(refusal(padded_to(kMostIpnsRecord + 1)) == Errc::limit);
}

TEST_CASE("ipns: what others would read otherwise is not sealed") {
  const auto refused = [](std::uint64_t sequence, Duration ttl) {
    return refusal_of(seal_ipns(owner(), as_bytes(kPath), sequence, kNow, ttl));
  };
  CHECK(refused(std::uint64_t{1} << 63, 0s) == Errc::invalid);
  CHECK(refused(1, -1ns) == Errc::invalid);
}

std::string times(std::size_t count, std::string_view hex_text) {
  std::string all;
  for (; count > 0; --count) all += hex_text;
  return all;
}

Bytes behind(std::string_view front, const Bytes& value) {
  Bytes whole = hex(front);
  append(whole, value);
  return whole;
}

// What lies around the signed data is anybody's to write. go takes each of these
// (google.golang.org/protobuf 1.36.11), and would rank most of them above the record.
TEST_CASE("H62: nobody makes a valid record invalid by encoding it anew") {
  for (const std::string& front : {
           times(1000, "7800"),               // many fields
           std::string("f8808080800000"),     // a tag in more bytes than it needs
           std::string("f8ffffff0f00"),       // the highest number
           "7a81" + times(8, "80") + "0000",  // a length of 1 in ten bytes
           "79" + times(8, "00") + "7d" + times(4, "00"),
           std::string("7b7c"),                    // a group
           times(2000, "7b") + times(2000, "7c"),  // one in another
           std::string("7b8080808020007c"),        // in it a number that stands nowhere else
           std::string("0d00000000"
                       "2a00"
                       "4801"
                       "0b0c"),  // ours, of another type
           std::string("2807"
                       "0a00"),  // ours, before what counts
       })
    CHECK_MESSAGE(validate(owner().peer_id(), behind(front, record(1))), front);
}

TEST_CASE("H56: a record that is encoded anew says the same, another does not") {
  const Bytes key = ipns_key(owner().peer_id()), one = record(1);
  CHECK(IpnsValidator().same(key, one, behind("7800", one)));
  CHECK(IpnsValidator().same(key, behind("7800", one), one));
  CHECK_FALSE(IpnsValidator().same(key, one, record(2)));
  CHECK_FALSE(IpnsValidator().same(key, with_field("TTL", "01"), with_field("TTL", "02")));
  CHECK_FALSE(IpnsValidator().same(key, one, Bytes{0xff}));
}

TEST_CASE("H62: what is no protobuf for go is none in front of a record") {
  for (const std::string& front :
       {std::string("7b"), std::string("7c"), std::string("7b74"), std::string("7b7b7c"),
        std::string("0000"), std::string("808080801000"), std::string("7b808080804000007c"),
        std::string("7e"), std::string("7f"), "78" + times(9, "ff") + "02",
        "78" + times(10, "80") + "00", std::string("7aff7f")})
    CHECK_MESSAGE(refusal(behind(front, record(1))) == Errc::malformed, front);
}

// As in boxo, Validate: proto.Size.
TEST_CASE("ipns: a record is at most 10 KiB also when go writes it again") {
  Bytes value = with_field("TTL", "00");
  const std::size_t rest = kMostIpnsRecord - value.size() - 3 - 6;
  value.insert(value.end(), {0x7A, static_cast<std::uint8_t>(rest | 0x80),
                             static_cast<std::uint8_t>(rest >> 7)});
  value.resize(kMostIpnsRecord - 6);
  REQUIRE(validate(owner().peer_id(), value));
  // A type of -1, which go writes in ten bytes.
  CHECK(refusal(behind("18ffffffff0f", value)) == Errc::limit);
  CHECK(validate(owner().peer_id(), behind("18ffffffff07", value)));  // of 2^31 - 1, in five
}

TEST_CASE("ipns: a key is /ipns/ and the bytes of a peer id") {
  const auto refusal_at = [](Bytes key) {
    return refusal_of(IpnsValidator().validate(key, record(1), kNow));
  };
  const Bytes name = to_bytes(owner().peer_id().bytes());
  for (const std::string_view prefix : {"", "/ipns", "//", "/pk/"}) {
    Bytes key = to_bytes(as_bytes(prefix));
    append(key, name);
    CHECK_MESSAGE(refusal_at(key) == Errc::invalid, prefix);
  }
  CHECK(refusal_at(to_bytes(as_bytes("/ipns/bad key"))) == Errc::malformed);
  CHECK(refusal_at(to_bytes(as_bytes("/ipns/" + owner().peer_id().text()))) == Errc::malformed);
}

TEST_CASE("H62: a record is refused wherever it is cut") {
  const Bytes whole = record(1);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_MESSAGE(!validate(owner().peer_id(), cut), length);
  }
}

// Signed by the name's owner: nothing but the check of each type stands before what uses it.
TEST_CASE("H66: a field of another type than it must have is refused, whoever signed it") {
  REQUIRE(validate(owner().peer_id(), owner_signs(good_fields())));
  const std::vector<std::string> integers{"00", "20"},
      bytes{"40", "54" + hex_of("2023-11-15T00:00:00Z")};
  const std::vector<std::string> others{
      "6130", "80", "a0", "f4", "f6", "fb3ff0000000000000", "d82a4100", "1bffffffffffffffff"};
  for (const auto& [key, wrong] : {std::pair("Sequence", bytes), std::pair("ValidityType", bytes),
                                   std::pair("Validity", integers)}) {
    for (const std::string& value : wrong)
      CHECK_MESSAGE(refusal(with_field(key, value)) == Errc::invalid, key << " " << value);
    for (const std::string& value : others)
      CHECK_MESSAGE(refusal(with_field(key, value)) == Errc::invalid, key << " " << value);
    Fields without = good_fields();
    without.erase(key);
    CHECK_MESSAGE(refusal(owner_signs(without)) == Errc::invalid, key);
  }
}

}  // namespace kadmesh
