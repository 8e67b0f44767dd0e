#include "kad/kad.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/params.h"
#include "kad/rows.h"
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
  const auto report = net.report<PutReport>(kBob, net.put(kBob, "/v/k", "value", 600ms));
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

TEST_CASE("kad: once the network is known, a dead peer costs a put half a second, not five") {
  for (const bool adaptive : {true, false}) {
    CAPTURE(adaptive);
    KadConfig config = Net::open_config();
    config.adaptive = adaptive;
    Net net;
    for (Net::Number number = 1; number <= 12; ++number) net.add(number, config);
    for (Net::Number number = 2; number <= 12; ++number) net.connect(number, kAlice);
    net.run_for(30s);
    const KadPace pace = net.kad(kBob).stats().warm;
    CHECK(pace.answers >= 8);
    CHECK(pace.mean >= 2 * Net::kLatency);
    CHECK(pace.timeout == (adaptive ? Duration(500ms) : Duration(5s)));
    net[5].silent = true;
    const KadOp op = net.put(kBob, "/v/k", "value");
    const Duration took = net.run_until_done(kBob, op);
    CHECK((took < 1s) == adaptive);
    CHECK(net.report<PutReport>(kBob, op).acknowledged == 10);
  }
}

TEST_CASE("kad: pace() says how soon a peer answers, and for how long it is waited for") {
  Trio net;
  CHECK(net.kad(kBob).pace(peer(99)) == "none measured; the next is waited for 5000 ms");
  CHECK(net.kad(kBob).pace(peer(kAlice)).starts_with("in 10 ms, give or take "));
  CHECK(net.kad(kBob).pace(peer(kAlice)).ends_with("; the next is waited for 500 ms"));
}

TEST_CASE("kad: with disjoint paths a value is put and found as without") {
  KadConfig config = Net::open_config();
  config.paths = 3;
  Net net;
  for (Net::Number number = 1; number <= 12; ++number) net.add(number, config);
  for (Net::Number number = 2; number <= 12; ++number) net.connect(number, kAlice);
  net.run_for(30s);
  const auto put = net.report<PutReport>(kBob, net.put(kBob, "/v/k", "value"));
  CHECK(put.acknowledged == 11);
  CHECK(put.walk.complete);
  CHECK(put.walk.asked == 11);
  CHECK(net.report<GetReport>(9, net.get(9, "/v/k")).copies == 11);
  CHECK(net.error(9, net.get(9, "/v/none")) == Errc::not_found);
  CHECK(net.kad(9).quiescent());
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
  client.mode = KadMode::client;
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

TEST_CASE("H56: ids that all connect from one network cannot fill a bucket by naming others") {
  Rng rng{1};
  Kad kad(peer(0), Net::open_config(), {{at(0s), WallTime(1h)}, rng});
  const Turn turn{{at(1s), WallTime(1h)}, rng};
  const auto from = public_subnet(tcp(0x05060701));
  for (std::uint32_t i = 0, next = 1; i < 40; ++i, ++next) {
    next = in_bucket(peer(0), 0, next);
    kad.on_connected(turn, peer(next), std::nullopt, from);
    kad.on_identified(turn, peer(next), true, listens_at(next));
  }
  CHECK(kad.stats().table_servers == DiversityLimits().of_bucket);
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

TEST_CASE(
    "kad: the trace of an operation is its walk: who was known, heard, asked, and when it ended") {
  Net net;
  net.add({0, 1, 2});
  net.connect(1, 2);
  net.run_for(1s);
  net.connect(0, 1);
  const KadOp op = net.does(0, [&](Kad& kad) {
    return kad.put(net.turn(), bytes("/v/k"), bytes("v"), after(net.now, 10s), {.trace = true});
  });
  CHECK(net.report<PutReport>(0, op).acknowledged == 2);
  std::string told;
  for (const WalkStep& step : net[0].steps.at(op)) {
    told.append(name(step.what)).append(" ");
    if (step.peer) told += *step.peer == peer(1) ? "1 " : "2 ";
    if (!step.question.empty()) told.append(step.question).append(" ");
  }
  CHECK(told ==
        "asked 1 FIND_NODE answered 1 heard 2 asked 2 FIND_NODE answered 2 converged "
        "asked 2 PUT_VALUE asked 1 PUT_VALUE answered 2 answered 1 ");
  CHECK(std::ranges::is_sorted(net[0].steps.at(op), {}, &WalkStep::when));
}

TEST_CASE("stats: every figure of what happened in a network of three is exact") {
  Trio net;
  const auto type = [&](QueryType which) {
    return net.kad(kBob).stats().queries[static_cast<std::size_t>(which)];
  };
  const auto sent = [&](KadType which) {
    return net.kad(kBob).stats().requests[static_cast<std::size_t>(which)];
  };
  net.report<PutReport>(kBob, net.put(kBob, "/v/k", "v"));
  net.report<GetReport>(kBob, net.get(kBob, "/v/k"));
  CHECK(net.error(kBob, net.get(kBob, "/v/none")) == Errc::not_found);
  net[kAlice].silent = net[kCharlie].silent = true;
  CHECK(net.error(kBob, net.get(kBob, "/v/none", 1s)) == Errc::timeout);

  CHECK(type(QueryType::put).ended.ok == 1);
  CHECK(type(QueryType::get).ended.ok == 1);
  CHECK(type(QueryType::get).ended.failed[static_cast<std::size_t>(Errc::not_found)] == 1);
  CHECK(type(QueryType::get).ended.failed[static_cast<std::size_t>(Errc::timeout)] == 1);
  CHECK(type(QueryType::get).ended.all_failed() == 2);
  CHECK(type(QueryType::get).took_ms.count() == 3);
  CHECK(type(QueryType::get).took_ms.sum() == 1000 + 2 * 12);  // two disks and a round trip
  CHECK(type(QueryType::get).hops[1] == 1);                    // of the one that ended well
  CHECK(type(QueryType::find_peer).took_ms.count() == 0);
  CHECK(sent(KadType::put_value).sent == 2);
  CHECK(sent(KadType::put_value).ended.ok == 2);
  CHECK(sent(KadType::get_value).sent == 6);
  CHECK(sent(KadType::get_value).ended.ok == 4);
  const RequestStats gets = sent(KadType::get_value);
  CHECK(gets.withdrawn + gets.ended.all_failed() == 2);
  const KadStats all = net.kad(kBob).stats();
  CHECK(all.table_servers == 2);
  CHECK(all.table_live == 2);
  CHECK(all.buckets == all.buckets_live);
  CHECK(all.queries_ok == 2);
  CHECK(all.queries_failed == 1);
  CHECK(all.queries_timed_out == 1);
}

TEST_CASE("stats: what is to be published and reached nobody is counted apart, by kind") {
  Net net;
  net.add(kAlice);
  net.put(kAlice, "/v/k", "v");
  net.does(kAlice,
           [&](Kad& kad) { return kad.provide(net.turn(), bytes("hash"), after(net.now, 1s)); });
  net.run_for(2s);
  CHECK(net.kad(kAlice).stats().pending_puts == 1);
  CHECK(net.kad(kAlice).stats().pending_provides == 1);
}

TEST_CASE("stats: an operation that ends at once is counted with its type") {
  Net net;
  net.add(kAlice);
  CHECK(net.error(kAlice, net.does(kAlice, [&](Kad& kad) {
    return kad.find_closest(net.turn(), {}, after(net.now, 1s));
  })) == Errc::invalid);
  const auto closest =
      net.kad(kAlice).stats().queries[static_cast<std::size_t>(QueryType::find_closest)];
  CHECK(closest.ended.failed[static_cast<std::size_t>(Errc::invalid)] == 1);
}

TEST_CASE("stats: a number is counted at the first bound that is not below it") {
  Histogram h;
  for (const std::uint64_t value : {0u, 1u, 2u, 3u, 4u, 5u, 32768u, 32769u, 9'999'999u})
    h.add(value);
  CHECK(h.counts()[0] == 1);
  CHECK(h.counts()[1] == 1);
  CHECK(h.counts()[2] == 1);
  CHECK(h.counts()[3] == 2);
  CHECK(h.counts()[4] == 1);
  CHECK(h.counts()[Histogram::kBounds - 1] == 1);
  CHECK(h.counts()[Histogram::kBounds] == 2);
  CHECK(Histogram::bound(Histogram::kBounds - 1) == 32768);
  CHECK(h.count() == 9);
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

TEST_CASE("backoff: who is named again and again and is not there is not dialed by every walk") {
  Net net;
  net.add({kAlice, kBob, kCharlie});
  net.connect(kBob, kAlice);
  net.connect(kCharlie, kAlice);
  net.run_for(5s);
  net.turn_off(kCharlie);
  const auto walks = [&](int count) {
    const std::size_t before = net[kBob].requests;
    for (int i = 0; i < count; ++i) net.error(kBob, net.get(kBob, "/v/none"));
    return net[kBob].requests - before;
  };
  CHECK(walks(10) <= 10 + 3);  // Alice each time, Charlie now and then
  net.does(kBob, [&](Kad& kad) { return kad.on_network_changed(net.turn()), 0; });
  net.run_for(1ms);
  const std::size_t again = walks(1);
  CHECK(again == 2);
}

TEST_CASE("A9: of many links that died silently, all are found out within minutes") {
  Net net;
  net.add(kAlice);
  for (Net::Number i = 10; i < 30; ++i) {
    net.add(i);
    net.connect(i, kAlice);
  }
  net.run_for(1min);
  for (Net::Number i = 10; i < 30; ++i) net[i].silent = true;
  net.run_for(10min);
  CHECK(net.kad(kAlice).stats().table_servers == 0);
}

namespace {

// Alice and eight who are connected to her, none of whom looks around any more; how many requests
// she makes soon after what happens.
std::size_t asked_after(const std::function<void(Net&)>& what) {
  Net net;
  KadConfig quiet = Net::open_config();
  quiet.refresh_interval = 1000h;
  net.add(kAlice, quiet);
  for (Net::Number i = 10; i < 18; ++i) {
    net.add(i, quiet);
    net.connect(i, kAlice);
  }
  net.run_for(5s);
  const std::size_t before = net[kAlice].requests;
  what(net);
  net.run_for(16s);
  return net[kAlice].requests - before;
}

}  // namespace

TEST_CASE(
    "kad: a connected server that was silent for a while is back in the table once it answers") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kAlice, kBob);
  net.run_for(1s);
  REQUIRE(net.in_table(kAlice, kBob));
  net[kBob].silent = true;
  for (int i = 0; i < 4; ++i) net.run_until_done(kAlice, net.get(kAlice, "/v/a"));
  REQUIRE_FALSE(net.in_table(kAlice, kBob));
  net[kBob].silent = false;
  net.run_for(16s);
  CHECK(net.in_table(kAlice, kBob));
}

TEST_CASE("wake: after a sleep, a set clock or a change of network every link is probed at once") {
  const std::size_t usual = asked_after([](Net&) {});
  CHECK(asked_after([](Net& net) { net.wall_start += 24h; }) == usual + 8);
  CHECK(asked_after([](Net& net) { net.wall_start -= 24h; }) == usual + 8);
  CHECK(asked_after([](Net& net) {
          net.does(kAlice, [&](Kad& kad) { return kad.on_network_changed(net.turn()), 0; });
        }) == usual + 8);
}

TEST_CASE("wake: after a sleep seeds are tried at once, however long the waits had become") {
  Net net;
  net.add(kAlice).add(kBob, seeded(kAlice));
  net.run_for(1min);
  net.turn_off(kAlice);
  net.run_for(1h);
  net[kAlice].off = false;
  net.wall_start += 8h;
  net.run_for(15s + 1s);
  CHECK(net.in_table(kBob, kAlice));
}

TEST_CASE("wake: what has expired in a sleep is dropped on waking") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kBob, kAlice);
  net.run_for(1min);
  net.put(kBob, "/v/k", "v");
  net.run_for(1s);
  REQUIRE(net.stored(kAlice, "/v/k").has_value());
  net.turn_off(kBob);
  const std::size_t rows = net[kAlice].store.rows();
  net.wall_start += 72h;
  net.run_for(16s);
  CHECK(net[kAlice].store.rows() < rows);
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

TEST_CASE("kad: of two puts of ours at once the better one stays, and is what we publish") {
  for (const bool better_first : {true, false}) {
    Trio net;
    const auto first = net.put(kBob, "/v/k", better_first ? "b" : "a");
    const auto second = net.put(kBob, "/v/k", better_first ? "a" : "b");
    net.run_until_done(kBob, first), net.run_until_done(kBob, second);
    net.run_for(1s);
    CHECK(net.stored(kBob, "/v/k")->value == to_bytes(as_bytes("b")));
    const auto ours = net.stored(kBob, "/v/k", Kind::publishing);
    REQUIRE(ours);
    CHECK(ours->value == to_bytes(as_bytes("b")));
    CHECK(ours->received != kNeverDelivered);
  }
}

TEST_CASE(
    "kad: of two puts of ours that nobody has taken yet the better one is still to be published") {
  for (const bool better_first : {true, false}) {
    Net net;
    net.add(kBob);
    net.put(kBob, "/v/k", better_first ? "b" : "a");
    net.put(kBob, "/v/k", better_first ? "a" : "b");
    net.run_for(1s);
    const auto ours = net.stored(kBob, "/v/k", Kind::publishing);
    REQUIRE(ours);
    CHECK(ours->value == to_bytes(as_bytes("b")));
  }
}

TEST_CASE(
    "kad: a put that is delivered while a better one is on its way leaves that to be published") {
  std::size_t between = 0;
  for (const Duration ahead : {2ms, 6ms, 10ms, 14ms, 18ms}) {
    Trio net;
    const auto old = net.put(kBob, "/v/k", "a");
    net.run_for(ahead);
    const auto better = net.put(kBob, "/v/k", "b");
    net.run_until_done(kBob, old);
    net.run_for(2ms);
    if (net[kBob].done.contains(better)) continue;
    ++between;
    const auto ours = net.stored(kBob, "/v/k", Kind::publishing);
    REQUIRE(ours);
    CHECK(ours->value == to_bytes(as_bytes("b")));
  }
  CHECK(between > 0);
}

TEST_CASE("kad: what has become invalid is ours to publish no longer, and what replaced it is") {
  class Lasting final : public Validator {
    Result<void> validate(ByteView, ByteView value, WallTime now) const override {
      if (as_text(value) == "brief" && now > WallTime(1'700'000'000s) + 1h)
        return fail(Errc::timeout, "it has passed");
      return {};
    }
    std::size_t select(ByteView, std::span<const Bytes> values) const override {
      return values.size() - 1;
    }
  };
  Net net;
  KadConfig config = Net::open_config();
  config.validators.set("v", std::make_shared<Lasting>());
  net.add(kAlice, config), net.add(kBob, config);
  net.connect(kBob, kAlice);
  net.run_for(1s);
  for (const auto* key : {"/v/gone", "/v/new"}) net.put(kBob, key, "brief");
  net.run_for(2h);
  net.put(kBob, "/v/new", "lasting");
  net.run_for(config.republish_interval);
  CHECK_FALSE(net.stored(kBob, "/v/gone", Kind::publishing));
  const auto ours = net.stored(kBob, "/v/new", Kind::publishing);
  REQUIRE(ours);
  CHECK(ours->value == to_bytes(as_bytes("lasting")));
}

TEST_CASE("kad: a put that ends or is withdrawn leaves what a better one has made ours") {
  for (const bool withdrawn : {true, false}) {
    Trio net;
    net[kAlice].silent = net[kCharlie].silent = true;
    const auto old = net.put(kBob, "/v/k", "a", 3s);
    net.run_for(1s);
    net.put(kBob, "/v/k", "b", 5s);
    net.run_for(10ms);
    if (withdrawn)
      net.does(kBob, [&](Kad& kad) {
        kad.cancel(net.turn(), old);
        return 0;
      });
    net.run_for(10s);
    const auto ours = net.stored(kBob, "/v/k", Kind::publishing);
    REQUIRE(ours);
    CHECK(ours->value == to_bytes(as_bytes("b")));
  }
}

TEST_CASE("kad: peers who write one key at once are all served, and the best stays") {
  Net net;
  for (Net::Number number = 1; number <= 8; ++number) net.add(number);
  for (Net::Number number = 2; number <= 8; ++number) net.connect(number, 1);
  net.run_for(1s);
  std::vector<std::pair<Net::Number, KadOp>> puts;
  for (Net::Number number = 2; number <= 8; ++number)
    puts.emplace_back(number, net.put(number, "/v/k", std::to_string(number)));
  for (const auto& [number, op] : puts) net.run_until_done(number, op);
  CHECK(net.stored(1, "/v/k")->value == to_bytes(as_bytes("8")));
  CHECK(net.kad(1).stats().inbound_waiting == 0);
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
