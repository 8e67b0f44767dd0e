#include "base/signature_memo.h"

#include <doctest/doctest.h>

#include "base/envelope.h"

namespace kadmesh {
namespace {

// Counts how often it is asked.
struct Judge {
  bool holds;
  int asked = 0;
  Result<void> operator()() {
    ++asked;
    return holds ? Result<void>() : fail(Errc::auth, "no");
  }
};

}  // namespace

TEST_CASE("signature memo: what holds is verified once") {
  SignatureMemo memo;
  Judge judge{true};
  for (int i = 0; i < 3; ++i) CHECK(memo.once("a", as_bytes("bytes"), std::ref(judge)));
  CHECK(judge.asked == 1);
  CHECK(memo.hits() == 2);
}

TEST_CASE("signature memo: a refusal is not remembered") {
  SignatureMemo memo;
  Judge judge{false};
  for (int i = 0; i < 3; ++i)
    CHECK(memo.once("a", as_bytes("bytes"), std::ref(judge)).error().code == Errc::auth);
  CHECK(judge.asked == 3);
  CHECK(memo.size() == 0);
}

TEST_CASE("signature memo: other bytes, or the same for another end, are verified for themselves") {
  SignatureMemo memo;
  Judge judge{true};
  CHECK(memo.once("a", as_bytes("bytes"), std::ref(judge)));
  CHECK(memo.once("a", as_bytes("byteS"), std::ref(judge)));
  CHECK(memo.once("b", as_bytes("bytes"), std::ref(judge)));
  CHECK(judge.asked == 3);
}

TEST_CASE("signature memo: peer records come to the same with one and without") {
  Rng rng(1);
  const KeyPair key = KeyPair::make(rng);
  Bytes record = seal_peer_record(key, {key.peer_id(), 7, {}}, RecordFlavour::standard);
  SignatureMemo memo;
  for (int i = 0; i < 2; ++i) {
    CHECK(open_peer_record(record, &memo)->seq == 7);
    CHECK(memo.hits() == static_cast<std::uint64_t>(i));
  }
  record.back() ^= 1;
  CHECK(open_peer_record(record, &memo).error().code == Errc::auth);
}

}  // namespace kadmesh
