// The hook: whatever comes up is in the table and in the peer set before the next input.
#include <algorithm>
#include <map>

#include "kad/rows.h"
#include "store/memory_store.h"
#include "town.h"

namespace kadmesh {
namespace {

// Nobody of a Town listens there.
Multiaddr nowhere() { return *Multiaddr::from_text("/ip4/10.9.9.9/tcp/1"); }

}  // namespace

TEST_CASE("hook: the turn that reports a connection has the peer in the table and in gossip") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.connect(bob, town.bare_addr(alice));
  const auto connected = [&](World::Index who) { return !town.node(who).connections().empty(); };
  REQUIRE(town.run_until([&] { return connected(alice); }, 2s));
  CHECK(town.entry(alice, bob) != nullptr);
  CHECK(town.node(alice).gossip().has_peer(town.id(bob)));
  REQUIRE(town.run_until([&] { return connected(bob); }, 2s));
  CHECK(town.entry(bob, alice) != nullptr);
  CHECK(town.node(bob).gossip().has_peer(town.id(alice)));
}

TEST_CASE("hook: who dialed us is provisional without an address, until identify names one") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.connect(bob, town.bare_addr(alice));
  REQUIRE(town.run_until([&] { return town.entry(alice, bob) != nullptr; }, 2s));
  CHECK(town.entry(alice, bob)->standing == Standing::provisional);
  CHECK(town.entry(alice, bob)->contact.addrs.empty());
  REQUIRE(town.run_until([&] { return town.knows(alice, bob); }, 2s));
  const auto addrs = town.node(alice).addrs(town.id(bob));
  REQUIRE(addrs.size() == 1);
  CHECK(addrs.front().addr() == town.bare_addr(bob));
  CHECK(addrs.front().source() == Source::signed_record);
}

TEST_CASE("hook: invariants hold after every event of a busy second") {
  Town town(7);
  std::vector<World::Index> all;
  for (int i = 0; i < 6; ++i) all.push_back(town.citizen());
  for (const auto i : all)
    if (i != all[0]) town.connect(i, town.addr(all[0]));
  std::string broken;
  town.run_until([&] { return !(broken = town.check_invariants()).empty(); }, 1s);
  CHECK_MESSAGE(broken.empty(), broken);
}

TEST_CASE(
    "hook: the last connection's end takes the peer out of gossip and, provisional, out of the "
    "table") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.run_for(1s);
  town.command(bob, [&](Node& n, Turn t) { n.disconnect(t, town.id(alice)); });
  CHECK(town.node(bob).gossip().peers().empty());
  CHECK(town.entry(bob, alice) != nullptr);  // a server with an address stays known
  CHECK(town.run_until([&] { return town.node(alice).gossip().peers().empty(); }, 1s));
}

TEST_CASE("H71: rejected, failed and cut connections leave the counters equal to what lives") {
  WorldConfig strict;
  strict.check_every = 1;
  World world(strict);
  NodeConfig config = Town::config();
  config.swarm.limits.connections = 3;
  config.swarm.limits.connections_per_peer = 1;
  config.kad.refresh_interval = 2s;
  std::vector<World::Index> all;
  for (int i = 0; i < 8; ++i) {
    if (i > 0) config.kad.seeds = {world.bare_addr(0)};
    all.push_back(world.add_listening(config));
  }
  for (int round = 0; round < 5; ++round) {
    world.run_for(3s);
    world.cut(0, all[static_cast<std::size_t>(round) + 1]);
    world.kill(7);
    world.partition({{0, 1, 2}});
    world.run_for(3s);
    world.heal();
    world.restart(7);
  }
  CHECK(world.broken() == "");
  CHECK(world.quiesce() == "");
}

TEST_CASE(
    "H30: a connection that ends while the sides identify each other, or push, leaves nothing") {
  for (Duration moment = 0ms; moment <= 60ms; moment += 1ms) {
    CAPTURE(moment.count());
    Town town;
    const auto alice = town.citizen(), bob = town.citizen();
    town.connect(bob, town.bare_addr(alice));
    town.run_for(moment / 2);
    town.command(alice, [](Node& n, Turn t) { n.serve(t, "/new"); });  // is pushed
    town.run_for(moment);
    town.cut(alice, bob);
    town.run_for(1s);  // far from any deadline
    for (const auto& [who, other] : {std::pair(alice, bob), std::pair(bob, alice)}) {
      CHECK(town.node(who).leftovers().find("identify exchanges") == std::string::npos);
      CHECK_FALSE(town.node(who).info(town.id(other)));
    }
    town.run_for(Identify::kTimeout + 20s);
    CHECK(town.quiesce() == "");
  }
}

TEST_CASE("hook: a peer that serves no kad leaves the table when identify says so") {
  Town town;
  NodeConfig client = Town::config();
  client.kad.mode = KadMode::client;
  const auto alice = town.citizen(), bob = town.add_listening(client);
  town.meet(bob, alice);
  REQUIRE(town.run_until([&] { return town.node(alice).info(town.id(bob)).has_value(); }, 2s));
  CHECK(town.entry(alice, bob) == nullptr);
  CHECK(town.node(alice).kad().why(town.id(bob)).find("kad") != std::string::npos);
}

TEST_CASE("H56: what a peer stores here is charged to the network that its connection shows") {
  std::map<World::Index, Store*> stores;
  WorldConfig config;
  config.addresses.scope = AddressPlan::Scope::spread;
  config.make_store = [&](std::size_t node, StoreFate) {
    auto store = std::make_unique<MemoryStore>(StoreLimits{});
    stores[node] = store.get();
    return store;
  };
  World world(std::move(config));
  world.nodes(2);
  world.run_for(2s);
  const Bytes key = Town::text("/v/a");
  world.start(1, [&](Node& n, Turn t, Time by) { return n.put(t, key, {1}, by); });
  world.run_for(1s);
  const auto charge = [&](World::Index who) {
    return stores[who]->run(world.now().wall, {Load{Kind::value, key}}).front()->at(0).charge;
  };
  CHECK(charge(1) == 0);
  CHECK(charge(0) == charge_of(world.peer(1), public_subnet(world.bare_addr(1))));
  CHECK(charge(0) != charge_of(world.peer(1), std::nullopt));
}

TEST_CASE("node: the closest to a key are those that are, closest first, each with an address") {
  Town town;
  const auto hub = town.citizen();
  std::vector<PeerId> others{town.id(hub)};
  for (int i = 0; i < 8; ++i)
    others.push_back(town.id(town.citizen_with_seed(town.bare_addr(hub))));
  const auto asking = town.citizen_with_seed(town.bare_addr(hub));
  town.run_for(10s);
  const OpId op = town.closest(asking, "anything");
  REQUIRE(town.run_until([&] { return town.ended(asking, op); }, 10s));
  const auto& report = town.report<ClosestReport>(asking, op);
  const auto away = [](const PeerId& peer) {
    return distance(KadId::of(peer), KadId::of(as_bytes("anything")));
  };
  std::ranges::sort(others, {}, away);
  CHECK(std::ranges::equal(report.closest, others, {}, &Contact::peer));
  CHECK(std::ranges::none_of(report.closest, &std::vector<Dialable>::empty, &Contact::addrs));
  CHECK(report.target == Town::text("anything"));
  CHECK(report.walk.complete);
}

TEST_CASE("node: the steps of an operation that is traced come before its end, of no other any") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.run_for(1s);
  const auto get = [&](WalkOptions walk) {
    const OpId op = town.start(
        bob, [&](Node& n, Turn t, Time by) { return n.get(t, Town::text("/v/k"), by, walk); });
    REQUIRE(town.run_until([&] { return town.ended(bob, op); }, 10s));
    return op;
  };
  get({});
  const OpId traced = get({.trace = true});
  std::vector<OpId> order;
  for (const Report& report : town.reports(bob))
    if (const auto* step = std::get_if<StepTaken>(&report))
      order.push_back(step->op);
    else if (const auto* done = std::get_if<OpDone>(&report); done && done->op == traced)
      order.push_back(OpId{0});
  CHECK(order == std::vector{traced, traced, traced, OpId{0}});  // asked, answered, converged
}

TEST_CASE("node: a connect by id never ends at somebody else, wherever the DHT leads") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  const auto carol = town.citizen(), mallory = town.citizen();
  town.cut(bob, carol);
  town.command(carol, [&](Node& n, Turn t) {
    n.on_addrs_changed(t, ListenId{1}, {town.bare_addr(mallory)});
  });
  town.meet(carol, alice);
  town.meet(bob, alice);
  town.run_for(1s);
  REQUIRE(town.node(bob).addrs(town.id(carol)).empty());
  const OpId op =
      town.start(bob, [&](Node& n, Turn t, Time by) { return n.connect(t, town.id(carol), by); });
  REQUIRE(town.run_until([&] { return town.ended(bob, op); }, 11s));
  CHECK(!town.result(bob, op)->result.has_value());
}

TEST_CASE("node: an address at which nobody was is the last to be tried the next time") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  const OpId met = town.connect(bob, town.addr(alice));
  REQUIRE(town.run_until([&] { return town.ended(bob, met); }, 2s));
  town.command(bob, [&](Node& n, Turn t) { n.disconnect(t, town.id(alice)); });
  town.run_for(1ms);  // what is learned later comes first, but for failures
  const OpId missed = town.connect(bob, nowhere().with_peer(town.id(alice)));
  REQUIRE(town.run_until([&] { return town.ended(bob, missed); }, 2s));
  CHECK(town.error(bob, missed).code == Errc::unreachable);
  const auto addrs = town.node(bob).addrs(town.id(alice));
  REQUIRE(addrs.size() == 2);
  CHECK(addrs.front().addr() == town.bare_addr(alice));
  CHECK(addrs.back().addr() == nowhere());
}

TEST_CASE("node: when its interfaces change it looks for its seeds at once") {
  Town town;
  const auto alice = town.citizen_with_seed(nowhere());
  const auto next = [&] { return town.node(alice).kad().bootstrap().next_attempt; };
  town.run_for(1h);
  REQUIRE(next() > after(town.now().mono, 1s));
  town.command(alice, [](Node& n, Turn t) { n.on_addrs_changed(t, ListenId{1}, {}); });
  CHECK(next() <= after(town.now().mono, 1s));
}

TEST_CASE("node: a listener that is stopped before it is up stays stopped") {
  Rng rng(1);
  const Turn turn{{Time(1h), WallTime(1h)}, rng};
  Node node(KeyPair::make(rng), {}, turn);
  const ListenId id = node.listen(turn, Endpoint{});
  node.stop_listening(turn, id);
  std::size_t stops = 0;
  while (const auto action = node.poll()) stops += std::holds_alternative<StopListening>(*action);
  CHECK(stops == 1);
  node.on_listening(turn, id, {nowhere()});
  CHECK(node.listen_addrs().empty());
}

TEST_CASE("node: a ping that joins another of the same peer ends by its own deadline") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.freeze(alice);
  const auto ping = [&](Duration limit) {
    return town.start(
        bob, [&](Node& n, Turn t, Time by) { return n.ping(t, town.peer(alice), by); }, limit);
  };
  const OpId patient = ping(8s), hasty = ping(2s);
  town.run_for(2s);
  REQUIRE(town.result(bob, hasty));
  CHECK(town.result(bob, hasty)->result.error().code == Errc::timeout);
  CHECK_FALSE(town.result(bob, patient));
  town.run_for(6s);
  CHECK(town.result(bob, patient));
}

TEST_CASE("node: everything closed, and nothing is left") {
  Town town;
  const auto alice = town.citizen(), bob = town.citizen();
  town.meet(bob, alice);
  town.subscribe(alice, "t");
  town.subscribe(bob, "t");
  town.run_for(3s);
  const OpId op = town.get(bob, "/v/nothing");
  town.command(bob, [](Node& n, Turn t) { n.shutdown(t); });
  town.run_for(1s);
  CHECK(town.ended(bob, op));
  CHECK(town.node(bob).leftovers() == "");
  town.command(alice, [](Node& n, Turn t) { n.shutdown(t); });
  town.run_for(20s);
  CHECK(town.node(alice).leftovers() == "");
}

}  // namespace kadmesh
