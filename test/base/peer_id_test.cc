#include "base/peer_id.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "refusal.h"
#include "vectors/spec_keys.h"

namespace kadmesh {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

PeerId spec_id() { return PeerId::of_key(hex(spec_keys::kEd25519Public)); }

Errc refusal(std::string_view bytes) { return refusal_of(PeerId::from_bytes(hex(bytes))); }

}  // namespace

TEST_CASE("peer id: the ids of the specification's keys") {
  using namespace spec_keys;
  CHECK(PeerId::of_key(hex(kEd25519Public)).text() == kEd25519Id);
  CHECK(PeerId::of_key(hex(kSecp256k1Public)).text() == kSecp256k1Id);
  CHECK(PeerId::of_key(hex(kEcdsaPublic)).text() == kEcdsaId);
  CHECK(PeerId::of_key(hex(kRsaPublic)).text() == kRsaId);
}

TEST_CASE("peer id: every way to write one is read") {
  const PeerId id = spec_id();
  CHECK(to_hex(id.bytes()) == "0024" + std::string(spec_keys::kEd25519Public));
  CHECK(id.base32_cid() == "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6");
  CHECK(id.base36_cid() == "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe");
  for (const std::string& text :
       {id.text(), id.base32_cid(), id.base36_cid(), "f0172" + to_hex(id.bytes()),
        "BAFZAAJAIAEJCAHWR5D5OFRFBIS4L5D6UWR57HU5TJODRYPFM6YAQ6DSC2R2PZYT6" + std::string()}) {
    CHECK(PeerId::from_text(text).value() == id);
  }
}

// Examples of libp2p specs, peer-ids/peer-ids.md.
TEST_CASE("peer id: hashed ids as text and as CID") {
  const auto hashed = PeerId::from_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
  CHECK(hashed.text() == "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
  CHECK(hashed.inlined_key().empty());
  const std::string cid = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe";
  CHECK(PeerId::from_text(cid).value().base32_cid() == cid);
}

TEST_CASE("peer id: an inlined id holds its key") {
  CHECK(to_hex(spec_id().inlined_key()) == spec_keys::kEd25519Public);
  CHECK(PeerId::of_key(Bytes(42, 1)).inlined_key().size() == 42);
  CHECK(PeerId::of_key(Bytes(43, 1)).inlined_key().empty());
}

TEST_CASE("peer id: only the two multihashes of the specification are ids") {
  CHECK(refusal("") == Errc::malformed);
  CHECK(refusal("00") == Errc::malformed);
  CHECK(refusal("0000") == Errc::malformed);
  CHECK(refusal("000201") == Errc::malformed);  // length does not fit
  CHECK(refusal("00010101") == Errc::malformed);
  CHECK(refusal("002b" + to_hex(Bytes(43, 1))) == Errc::malformed);  // too long to inline
  CHECK(refusal("121f" + to_hex(Bytes(31, 1))) == Errc::malformed);  // half a hash
  CHECK(refusal("1320" + to_hex(Bytes(32, 1))) == Errc::malformed);  // SHA-512
  CHECK(refusal("8000" + to_hex(Bytes(32, 1))) == Errc::malformed);  // not minimal
  CHECK(PeerId::from_bytes(hex("1220" + to_hex(Bytes(32, 1)))));
}

TEST_CASE("peer id: text that is no id is an error") {
  for (const char* text : {"", "1", "Qm", "Q", "z", "b", "12D3KooW0", "bafz", "hello world",
                           "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5",
                           // a CIDv1 with the codec dag-pb
                           "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"}) {
    CAPTURE(text);
    CHECK(!PeerId::from_text(text));
  }
  CHECK(refusal_of(PeerId::from_text(std::string(100000, '1'))) == Errc::malformed);
}

TEST_CASE("peer id: order and hash follow the bytes") {
  const PeerId low = PeerId::of_key(Bytes{1}), high = PeerId::of_key(Bytes{2});
  CHECK(low < high);
  CHECK(low == PeerId::of_key(Bytes{1}));
  CHECK(PeerId::of_key(Bytes{1}) < PeerId::of_key(Bytes{1, 0}));
  CHECK(std::hash<PeerId>{}(low) == std::hash<PeerId>{}(PeerId::of_key(Bytes{1})));
  CHECK(std::hash<PeerId>{}(low) != std::hash<PeerId>{}(high));
}

TEST_CASE("peer id: any two are ordered as their bytes are, a prefix first") {
  std::vector<PeerId> ids;
  for (const std::size_t size : {1U, 5U, 6U, 7U, 20U, 42U}) {
    for (const std::size_t at : {0U, 5U, 6U, 41U}) {
      Bytes key(size, 0);
      if (at < size) key[at] = 200;
      ids.push_back(PeerId::of_key(key));
    }
  }
  for (const PeerId& a : ids) {
    for (const PeerId& b : ids) {
      CHECK((a < b) == std::ranges::lexicographical_compare(a.bytes(), b.bytes()));
      CHECK((a == b) == std::ranges::equal(a.bytes(), b.bytes()));
    }
  }
}

TEST_CASE("peer id: the short form is the end of the long one") {
  CHECK(spec_id().short_text() == "o7R3pq");
}

}  // namespace kadmesh
