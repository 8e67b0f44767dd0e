// Who serves the DHT, and how others learn that it does or no longer does.
#include "node/serving.h"

#include "town.h"

namespace kadmesh {
namespace {

Multiaddr addr(const char* text) { return *Multiaddr::from_text(text); }
const Multiaddr kOwn = addr("/ip4/5.5.5.5/tcp/4001");
const Multiaddr kPrivate = addr("/ip4/10.0.0.1/tcp/4001");
const Multiaddr kStranger = addr("/ip4/6.6.6.6/tcp/50000");

struct Reached {
  Serving serving{KadMode::automatic};

  explicit Reached(Multiaddr at = kOwn) { serving.on_addrs({&at, 1}); }
  void connected(const Multiaddr& remote, bool opened_by_us, Time when = Time(1h)) {
    Established e{.id = {},
                  .peer = KeyPair::from_seed({1}).peer_id(),
                  .key = KeyPair::from_seed({1}).public_key(),
                  .local = kOwn,
                  .remote = remote,
                  .opened_by_us = opened_by_us,
                  .role = {},
                  .limited = false,
                  .first = true,
                  .early_muxer = false};
    serving.on_established(when, e);
  }
};

NodeConfig automatic() {
  NodeConfig config = Town::config();
  config.kad.mode = KadMode::automatic;
  return config;
}

}  // namespace

TEST_CASE("serving: set, it is as it is set, whatever is proven") {
  Serving client(KadMode::client), server(KadMode::server);
  client.on_told(Time(1h), true);
  server.on_told(Time(1h), false);
  CHECK_FALSE(client.now());
  CHECK(server.now());
  CHECK(client.next_timer() == kNever);
  CHECK(server.next_timer() == kNever);
}

TEST_CASE("serving: a stranger who comes to a public address proves a way in") {
  Reached node;
  CHECK_FALSE(node.serving.now());
  node.connected(kStranger, true);
  CHECK_FALSE(node.serving.now());  // we went there
  node.connected(addr("/ip4/7.7.7.7/tcp/50000"), false);
  CHECK(node.serving.now());
}

TEST_CASE("serving: no proof is who comes from our own network, a private one, or whom we dialed") {
  Reached node;
  node.connected(addr("/ip4/5.5.5.77/tcp/50000"), false);
  node.connected(addr("/ip4/192.168.1.1/tcp/50000"), false);
  node.connected(kStranger, true);
  node.connected(kStranger, false);
  CHECK_FALSE(node.serving.now());
  node.connected(kStranger, false, Time(1h) + Serving::kOurDial);
  CHECK(node.serving.now());
}

TEST_CASE("serving: where no address is public nothing proves a way in") {
  Reached node(kPrivate);
  node.connected(kStranger, false);
  CHECK_FALSE(node.serving.now());
}

TEST_CASE("serving: proof lasts a day, and ends when addresses change or who knows says so") {
  Reached node;
  node.connected(kStranger, false);
  CHECK(node.serving.next_timer() == Time(25h));
  node.serving.on_timer(Time(25h) - 1ns);
  CHECK(node.serving.now());
  node.serving.on_timer(Time(25h));
  CHECK_FALSE(node.serving.now());
  node.connected(kStranger, false);
  node.serving.on_addrs({&kOwn, 1});  // the same
  CHECK(node.serving.now());
  node.serving.on_addrs({&kPrivate, 1});
  CHECK_FALSE(node.serving.now());
  node.serving.on_told(Time(1h), true);
  CHECK(node.serving.now());
  node.serving.on_told(Time(1h), false);
  CHECK_FALSE(node.serving.now());
}

TEST_CASE("serving: what is remembered of our dials is bounded") {
  Reached node;
  node.connected(kStranger, true);
  for (unsigned i = 0; i < Serving::kMostDialed; ++i)
    node.connected(Multiaddr::tcp(ipv4(8, static_cast<std::uint8_t>(i / 100),
                                       static_cast<std::uint8_t>(i % 100), 1, 1)),
                   true);
  node.connected(kStranger, false);
  CHECK_FALSE(node.serving.now());  // it was forgotten, so who comes may be one of those
}

// go-libp2p-kad-dht, TestModeChange; rust-libp2p, client_mode.rs: set_client_to_server_mode,
// adding_an_external_addresses_activates_server_mode_on_existing_connections.
TEST_CASE("modes: a client that becomes a server enters tables, and leaves them when it is none") {
  Town town;
  const auto alice = town.citizen(), bob = town.add_listening(automatic());
  town.meet(bob, alice);
  town.run_for(1s);
  CHECK_FALSE(town.knows(alice, bob));
  town.command(bob, [](Node& n, Turn t) { n.on_reachability(t, true); });
  CHECK(town.run_until([&] { return town.knows(alice, bob); }, 1s));
  town.command(bob, [](Node& n, Turn t) { n.on_reachability(t, false); });
  CHECK(town.run_until([&] { return town.entry(alice, bob) == nullptr; }, 1s));
  const std::string why = town.node(alice).kad().why(town.id(bob));
  CHECK_MESSAGE(why.find("/town/kad/1.0.0") != std::string::npos, why);
}

// go-libp2p-kad-dht, TestDynamicModeSwitching.
TEST_CASE("modes: automatic follows what is known of being reachable, set modes do not") {
  Town town;
  const auto bob = town.add_listening(automatic()), carl = town.citizen();
  const auto told = [&](World::Index who, bool reachable) {
    town.command(who, [&](Node& n, Turn t) { n.on_reachability(t, reachable); });
    return town.node(who).serving();
  };
  CHECK_FALSE(town.node(bob).serving());
  CHECK(told(bob, true));
  CHECK_FALSE(told(bob, false));
  CHECK(told(bob, true));
  CHECK(told(carl, false));
}

// rust-libp2p, client_mode.rs: server_gets_added_to_routing_table_by_client.
TEST_CASE("modes: a client has its server in its table, and asks it; not the other way round") {
  Town town;
  NodeConfig client = Town::config();
  client.kad.mode = KadMode::client;
  const auto alice = town.citizen(), bob = town.add_listening(client);
  town.meet(bob, alice);
  town.run_for(1s);
  CHECK(town.knows(bob, alice));
  CHECK(town.entry(alice, bob) == nullptr);
  const OpId put = town.put(bob, "/v/k", "v");
  REQUIRE(town.run_until([&] { return town.ended(bob, put); }, 10s));
  CHECK(town.report<PutReport>(bob, put).acknowledged == 1);
}

// go-libp2p-kad-dht, TestV1ProtocolOverride and TestGetSetPluggedProtocol.
TEST_CASE("modes: nodes of other DHTs are in no table, and neither store nor answer") {
  Town town;
  const auto of_dht = [&](const char* protocol) {
    NodeConfig config = Town::config();
    config.kad.protocol = protocol;
    return town.add_listening(std::move(config));
  };
  const auto alice = town.citizen(), bob = town.citizen();
  const auto carl = of_dht("/city/kad/1.0.0"), dora = of_dht("/village/kad/1.0.0");
  const std::vector all{alice, bob, carl, dora};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) town.meet(all[i], all[j]);
  town.run_for(5s);
  CHECK(town.knows(alice, bob));
  CHECK(town.knows(bob, alice));
  const std::vector<std::size_t> known{1, 1, 0, 0};
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(town.node(all[i]).kad().table().size() == known[i]);
  const OpId put = town.put(carl, "/v/cat", "meow");
  REQUIRE(town.run_until([&] { return town.ended(carl, put); }, 10s));
  CHECK(town.report<PutReport>(carl, put).pending);
  for (const auto& [who, why] :
       {std::pair(alice, Errc::not_found), std::pair(dora, Errc::no_peers)}) {
    const OpId get = town.get(who, "/v/cat");
    REQUIRE(town.run_until([&] { return town.ended(who, get); }, 10s));
    CHECK(town.error(who, get).code == why);
  }
}

TEST_CASE("modes: who stops serving answers nobody any more, also on streams that are open") {
  Town town;
  const auto alice = town.citizen(), bob = town.add_listening(automatic());
  town.meet(alice, bob);
  town.command(bob, [](Node& n, Turn t) { n.on_reachability(t, true); });
  REQUIRE(town.run_until([&] { return town.knows(alice, bob); }, 1s));
  const OpId before = town.get(alice, "/v/k");
  REQUIRE(town.run_until([&] { return town.ended(alice, before); }, 10s));
  CHECK(town.error(alice, before).code == Errc::not_found);
  const OpId across = town.get(alice, "/v/k");
  town.command(bob, [](Node& n, Turn t) { n.on_reachability(t, false); });
  REQUIRE(town.run_until([&] { return town.ended(alice, across); }, 10s));
  CHECK(town.error(alice, across).code == Errc::no_peers);
}

TEST_CASE("modes: in a public network a node serves once a stranger has dialed it") {
  WorldConfig public_world;
  public_world.addresses.scope = AddressPlan::Scope::spread;
  World world(public_world);
  NodeConfig config = automatic();
  const auto bob = world.add_listening(config);
  config.kad.mode = KadMode::server;
  config.kad.seeds = {world.bare_addr(bob)};
  world.add_listening(config);
  CHECK_FALSE(world.node(bob).serving());
  CHECK(world.run_until([&] { return world.node(bob).serving(); }, 5s));
}

}  // namespace kadmesh
