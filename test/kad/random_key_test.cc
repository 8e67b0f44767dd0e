#include "kad/random_key.h"

#include <doctest/doctest.h>

#include "people.h"

namespace kadmesh {
using namespace testing;

TEST_CASE("random key: it shares the bits that are wanted, and reads as a peer id") {
  Rng rng(1);
  for (unsigned bits = 0; bits <= 11; ++bits) {
    const auto key = random_key(rng, KadId::of(peer(0)), bits);
    REQUIRE(key);
    CHECK(common_prefix(KadId::of(peer(0)), KadId::of(*key)) >= bits);
    CHECK(PeerId::from_bytes(*key).has_value());
  }
}

TEST_CASE("random key: one that no luck finds is given up") {
  Rng rng(1);
  CHECK_FALSE(random_key(rng, KadId::of(peer(0)), kKadBits));
}

}  // namespace kadmesh
