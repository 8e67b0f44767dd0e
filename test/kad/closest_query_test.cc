#include "kad/closest_query.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "asking.h"
#include "trio.h"

namespace kadmesh {
using namespace testing;

namespace {

// The closest to node 0, closest first.
std::vector<PeerId> nearest(Net::Number town) {
  std::vector<PeerId> all;
  for (Net::Number number = 1; number <= town; ++number) all.push_back(peer(number));
  std::ranges::sort(all, {},
                    [](const PeerId& id) { return distance(KadId::of(id), KadId::of(peer(0))); });
  return all;
}

}  // namespace

TEST_CASE("closest: it names k, those who answered, nearest first, and never ourselves") {
  constexpr Net::Number kTown = 30;
  KadConfig four = Net::open_config();
  four.k = 4;
  Net net;
  for (Net::Number number = 0; number <= kTown; ++number) net.add(number, four);
  for (Net::Number number = 0; number <= kTown; ++number)
    if (number != 1) net.connect(number, 1);
  net.run_for(1min);
  std::vector<PeerId> expected = nearest(kTown);
  for (Net::Number number = 1; number <= kTown; ++number)
    net[number].silent = peer(number) == expected[1];
  expected.erase(expected.begin() + 1);
  expected.resize(4, expected.front());
  const auto report = net.report<ClosestReport>(0, net.does(0, [&](Kad& kad) {
    return kad.find_closest(net.turn(), to_bytes(peer(0).bytes()), after(net.now, 20s));
  }));
  std::vector<PeerId> named;
  for (const Contact& each : report.closest) {
    named.push_back(each.peer);
    CHECK_FALSE(each.addrs.empty());
  }
  CHECK(named == expected);
  CHECK(report.target == to_bytes(peer(0).bytes()));
  CHECK(report.walk.complete);
}

TEST_CASE("closest: at its deadline it names who has answered, or that nobody has") {
  for (const std::size_t answers : {0U, 1U, 2U}) {
    CAPTURE(answers);
    Asking a(3);
    a.queries.start(a.turn(), std::make_unique<ClosestQuery>(a.view, bytes("x"), a.now, at(5s)),
                    Purpose::user, at(5s));
    a.drain();
    REQUIRE(a.requests.size() == 3);
    for (std::size_t i = 0; i < answers; ++i)
      a.reply(a.requests[i], {KadType::find_node, {}, {}, {{peer(9), {home(9)}, {}}}, {}});
    a.pass(at(5s));
    REQUIRE(a.ended.size() == 1);
    const auto& report = a.ended[0].report;
    REQUIRE(report.has_value() == (answers > 0));
    if (!report) {
      CHECK(report.error().code == Errc::timeout);
      continue;
    }
    const auto& closest = std::get<ClosestReport>(*report);
    CHECK(closest.closest.size() == answers);
    CHECK(std::ranges::count(closest.closest, peer(9), &Contact::peer) == 0);
    CHECK_FALSE(closest.walk.complete);
  }
}

}  // namespace kadmesh
