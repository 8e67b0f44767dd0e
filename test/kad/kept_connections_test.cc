#include "kad/kept_connections.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

// Of one bucket: who shares no bit with `self`, ascending.
std::vector<PeerId> strangers(const PeerId& self, std::size_t count) {
  std::vector<PeerId> found;
  for (unsigned i = 1; found.size() < count; ++i)
    if (common_prefix(KadId::of(self), KadId::of(peer(i))) == 0) found.push_back(peer(i));
  return found;
}

struct Kept {
  explicit Kept(std::size_t most) : kept(KadId::of(self), most) {}

  // "+0" for hold, "-0" for let go, each by the number among `them`.
  std::string on(std::size_t which, bool entered) {
    std::string said;
    for (const KadHold& hold : kept.on({them[which], entered}))
      said += (hold.hold ? "+" : "-") +
              std::to_string(std::ranges::find(them, hold.peer) - them.begin());
    return said;
  }
  std::string enter(std::size_t which) { return on(which, true); }
  std::string leave(std::size_t which) { return on(which, false); }

  PeerId self = peer(0);
  std::vector<PeerId> them = strangers(self, 4);
  KeptConnections kept;
};

TEST_CASE("kept connections: so many of a bucket, those who came first") {
  Kept bucket(2);
  CHECK(bucket.enter(0) == "+0");
  CHECK(bucket.enter(1) == "+1");
  CHECK(bucket.enter(2) == "");
  CHECK(bucket.leave(2) == "");
}

TEST_CASE("kept connections: who leaves makes room for the one who has been there longest") {
  Kept bucket(1);
  for (std::size_t i = 0; i < 4; ++i) bucket.enter(i);
  CHECK(bucket.leave(1) == "");
  CHECK(bucket.leave(0) == "-0+2");
  CHECK(bucket.leave(2) == "-2+3");
  CHECK(bucket.leave(3) == "-3");
  CHECK(bucket.enter(0) == "+0");
}

TEST_CASE("kept connections: none at all is a wish like any other") {
  Kept bucket(0);
  CHECK(bucket.enter(0) == "");
  CHECK(bucket.leave(0) == "");
}

TEST_CASE("kept connections: buckets do not count each other's") {
  Kept bucket(1);
  CHECK(bucket.enter(0) == "+0");
  PeerId other = bucket.self;
  for (unsigned i = 1; common_prefix(KadId::of(bucket.self), KadId::of(other)) != 1; ++i)
    other = peer(i);
  const std::vector<KadHold> said = bucket.kept.on({other, true});
  REQUIRE(said.size() == 1);
  CHECK(said.front().hold);
}

}  // namespace
}  // namespace kadmesh
