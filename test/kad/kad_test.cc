#include "kad/kad.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "kad/params.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

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

TEST_CASE("H57: whatever is cancelled, and when, nobody is waited for any more") {
  using Command = KadOp (*)(Kad&, Turn, Time);
  const std::vector<Command> commands{
      [](Kad& k, Turn t, Time by) { return k.get(t, bytes("/v/k"), by); },
      [](Kad& k, Turn t, Time by) { return k.provide(t, bytes("hash"), by); },
      [](Kad& k, Turn t, Time by) { return k.find_providers(t, bytes("hash"), 1, by); },
      [](Kad& k, Turn t, Time by) { return k.find_peer(t, peer(77), by); },
      [](Kad& k, Turn t, Time by) { return k.find_closest(t, bytes("x"), by); }};
  for (const Command command : commands)
    for (int step = 0; step < 8; ++step) {
      CAPTURE(step);
      Trio net;
      net[kCharlie].silent = true;  // that none ends by itself
      const KadOp op =
          net.does(kBob, [&](Kad& kad) { return command(kad, net.turn(), after(net.now, 10s)); });
      net.run_for(step * 3ms);
      net.does(kBob, [&](Kad& kad) { return kad.cancel(net.turn(), op), 0; });
      CHECK(net.error(kBob, op) == Errc::cancelled);
      CHECK(net[kBob].asking.empty());
      net.run_for(50ms);
      CHECK(net.kad(kBob).quiescent());
      CHECK_FALSE(net.stored(kBob, "hash", Kind::providing));
      CHECK_FALSE(net.stored(kBob, "hash", Kind::provider));
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
  zero.republish_interval = zero.replicate_interval = zero.record_ttl = zero.provider_ttl = 0s;
  zero.paths = zero.kept_of_bucket = 0;
  net.add(kAlice, zero).add(kBob);
  net.connect(kAlice, kBob);
  net.run_for(5s);
  CHECK(net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "x")).acknowledged == 1);
}

TEST_CASE("H70: settings of the largest numbers overflow nothing") {
  Net net;
  KadConfig most = Net::open_config();
  most.k = most.alpha = most.beta = most.paths = most.kept_of_bucket = most.most_value =
      std::numeric_limits<std::size_t>::max();
  most.request_timeout = most.health_interval = most.refresh_interval = most.record_ttl =
      most.provider_ttl = most.republish_interval = most.replicate_interval = Duration::max();
  net.add(kAlice, most).add(kBob);
  net.connect(kAlice, kBob);
  net.run_for(5s);
  CHECK(net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "x")).acknowledged == 1);
  CHECK(net.report<GetReport>(kAlice, net.get(kAlice, "/v/k")).value == bytes("x"));
  net.run_for(1h);
}

TEST_CASE("H69: years of uptime leave timers and counters in order") {
  Net net;
  net.add({kAlice, kBob});
  net.connect(kAlice, kBob);
  net.now = after(net.now, 24h * 365 * 5);
  net.run_for(1min);
  CHECK(net.report<PutReport>(kAlice, net.put(kAlice, "/v/k", "x")).acknowledged == 1);
}

// go-libp2p-kad-dht, TestInvalidKeys.
TEST_CASE("kad: an empty key of ours is refused, whatever it is for, and nobody is asked") {
  Trio net;
  const std::size_t before = net[kAlice].requests;
  const auto asks = [&](auto command) {
    return net.error(kAlice, net.does(kAlice, [&](Kad& kad) {
      return command(kad, net.turn(), after(net.now, 10s));
    }));
  };
  CHECK(net.error(kAlice, net.put(kAlice, "", "x")) == Errc::invalid);
  CHECK(net.error(kAlice, net.get(kAlice, "")) == Errc::invalid);
  CHECK(asks([](Kad& k, Turn t, Time by) { return k.provide(t, {}, by); }) == Errc::invalid);
  CHECK(asks([](Kad& k, Turn t, Time by) { return k.find_providers(t, {}, 0, by); }) ==
        Errc::invalid);
  CHECK(asks([](Kad& k, Turn t, Time by) { return k.find_closest(t, {}, by); }) == Errc::invalid);
  CHECK(net[kAlice].requests == before);
  for (const Kind kind : {Kind::value, Kind::publishing, Kind::provider, Kind::providing})
    CHECK_FALSE(net.stored(kAlice, "", kind));
}

}  // namespace kadmesh
