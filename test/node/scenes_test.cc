// Scenes of the acceptance list, in virtual time.
#include "town.h"

namespace kadmesh {

TEST_CASE("S1 trio: two connect to one; tables and meshes within 2 s; they find each other") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen(), charlie = town.citizen();
  for (const auto who : {alice, bob, charlie}) town.subscribe(who, "space");
  town.connect(bob, town.bare_addr(alice));
  town.connect(charlie, town.bare_addr(alice));
  CHECK(town.run_until(
      [&] {
        return town.knows(alice, bob) && town.knows(alice, charlie) && town.knows(bob, alice) &&
               town.in_mesh(alice, bob, "space") && town.in_mesh(charlie, alice, "space");
      },
      2s));
  CHECK(town.run_until([&] { return town.knows(bob, charlie) && town.knows(charlie, bob); }, 5s));
  const OpId put = town.put(alice, "/v/space", "created");
  REQUIRE(town.run_until([&] { return town.ended(alice, put); }, 1s));
  CHECK(town.report<PutReport>(alice, put).acknowledged == 2);
}

TEST_CASE("S2 alone: a put succeeds at once, says so, and reaches the first who comes") {
  Town town;
  const auto alice = town.citizen();
  const OpId put = town.put(alice, "/v/space", "lonely");
  REQUIRE(town.run_until([&] { return town.ended(alice, put); }, 100ms));
  CHECK(town.report<PutReport>(alice, put).stored_locally);
  CHECK(town.report<PutReport>(alice, put).pending);
  CHECK(town.report<PutReport>(alice, put).contacted == 0);
  CHECK(town.publish(alice, "space", "hello").error().code == Errc::no_peers);

  const auto bob = town.citizen();
  town.meet(bob, alice);
  town.run_for(5s);
  town.kill(alice);  // what Bob reads now is what reached him
  const OpId get = town.get(bob, "/v/space");
  REQUIRE(town.run_until([&] { return town.ended(bob, get); }, 11s));
  CHECK(as_text(town.report<GetReport>(bob, get).value) == "lonely");
}

TEST_CASE("S3 any order: a seed that starts late, and one that restarts, are joined within 5 s") {
  Town town;
  const auto alice = town.citizen();
  town.kill(alice);
  const auto bob = town.citizen_with_seed(town.bare_addr(alice));
  const auto charlie = town.citizen_with_seed(town.bare_addr(alice));
  town.run_for(30s);
  town.restart(alice);
  const auto joined = [&] {
    return town.knows(bob, alice) && town.knows(charlie, alice) && town.knows(bob, charlie);
  };
  CHECK(town.run_until(joined, 35s));  // a backoff of at most 2^n s, with full jitter
  town.kill(alice);
  town.run_for(1s);
  town.restart(alice);
  CHECK(town.run_until([&] { return town.knows(alice, bob) && town.knows(alice, charlie); }, 20s));
}

TEST_CASE("S4 put and get: on the other node within 500 ms; a missing key is not found as fast") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.run_for(1s);
  const OpId put = town.put(alice, "/v/key", "value");
  REQUIRE(town.run_until([&] { return town.ended(alice, put); }, 500ms));
  const OpId get = town.get(bob, "/v/key");
  REQUIRE(town.run_until([&] { return town.ended(bob, get); }, 500ms));
  CHECK(as_text(town.report<GetReport>(bob, get).value) == "value");
  const OpId missing = town.get(bob, "/v/nowhere");
  REQUIRE(town.run_until([&] { return town.ended(bob, missing); }, 500ms));
  CHECK(town.error(bob, missing).code == Errc::not_found);
}

TEST_CASE("S4 put and get: of two puts the validator's winner is read on both") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.run_for(1s);
  town.put(alice, "/v/key", "a smaller value");
  town.put(bob, "/v/key", "the greater value");
  town.run_for(1s);
  for (const auto who : {alice, bob}) {
    const OpId get = town.get(who, "/v/key");
    REQUIRE(town.run_until([&] { return town.ended(who, get); }, 500ms));
    CHECK(as_text(town.report<GetReport>(who, get).value) == "the greater value");
  }
}

TEST_CASE("S5 dead peers: a get ends at its deadline, once, and leaks no stream") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen(), charlie = town.citizen();
  town.meet(bob, alice);
  town.meet(charlie, alice);
  town.run_for(3s);
  town.freeze(bob);
  town.freeze(charlie);
  const std::size_t before = town.node(alice).stats().swarm.streams;
  const Time asked = town.now().mono;
  const OpId get = town.get(alice, "/v/key", 3s), put = town.put(alice, "/v/other", "x", 3s);
  town.run_for(4s);
  REQUIRE(town.ended(alice, get));
  REQUIRE(town.ended(alice, put));
  CHECK(town.error(alice, get).code == Errc::timeout);
  CHECK(town.ended_at(alice, get) - asked <= 3s + 100ms);
  CHECK(town.ended_at(alice, put) - asked <= 3s + 100ms);
  town.thaw(bob);
  town.thaw(charlie);
  town.run_for(10s);  // late answers find nobody; a second Done would abort the world
  CHECK(town.node(alice).stats().swarm.streams <= before);
}

TEST_CASE("S7 hub: what Bob says reaches Charlie through Alice within a second") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen(), charlie = town.citizen();
  for (const auto who : {alice, bob, charlie}) town.subscribe(who, "space");
  town.meet(bob, alice);
  town.meet(charlie, alice);
  town.cut(bob, charlie);
  town.run_for(2s);
  REQUIRE(town.publish(bob, "space", "hello").has_value());
  CHECK(town.run_until([&] { return town.messages(charlie) == 1; }, 1s));
  town.run_for(5s);
  CHECK(town.messages(charlie) == 1);
  CHECK(town.messages(alice) == 1);
}

TEST_CASE("publish: a message right after the connection is up is not lost") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.subscribe(alice, "space");
  town.subscribe(bob, "space");
  town.connect(bob, town.bare_addr(alice));
  REQUIRE(town.run_until([&] { return town.publish(alice, "space", "first").has_value(); }, 2s));
  CHECK(town.run_until([&] { return town.messages(bob) == 1; }, 1s));
}

TEST_CASE("world: the same seed plays the same run") {
  const auto play = [](std::uint64_t seed) {
    Town town(seed);
    const auto alice = town.citizen(), bob = town.citizen();
    town.meet(bob, alice);
    town.run_for(5s);
    return std::pair(town.id(alice), town.reports(bob).size());
  };
  CHECK(play(5) == play(5));
  CHECK(play(5) != play(6));
}

}  // namespace kadmesh
