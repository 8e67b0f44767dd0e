#include "kad/put_query.h"

#include <doctest/doctest.h>

#include "kad/rows.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

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

}  // namespace kadmesh
