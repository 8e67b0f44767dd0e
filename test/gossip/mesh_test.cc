#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

// Joined "t", and so have the peers 1 to `members`, of whom the first `outbound` were dialed.
struct Mesh : Router {
  explicit Mesh(std::size_t members = 0, std::size_t outbound = 0, GossipConfig config = {})
      : Router(std::move(config)) {
    subscribe_us();
    for (std::size_t n = 1; n <= members; ++n) member(n, n <= outbound);
  }
  std::size_t outbound_in_mesh(std::size_t dialed) {
    std::size_t count = 0;
    for (std::size_t n = 1; n <= dialed; ++n) count += in_mesh(n) ? 1U : 0U;
    return count;
  }
};

}  // namespace

TEST_CASE("mesh: the hello names every topic that we have joined") {
  Router router;
  router.subscribe_us("a");
  router.subscribe_us("b");
  router.join(1);
  const Told told = router.told(1);
  REQUIRE(told.subscriptions.size() == 2);
  CHECK(told.subscriptions[0].topic == "a");
  CHECK(told.subscriptions[1].topic == "b");
  CHECK(told.rpcs == 1);
}

TEST_CASE("mesh: a SUBSCRIBE is answered by a GRAFT at once while the mesh is below Dlo") {
  Mesh mesh(5);
  for (std::size_t n = 1; n <= 5; ++n) CHECK(mesh.told(n).graft == std::vector<Topic>{"t"});
  mesh.member(6);
  CHECK(mesh.told(6).graft.empty());
  CHECK_FALSE(mesh.in_mesh(6));
}

TEST_CASE("mesh: a SUBSCRIBE grafts who sent it, not another who also could be") {
  GossipConfig config;
  config.heartbeat = 1h;
  config.seen_ttl = 24h;
  Mesh mesh(5, 0, config);
  mesh.member(6), mesh.member(7), mesh.member(8);
  mesh.subscribe(1, "t", false);
  mesh.told(1);
  mesh.subscribe(1);
  CHECK(mesh.in_mesh(1));
  CHECK_FALSE(mesh.in_mesh(6));
}

TEST_CASE("mesh: subscribing grafts up to D of those who are there, in the same RPC") {
  Router router;
  for (std::size_t n = 1; n <= 9; ++n) router.member(n);
  router.subscribe_us();
  CHECK(router.mesh_size() == GossipConfig{}.d);
  for (std::size_t n = 1; n <= 9; ++n) {
    const Told told = router.told(n);
    CHECK(told.rpcs == 1);
    CHECK(told.subscriptions.size() == 1);
    CHECK(told.graft.size() == (router.in_mesh(n) ? 1 : 0));
  }
}

TEST_CASE("mesh: who subscribes before our stream to it is open is grafted by the hello") {
  Mesh mesh;
  mesh.connect(1);
  mesh.subscribe(1);
  CHECK(mesh.in_mesh(1));
  CHECK(mesh.told(1).nothing());
  mesh.open(1);
  const Told told = mesh.told(1);
  CHECK(told.subscriptions.size() == 1);
  CHECK(told.graft == std::vector<Topic>{"t"});
}

TEST_CASE("mesh: a PRUNE that is due before our stream is open goes out behind the hello") {
  GossipConfig config;
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  Mesh mesh(0, 0, config);
  mesh.connect(1);
  for (int i = 0; i < 3; ++i) mesh.graft(1);
  mesh.open(1);
  const Told told = mesh.told(1);
  CHECK(told.graft.empty());
  CHECK(told.prune.size() == 1);
}

TEST_CASE("mesh: what was to be said on a stream that never opened is not said on a later one") {
  GossipConfig config;
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  Mesh mesh(0, 0, config);
  mesh.connect(1);
  mesh.graft(1);
  mesh.break_stream(1);
  mesh.open(1);
  CHECK(mesh.told(1).prune.empty());
}

TEST_CASE("mesh: a stream that opens again is grafted again at once") {
  Mesh mesh(1);
  mesh.break_stream(1);
  CHECK_FALSE(mesh.in_mesh(1));
  mesh.told(1);
  mesh.open(1);
  CHECK(mesh.in_mesh(1));
  CHECK(mesh.told(1).graft == std::vector<Topic>{"t"});
}

TEST_CASE("mesh: who takes no stream of ours is not in a mesh, whatever it says") {
  Mesh mesh(1);
  mesh.break_stream(1);
  mesh.graft(1);
  mesh.pass(5s);
  CHECK_FALSE(mesh.in_mesh(1));
}

TEST_CASE("mesh: a GRAFT is taken up to Dhi, and implies the SUBSCRIBE that it overtook") {
  Mesh mesh(5);
  for (std::size_t n = 6; n <= 13; ++n) mesh.join(n), mesh.told(n), mesh.graft(n);
  CHECK(mesh.mesh_size() == GossipConfig{}.d_hi);
  CHECK(mesh.told(12).nothing());
  const Told refused = mesh.told(13);
  REQUIRE(refused.prune.size() == 1);
  CHECK(refused.prune[0].backoff == 60);
  CHECK(mesh.view().subscribers.size() == 12);
}

TEST_CASE("mesh: at Dhi only a peer that we dialed is taken") {
  Mesh mesh;
  for (std::size_t n = 1; n <= 12; ++n) mesh.join(n), mesh.graft(n);
  mesh.join(13), mesh.graft(13);
  CHECK_FALSE(mesh.in_mesh(13));
  mesh.join(14, true), mesh.graft(14);
  CHECK(mesh.in_mesh(14));
}

TEST_CASE("mesh: with a Dhi of 0 every GRAFT is refused, of a peer that we dialed too") {
  GossipConfig config;
  config.d = config.d_lo = config.d_hi = config.d_out = 0;
  Mesh mesh(1, 1, config);
  mesh.graft(1);
  CHECK(mesh.mesh_size() == 0);
  CHECK(mesh.told(1).prune.size() == 1);
  mesh.pass(3s);
  CHECK(mesh.told(1).nothing());
}

TEST_CASE("H39: a mesh at Dhi is pruned to D at the next heartbeat") {
  Mesh mesh;
  for (std::size_t n = 1; n <= 12; ++n) mesh.join(n), mesh.graft(n);
  CHECK(mesh.mesh_size() == 12);
  mesh.heartbeat();
  CHECK(mesh.mesh_size() == 6);
  std::size_t pruned = 0;
  for (std::size_t n = 1; n <= 12; ++n) pruned += mesh.told(n).prune.size();
  CHECK(pruned == 6);
}

TEST_CASE("mesh: pruning to D keeps Dout of the peers that we dialed") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Mesh mesh;
    mesh.rng = Rng(seed);
    for (std::size_t n = 1; n <= 12; ++n) mesh.join(n, n <= 3), mesh.graft(n);
    mesh.heartbeat();
    CHECK(mesh.mesh_size() == 6);
    CHECK(mesh.outbound_in_mesh(3) >= 2);
  }
}

TEST_CASE("mesh: with too few that we dialed, more of those are grafted above D") {
  Mesh mesh;
  for (std::size_t n = 11; n <= 16; ++n) mesh.join(n), mesh.graft(n);
  for (std::size_t n = 1; n <= 3; ++n) mesh.member(n, true);
  CHECK(mesh.outbound_in_mesh(3) == 0);
  mesh.heartbeat();
  CHECK(mesh.outbound_in_mesh(3) == 2);
  CHECK(mesh.mesh_size() == 8);
}

TEST_CASE("mesh: below Dlo the heartbeat fills it up to D") {
  Mesh mesh(9);
  for (std::size_t n = 1; n <= 2; ++n) mesh.leave(n);
  CHECK(mesh.mesh_size() == 3);
  mesh.heartbeat();
  CHECK(mesh.mesh_size() == 6);
}

// --- PRUNE and its backoff
TEST_CASE("mesh: who pruned us is not grafted until its backoff and a heartbeat are over") {
  Mesh mesh(1);
  mesh.told(1);
  mesh.prune(1, 30);
  CHECK_FALSE(mesh.in_mesh(1));
  mesh.pass(30s + 900ms);
  CHECK(mesh.told(1).graft.empty());
  mesh.pass(1s);
  CHECK(mesh.told(1).graft.size() == 1);
}

TEST_CASE("mesh: a PRUNE without a backoff, or with one of 0, counts as our own default") {
  for (const std::optional<std::uint64_t> said : {std::optional<std::uint64_t>(), {0}}) {
    Mesh mesh(1);
    mesh.told(1);
    mesh.prune(1, said);
    mesh.pass(59s);
    CHECK(mesh.told(1).graft.empty());
    mesh.pass(4s);
    CHECK(mesh.told(1).graft.size() == 1);
  }
}

TEST_CASE("H31: a PRUNE for all of time counts as an hour") {
  Mesh mesh(1);
  mesh.told(1);
  mesh.prune(1, static_cast<std::uint64_t>(-1));
  mesh.pass(59min);
  CHECK_FALSE(mesh.in_mesh(1));
  mesh.pass(62s);
  CHECK(mesh.in_mesh(1));
}

TEST_CASE("H32: a backoff near the end of the clock does not wrap at the heartbeat") {
  Mesh mesh(1);
  mesh.now = Time(Duration::max() - 10min);
  mesh.gossip.on_timer(mesh.turn());
  mesh.prune(1, static_cast<std::uint64_t>(-1));
  mesh.pass(5min);
  CHECK_FALSE(mesh.in_mesh(1));
}

TEST_CASE("H38: a GRAFT during a backoff is refused, and starts the backoff anew") {
  Mesh mesh(1);
  mesh.prune(1, 60);
  mesh.told(1);
  mesh.pass(50s);
  mesh.graft(1);
  CHECK_FALSE(mesh.in_mesh(1));
  REQUIRE(mesh.told(1).prune.size() == 1);
  mesh.pass(59s);
  mesh.graft(1);
  CHECK_FALSE(mesh.in_mesh(1));
}

TEST_CASE("H38: a hundred GRAFTs in one RPC during a backoff are answered once") {
  Mesh mesh(1);
  mesh.prune(1, 60);
  mesh.told(1);
  gossip::Rpc rpc;
  rpc.graft.assign(100, "t");
  mesh.say(1, rpc);
  CHECK(mesh.told(1).prune.size() == 1);
}

TEST_CASE("mesh: a backoff outlives the connection of who pruned us") {
  Mesh mesh(1);
  mesh.prune(1, 60);
  mesh.leave(1);
  mesh.told(1);
  mesh.member(1);
  mesh.pass(50s);
  CHECK_FALSE(mesh.in_mesh(1));
}

TEST_CASE("mesh: a peer of v1.0 gets no backoff field") {
  Mesh mesh;
  mesh.connect(1);
  mesh.open(1, "/meshsub/1.0.0");
  mesh.subscribe(1);
  mesh.told(1);
  mesh.unsubscribe_us();
  const Told told = mesh.told(1);
  REQUIRE(told.prune.size() == 1);
  CHECK_FALSE(told.prune[0].backoff.has_value());
}

// --- leaving
TEST_CASE("mesh: leaving a topic prunes for ten seconds and says so to everybody") {
  Mesh mesh(1);
  mesh.join(2);
  mesh.told(1), mesh.told(2);
  mesh.unsubscribe_us();
  const Told member = mesh.told(1), stranger = mesh.told(2);
  REQUIRE(member.prune.size() == 1);
  CHECK(member.prune[0].backoff == 10);
  REQUIRE(member.subscriptions.size() == 1);
  CHECK_FALSE(member.subscriptions[0].subscribe);
  CHECK(stranger.prune.empty());
  CHECK(stranger.subscriptions.size() == 1);
  CHECK(mesh.mesh_size() == 0);
}

TEST_CASE("mesh: who comes back to a topic grafts again after the ten seconds") {
  Mesh mesh(1);
  mesh.unsubscribe_us();
  mesh.subscribe_us();
  CHECK_FALSE(mesh.in_mesh(1));
  mesh.pass(12s);
  CHECK(mesh.in_mesh(1));
}

TEST_CASE("mesh: a PRUNE that crosses our leaving holds when we come back") {
  Mesh mesh(1);
  mesh.gossip.unsubscribe(mesh.turn(), "t");
  mesh.prune(1, 60);
  mesh.told(1);
  mesh.pass(30s);
  REQUIRE(mesh.gossip.subscribe(mesh.turn(), "t"));
  mesh.pass(29s);
  CHECK(mesh.told(1).graft.empty());
  mesh.pass(4s);
  CHECK(mesh.told(1).graft.size() == 1);
}

TEST_CASE("H31: a PRUNE for a topic that we have not joined is not remembered") {
  Mesh mesh(1);
  mesh.prune(1, 60, "another");
  CHECK(mesh.gossip.stats().backoffs == 0);
}

TEST_CASE("mesh: a peer's UNSUBSCRIBE takes it out of the mesh without a backoff") {
  Mesh mesh(1);
  mesh.subscribe(1, "t", false);
  CHECK_FALSE(mesh.in_mesh(1));
  mesh.subscribe(1);
  CHECK(mesh.in_mesh(1));
}

TEST_CASE("mesh: a topic has 1 to 512 bytes") {
  Router router;
  CHECK(router.gossip.subscribe(router.turn(), "") == fail(Errc::invalid));
  CHECK(router.gossip.subscribe(router.turn(), std::string(513, 't')) == fail(Errc::invalid));
  CHECK(router.gossip.subscribe(router.turn(), std::string(512, 't')));
}

// --- what others are told of it
TEST_CASE("mesh: a peer is held while it shares a topic with us, whoever came first") {
  Router router;
  router.member(1);
  CHECK(router.held[id(1)] == 0);
  router.subscribe_us();
  CHECK(router.held[id(1)] == 1);
  router.subscribe_us("u");
  router.subscribe(1, "u");
  router.subscribe(1, "t", false);
  CHECK(router.held[id(1)] == 1);
  router.leave(1);
  CHECK(router.held[id(1)] == 0);
}

TEST_CASE("mesh: why says what keeps a peer out") {
  Mesh mesh(6);
  const auto why = [&](std::size_t n) { return mesh.gossip.why(id(n), mesh.now); };
  CHECK(why(1) == "stream open; t: in the mesh");
  CHECK(why(6) == "stream open; t: not in the mesh: it has 5 peers");
  CHECK(why(7) == "not connected");
  mesh.connect(7);
  CHECK(why(7) == "stream opening; t: not in the mesh: it does not subscribe");
  mesh.prune(1, 30);
  CHECK(why(1) ==
        "stream open; t: not in the mesh: it pruned us, backoff for another 30 s"
        "; 0 s ago t: it pruned us");
  mesh.break_stream(2);
  CHECK(why(2) == "it takes no gossip stream of ours; t: not in the mesh: it has 3 peers");
}

TEST_CASE("mesh: why remembers for what reason we pruned") {
  Mesh mesh;
  for (std::size_t n = 1; n <= 13; ++n) mesh.member(n), mesh.graft(n);
  CHECK(mesh.gossip.why(id(13), mesh.now) ==
        "stream open; t: not in the mesh: we refused its GRAFT, the mesh was full, backoff for "
        "another 60 s; 0 s ago t: we refused its GRAFT, the mesh was full");
}

}  // namespace kadmesh
