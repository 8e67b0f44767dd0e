#include "kad/kad.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "net.h"

namespace kadmesh {
using namespace testing;

namespace {

// As sim/CLI scenes name them.
constexpr Net::Number kAlice = 1, kBob = 2, kCharlie = 3;

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

KadConfig seeded(Net::Number seed) {
  KadConfig config = Net::open_config();
  config.seeds = {home(seed)};
  return config;
}

// Alice, and Bob and Charlie who have connected to her.
struct Trio : Net {
  Trio() {
    add({kAlice, kBob, kCharlie});
    connect(kBob, kAlice);
    connect(kCharlie, kAlice);
    run_for(5s);
  }
};

}  // namespace

TEST_CASE("S1: who joined through Alice finds each other by the DHT within 5 s") {
  Trio net;
  CHECK(net.in_table(kAlice, kBob));
  CHECK(net.in_table(kAlice, kCharlie));
  CHECK(net.in_table(kBob, kCharlie));
  CHECK(net.in_table(kCharlie, kBob));
}

TEST_CASE("kad: a peer is in the table from the moment it is connected, and asked at once") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kBob, kAlice);
  REQUIRE(net.kad(kBob).table().size() == 1);
  CHECK(net.kad(kBob).table()[0].standing == Standing::provisional);
  const KadOp op = net.get(kBob, "/v/nothing");
  net.run_for(Net::kDisk);
  CHECK(net[kBob].requests == 1);
  CHECK(net.error(kBob, op) == Errc::not_found);
}

TEST_CASE("S2: alone, a put succeeds locally at once and says that nobody has it") {
  Net net;
  net.add(kAlice);
  const KadOp op = net.put(kAlice, "/v/space", "index");
  CHECK(net.run_until_done(kAlice, op) <= 100ms);
  const auto report = net.report<PutReport>(kAlice, op);
  CHECK(report.stored_locally);
  CHECK(report.pending);
  CHECK(report.contacted == 0);
  CHECK(net.kad(kAlice).stats().pending_puts == 1);
}

TEST_CASE("S2: what was put alone reaches the first peer within 5 s") {
  Net net;
  net.add({kAlice, kBob});
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/space", "index"));
  net.run_for(1h);
  net.connect(kBob, kAlice);
  net.run_for(5s);
  REQUIRE(net.stored(kBob, "/v/space"));
  CHECK(net.stored(kBob, "/v/space")->value == bytes("index"));
  CHECK(net.kad(kAlice).stats().pending_puts == 0);
}

TEST_CASE("S2: also when Alice was restarted in between") {
  Net net;
  net.add({kAlice, kBob});
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/space", "index"));
  net.restart(kAlice);
  net.connect(kBob, kAlice);
  net.run_for(5s);
  CHECK(net.stored(kBob, "/v/space"));
}

TEST_CASE("kad: alone, a get answers from the local store, or that there is nobody") {
  Net net;
  net.add(kAlice);
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/here", "value"));
  const KadOp here = net.get(kAlice, "/v/here");
  CHECK(net.run_until_done(kAlice, here) <= 100ms);
  CHECK(net.report<GetReport>(kAlice, here).local);
  const KadOp nowhere = net.get(kAlice, "/v/nowhere");
  CHECK(net.run_until_done(kAlice, nowhere) <= 100ms);
  CHECK(net.error(kAlice, nowhere) == Errc::no_peers);
}

TEST_CASE("S4: put on one, get on the other within 500 ms") {
  Trio net;
  const auto put = net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  CHECK(put.acknowledged == 2);
  CHECK_FALSE(put.pending);
  CHECK(put.closest.size() == 2);
  const KadOp op = net.get(kBob, "/v/k");
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  const auto got = net.report<GetReport>(kBob, op);
  CHECK(got.value == bytes("value"));
  CHECK(got.copies == 2);
  CHECK(got.local);
  CHECK(got.walk.complete);
}

TEST_CASE("S4: a missing key is not found within 500 ms") {
  Trio net;
  const KadOp op = net.get(kBob, "/v/missing");
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  CHECK(net.error(kBob, op) == Errc::not_found);
}

TEST_CASE("S4: of two puts the validator's winner is read on both, and repaired on the loser") {
  Net net;
  net.add({kAlice, kBob});
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "aaa"));  // each alone
  net.report<PutReport>(kBob, net.put(kBob, "/v/k", "zzz"));
  net.connect(kBob, kAlice);
  net.run_for(100ms);
  CHECK(net.report<GetReport>(kAlice, net.get(kAlice, "/v/k")).value == bytes("zzz"));
  CHECK(net.report<GetReport>(kBob, net.get(kBob, "/v/k")).value == bytes("zzz"));
  net.run_for(5s);
  CHECK(net.stored(kAlice, "/v/k")->value == bytes("zzz"));
}

TEST_CASE("kad: a value that is better here is not replaced by a put") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "zzz"));
  CHECK(net.error(kAlice, net.put(kAlice, "/v/k", "aaa")) == Errc::refused);
}

TEST_CASE("kad: after a get the closest that lacked the value have it") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(5s);
  CHECK_FALSE(net.stored(4, "/v/k"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  net.run_for(1s);
  CHECK(net.stored(4, "/v/k"));
}

TEST_CASE("S5: peers that turn into black holes end a get and a put at the deadline, once") {
  Trio net;
  for (const auto number : {kAlice, kCharlie}) net[number].silent = true;
  const Time deadline = after(net.now, 3s);
  const KadOp get = net.get(kBob, "/v/k", 3s), put = net.put(kBob, "/v/k", "value", 3s);
  CHECK(net.error(kBob, get) == Errc::timeout);
  CHECK(net[kBob].done_at.at(get) == deadline);
  const auto report = net.report<PutReport>(kBob, put);
  CHECK(net[kBob].done_at.at(put) <= deadline);
  CHECK(report.acknowledged == 0);
  CHECK(report.pending);
  CHECK(report.walk.answered == 0);
}

TEST_CASE("A10: a put says what is here, whom it contacted and who acknowledged") {
  Trio net;
  net[kAlice].silent = true;
  const auto report = net.report<PutReport>(kBob, net.put(kBob, "/v/k", "value"));
  CHECK(report.acknowledged == 1);
  CHECK(report.walk.failed == 1);
  CHECK(report.walk.complete);
}

TEST_CASE("S5: the walk of a put leaves time to deliver to those who answer") {
  Trio net;
  net[kAlice].silent = true;
  const auto report = net.report<PutReport>(kBob, net.put(kBob, "/v/k", "value", 3s));
  CHECK(report.acknowledged == 1);
  CHECK_FALSE(report.walk.complete);
}

TEST_CASE("A8: with the value in hand, silent peers are not waited for") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net[kCharlie].silent = true;
  const KadOp op = net.get(kBob, "/v/k");
  CHECK(net.run_until_done(kBob, op) <= kStall + 100ms);
  CHECK_FALSE(net.report<GetReport>(kBob, op).walk.complete);
}

TEST_CASE("A6: an error says how many were asked and what the table holds") {
  Trio net;
  const KadOp op = net.get(kBob, "/v/missing");
  net.run_until_done(kBob, op);
  const std::string detail = net[kBob].done.at(op).error().detail;
  CHECK(detail == "nobody has it; asked 2, answered 2, failed 0; table: 2 servers, 0 provisional");
}

TEST_CASE("A5: an operation on an empty table waits for bootstrap inside its deadline") {
  Net net;
  net.add(kAlice, seeded(kBob));
  const KadOp op = net.get(kAlice, "/v/k");
  net.run_for(3s);
  CHECK_FALSE(net[kAlice].done.contains(op));
  net.add(kBob);
  CHECK(net.error(kAlice, op) == Errc::not_found);
  CHECK(net.now < at(9s));
}

TEST_CASE("A5: and ends at its deadline when nobody comes") {
  Net net;
  net.add(kAlice, seeded(kBob));
  const KadOp op = net.get(kAlice, "/v/k", 4s);
  CHECK(net.run_until_done(kAlice, op) == 4s);
  CHECK(net.error(kAlice, op) == Errc::timeout);
}

TEST_CASE("A3: hearsay is not kept: a peer that was only named is not in the table") {
  Trio net;
  net.turn_off(kCharlie);  // Alice still names it
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(5s);
  CHECK(net.in_table(4, kAlice));
  CHECK_FALSE(net.in_table(4, kCharlie));
  CHECK(net.kad(4).why(peer(kCharlie)) == "not in the table: it was never connected to us");
}

TEST_CASE("A1: a client never enters as a server, and why() says so") {
  Net net;
  KadConfig client = Net::open_config();
  client.server = false;
  net.add(kAlice).add(kBob, client);
  net.connect(kBob, kAlice);
  net.run_for(5s);
  CHECK(net.kad(kAlice).table().empty());
  CHECK(net.kad(kAlice).why(peer(kBob)) ==
        "not in the table: identify does not list /ipfs/kad/1.0.0");
  CHECK(net.in_table(kBob, kAlice));
  CHECK(net[kBob].held.contains(peer(kAlice)));
}

TEST_CASE("S18: a peer without identify is probed, and its answer makes it a server") {
  Net net;
  net.add({kAlice, kBob});
  net[kBob].identifies = false;
  net.connect(kAlice, kBob);
  net.run_for(1s);
  CHECK(net.in_table(kAlice, kBob));
}

TEST_CASE("kad: an answer of a peer that has disconnected does not bring it into the table") {
  Rng rng{1};
  Kad kad(peer(0), Net::open_config(), {{at(0s), WallTime(1h)}, rng});
  const Turn turn{{at(1s), WallTime(1h)}, rng};
  kad.on_connected(turn, peer(1), std::nullopt);
  kad.find_closest(turn, bytes("x"), at(10s));
  std::optional<KadRequestId> asked;
  while (auto action = kad.poll())
    if (auto* request = std::get_if<KadRequest>(&*action)) asked = request->id;
  REQUIRE(asked);
  kad.on_disconnected(turn, peer(1));
  kad.on_reply(turn, *asked, Bytes{0x08, 0x04});
  CHECK(kad.table().empty());
}

TEST_CASE("kad: providers are found, each told of once, and our own address is named") {
  Trio net;
  const Bytes key(34, 7);
  const auto provided = net.report<ProvideReport>(kCharlie, net.does(kCharlie, [&](Kad& kad) {
    return kad.provide(net.turn(), key, after(net.now, 10s));
  }));
  CHECK(provided.contacted == 2);
  CHECK_FALSE(provided.pending);
  net.run_for(1s);
  const auto found = net.report<ProvidersReport>(kBob, net.does(kBob, [&](Kad& kad) {
    return kad.find_providers(net.turn(), key, 0, after(net.now, 10s));
  }));
  REQUIRE(found.providers.size() == 1);
  CHECK(found.providers[0].peer == peer(kCharlie));
  CHECK(found.providers[0].addrs.front().addr() == home(kCharlie));
  CHECK(net[kBob].told == std::vector{peer(kCharlie)});
}

TEST_CASE("kad: what was provided alone is announced to the first peer") {
  Net net;
  net.add({kAlice, kBob});
  const auto report = net.report<ProvideReport>(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.provide(net.turn(), bytes("content"), after(net.now, 10s));
  }));
  CHECK(report.pending);
  net.connect(kAlice, kBob);
  net.run_for(5s);
  CHECK(net.stored(kBob, "content", Kind::provider));
}

TEST_CASE("kad: find_peer answers at once for a connected peer, and walks for others") {
  Trio net;
  const auto find = [&](Net::Number whom) {
    return net.report<FindReport>(kBob, net.does(kBob, [&](Kad& kad) {
      return kad.find_peer(net.turn(), peer(whom), after(net.now, 10s));
    }));
  };
  const auto near = find(kAlice);
  CHECK(near.connected);
  CHECK(near.walk.asked == 0);
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(100ms);
  net.disconnect(4, kBob);
  const auto far = find(4);
  CHECK(far.connected);
  CHECK(far.found.addrs.front().addr() == home(4));
}

TEST_CASE(
    "kad: find_peer of a peer that has connected and not yet said where it listens asks others") {
  Trio net;
  net.add(4);
  net.connect(4, kAlice);
  net.run_for(100ms);
  net[4].identifies = false;
  net.disconnect(4, kBob);
  net.connect(4, kBob);
  const auto found = net.report<FindReport>(kBob, net.does(kBob, [&](Kad& kad) {
    return kad.find_peer(net.turn(), peer(4), after(net.now, 10s));
  }));
  CHECK(found.connected);
  REQUIRE(found.found.addrs.size() == 1);
  CHECK(found.found.addrs.front().addr() == home(4));
}

TEST_CASE("kad: find_peer of somebody unknown ends as not found") {
  Trio net;
  const KadOp op = net.does(
      kBob, [&](Kad& kad) { return kad.find_peer(net.turn(), peer(77), after(net.now, 10s)); });
  CHECK(net.run_until_done(kBob, op) <= 500ms);
  CHECK(net.error(kBob, op) == Errc::not_found);
}

TEST_CASE("S17: a value above the limit is refused before anything is sent or stored") {
  Trio net;
  const std::size_t before = net[kAlice].requests;
  for (const std::size_t size : {15u * 1024, 17u * 1024})
    CHECK(net.report<PutReport>(
                 kAlice, net.put(kAlice, "/v/" + std::to_string(size), std::string(size, 'x')))
              .acknowledged == 2);
  const std::size_t after_good = net[kAlice].requests;
  CHECK(after_good > before);
  CHECK(net.error(kAlice, net.put(kAlice, "/v/big", std::string(70 * 1024, 'x'))) == Errc::limit);
  CHECK(net[kAlice].requests == after_good);
  CHECK_FALSE(net.stored(kAlice, "/v/big"));
}

TEST_CASE("kad: a key without a validator is refused before anything is sent") {
  Trio net;
  CHECK(net.error(kAlice, net.put(kAlice, "plain", "x")) == Errc::invalid);
  CHECK(net.error(kAlice, net.put(kAlice, "/unknown/x", "x")) == Errc::invalid);
}

TEST_CASE("A7: a node whose network was gone rejoins by itself") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1s);
  REQUIRE(net.in_table(kBob, kAlice));
  net.turn_off(kAlice);
  net.run_for(20s);
  CHECK(net.kad(kBob).bootstrap().state == Bootstrap::isolated);
  net.restart(kAlice);
  net.run_for(5s);
  CHECK(net.kad(kBob).bootstrap().state == Bootstrap::joined);
  CHECK(net.in_table(kAlice, kBob));
}

TEST_CASE("S3: a restarted hub is found again within 5 s, by those who only connected to it") {
  Trio net;
  net.turn_off(kAlice);
  net.run_for(10s);
  net.restart(kAlice);
  net.run_for(5s);
  CHECK(net.in_table(kAlice, kBob));
  CHECK(net.in_table(kAlice, kCharlie));
}

TEST_CASE("S3: a seed that starts 30 s late is joined within 5 s") {
  Net net;
  net.add(kBob, seeded(kAlice)).add(kCharlie, seeded(kAlice));
  net.run_for(30s);
  net.add(kAlice);
  net.run_for(5s);
  CHECK(net.in_table(kBob, kAlice));
  CHECK(net.in_table(kBob, kCharlie));
}

TEST_CASE("kad: after a restart with every seed dead, peers of before are found") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1s);
  net.restart(kBob, seeded(77));
  net.run_for(5s);
  CHECK(net.in_table(kBob, kAlice));
}

TEST_CASE("A9: a peer that is connected but gone is found out, and no longer counts") {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 24h;
  net.add(kAlice).add(kBob, quiet);
  net.connect(kBob, kAlice);
  net.run_for(10h);  // lookups of its own have become rare
  net[kAlice].silent = true;
  net.run_for(3min);
  CHECK_FALSE(net.in_table(kBob, kAlice));
}

TEST_CASE("H57: an operation that is cancelled at any moment owes nothing afterwards") {
  for (int step = 0; step < 12; ++step) {
    CAPTURE(step);
    Trio net;
    const KadOp op = net.put(kBob, "/v/k", "value");
    net.run_for(step * 4ms);
    if (net[kBob].done.contains(op)) break;
    net.does(kBob, [&](Kad& kad) {
      kad.cancel(net.turn(), op);
      return 0;
    });
    CHECK(net.error(kBob, op) == Errc::cancelled);
    CHECK(net[kBob].asking.empty());
    net.run_for(50ms);
    CHECK_FALSE(net.stored(kBob, "/v/k", Kind::publishing));
    CHECK(net.kad(kBob).quiescent());
  }
}

TEST_CASE("A22: closed, it owes nothing at once and starts nothing, and what is pending stays") {
  Trio net;
  for (const auto number : {kAlice, kCharlie}) net[number].silent = true;
  const KadOp get = net.get(kBob, "/v/a"), put = net.put(kBob, "/v/k", "value");
  net.run_for(100ms);
  net.does(kBob, [&](Kad& kad) {
    kad.close(net.turn());
    return 0;
  });
  CHECK(net.error(kBob, get) == Errc::closed);
  CHECK(net.error(kBob, put) == Errc::closed);
  net.run_for(100ms);
  CHECK(net.kad(kBob).quiescent());
  CHECK(net.stored(kBob, "/v/k", Kind::publishing));
  const std::size_t requests = net[kBob].requests, dials = net[kBob].dials.size();
  net.run_for(1h);
  CHECK(net[kBob].requests == requests);
  CHECK(net[kBob].dials.size() == dials);
}

TEST_CASE("kad: one operation too many ends at once with its bound") {
  Net net;
  net.add(kAlice, seeded(kBob));
  KadOp last{};
  for (std::size_t i = 0; i <= kMostQueries; ++i) last = net.get(kAlice, "/v/k");
  CHECK(net.error(kAlice, last) == Errc::limit);
}

TEST_CASE("kad: an operation that starts after its deadline ends at once") {
  Trio net;
  const KadOp op = net.get(kBob, "/v/k", 0s);
  CHECK(net.run_until_done(kBob, op) == 0s);
  CHECK(net.error(kBob, op) == Errc::timeout);
}

TEST_CASE("H70: settings of zero stand nothing still and abort nothing") {
  Net net;
  KadConfig zero = Net::open_config();
  zero.k = zero.alpha = zero.beta = 0;
  zero.request_timeout = zero.health_interval = zero.refresh_interval = 0s;
  zero.republish_interval = zero.record_ttl = 0s;
  net.add(kAlice, zero).add(kBob);
  net.connect(kAlice, kBob);
  net.run_for(5s);
  CHECK(net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "x")).acknowledged == 1);
}

TEST_CASE("S9: a value outlives who put it, for a newcomer, within 2 s") {
  for (const bool black_hole : {false, true}) {
    CAPTURE(black_hole);
    Trio net;
    net.add(4);
    net.connect(4, kBob);
    net.run_for(5s);
    net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
    if (black_hole)
      net[kAlice].silent = true;
    else
      net.turn_off(kAlice);
    net.add(5);
    net.connect(5, 4);
    const KadOp op = net.get(5, "/v/k");
    CHECK(net.run_until_done(5, op) <= 2s);
    CHECK(net.report<GetReport>(5, op).value == bytes("value"));
  }
}

TEST_CASE("kad: republishing keeps a value in the network beyond its lifetime") {
  Trio net;
  net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "value"));
  net.run_for(60h);
  CHECK(net.stored(kBob, "/v/k"));
}

TEST_CASE("H69: years of uptime leave timers and counters in order") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kAlice, kBob);
  net.now = after(net.now, 24h * 365 * 5);
  net.run_for(1min);
  CHECK(net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "x")).acknowledged == 1);
}

}  // namespace kadmesh
