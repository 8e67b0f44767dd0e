#include "kad/policies.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "kad/lookup.h"
#include "kad/params.h"
#include "kad/routing_table.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::size_t kK = 20;
const PeerId kSelf = peer(0);

KadId number(std::uint8_t high, std::uint8_t low) {
  KadId id;
  id.bytes.front() = high;
  id.bytes.back() = low;
  return id;
}
Distance far_by(std::uint8_t high, std::uint8_t low) {
  Distance distance;
  distance.bytes.front() = high;
  distance.bytes.back() = low;
  return distance;
}

TableRules ruled(std::string_view eviction, std::string_view replacement) {
  TableRules rules;
  rules.policies.eviction = policy_named<Eviction>(eviction);
  rules.policies.replacement = policy_named<Replacement>(replacement);
  return rules;
}

// Servers of bucket 0, by number.
struct Table : RoutingTable {
  explicit Table(TableRules rules) : RoutingTable(kSelf, kK, std::move(rules)) {}

  std::uint32_t serving(Time now) {
    last = in_bucket(kSelf, 0, last + 1);
    on_connected(peer(last), now);
    on_serves(peer(last), listens_at(last), now);
    return last;
  }
  std::vector<std::uint32_t> filled(Time now) {
    std::vector<std::uint32_t> numbers;
    while (numbers.size() < kK) numbers.push_back(serving(now));
    return numbers;
  }
  bool holds(std::uint32_t who) const { return find(peer(who)).has_value(); }

  std::uint32_t last = 0;
};

struct Warm final : Acquaintance {
  std::vector<PeerId> open;
  std::map<PeerId, Duration> patiences;
  std::map<PeerId, std::uint32_t> worths;
  bool connected(const PeerId& peer) const override {
    return std::ranges::find(open, peer) != open.end();
  }
  Duration patience(const PeerId& peer) const override {
    const auto at = patiences.find(peer);
    return at == patiences.end() ? Duration(5s) : at->second;
  }
  std::uint32_t worth(const PeerId& peer) const override {
    const auto at = worths.find(peer);
    return at == worths.end() ? 100 : at->second;
  }
};

// How many requests a walk among so many peers takes, of which each knows all.
std::size_t asked_by(std::string_view termination) {
  KadPolicies policies;
  policies.termination = policy_named<Termination>(termination);
  Lookup walk(kSelf, KadId::of(peer(7'777)), {20, 10, 3}, at(10s), policies);
  std::vector<Contact> all;
  for (std::uint32_t i = 1; i <= 40; ++i) all.push_back(contact(i));
  for (const Contact& each : all) walk.add(each);
  for (;;) {
    const auto step = walk.next(at(0s));
    if (const auto* ask = std::get_if<Lookup::Ask>(&step))
      walk.on_reply(ask->to.peer, all);
    else
      return walk.counts().asked;
  }
}

}  // namespace

TEST_CASE("policies: each has a name, under which it is found; the standard ones come first") {
  const KadPolicies standard;
  CHECK(name_of(standard.metric) == "xor");
  CHECK(name_of(standard.termination) == "beta_then_rest");
  CHECK(name_of(standard.ordering) == "worthiest");
  CHECK(name_of(standard.eviction) == "live_stay");
  CHECK(name_of(standard.replacement) == "oldest");
  for (const auto& [name, policy] : policies<Termination>())
    CHECK(policy_named<Termination>(name) == policy);
  CHECK(policy_named<Metric>("taxicab") == nullptr);
  CHECK(name_of(std::shared_ptr<const Metric>(std::make_shared<ClockwiseMetric>())).empty());
}

TEST_CASE("metric: clockwise is how far the target is ahead, all around the ring") {
  const ClockwiseMetric ring;
  CHECK(ring.between(number(0, 3), number(0, 5)) == far_by(0, 2));
  CHECK(ring.between(number(0, 5), number(0, 5)) == far_by(0, 0));
  // From 5 to 3: all the way round but for two.
  Distance nearly = far_by(0xff, 0xfe);
  for (std::size_t i = 1; i + 1 < nearly.bytes.size(); ++i) nearly.bytes[i] = 0xff;
  CHECK(ring.between(number(0, 5), number(0, 3)) == nearly);
  CHECK(ring.between(number(2, 0), number(3, 1)) == far_by(1, 1));
}

TEST_CASE("metric: a table finds the closest by any metric") {
  TableRules rules;
  rules.policies.metric = policy_named<Metric>("clockwise");
  RoutingTable table(kSelf, kK, rules);
  for (std::uint32_t i = 1; i <= 60; ++i) {
    table.on_connected(peer(i), at(0s));
    table.on_serves(peer(i), listens_at(i), at(0s));
  }
  const KadId target = KadId::of(peer(7'777));
  const auto entries = table.entries();
  std::map<Distance, PeerId> sorted;
  for (const TableEntry& e : entries)
    sorted.emplace(ClockwiseMetric().between(KadId::of(e.contact.peer), target), e.contact.peer);
  const auto asked = table.to_ask(target, 10);
  REQUIRE(asked.size() == 10);
  auto expected = sorted.begin();
  for (const Contact& each : asked) CHECK(each.peer == (expected++)->second);
}

TEST_CASE("termination: the k nearest, or the beta nearest alone") {
  CHECK(asked_by("beta_then_rest") == 20);
  CHECK(asked_by("all_k") == 20);
  CHECK(asked_by("first_beta") == 3);
}

TEST_CASE("termination: all_k asks no more than alpha at once to the end") {
  for (const auto& [name, most] :
       {std::pair("all_k", std::size_t{10}), std::pair("beta_then_rest", std::size_t{17})}) {
    CAPTURE(name);
    KadPolicies policies;
    policies.termination = policy_named<Termination>(name);
    Lookup walk(kSelf, KadId::of(peer(7'777)), {20, 10, 3}, at(10s), policies);
    for (std::uint32_t i = 1; i <= 40; ++i) walk.add(contact(i));
    std::vector<PeerId> flying;
    const auto ask_all = [&] {
      for (;;) {
        const auto step = walk.next(at(0s));
        const auto* ask = std::get_if<Lookup::Ask>(&step);
        if (ask == nullptr) return;
        flying.push_back(ask->to.peer);
      }
    };
    ask_all();
    REQUIRE(flying.size() == 10);
    for (std::size_t i = 0; i < 3; ++i) walk.on_reply(flying[i], {});
    flying.erase(flying.begin(), flying.begin() + 3);
    ask_all();
    CHECK(flying.size() == most);
  }
}

TEST_CASE("termination: a walk of which nobody is left ends, whatever its rule") {
  struct Never final : Termination {
    Verdict judge(const WalkView&, const LookupParams&) const override { return Verdict::keep; }
  };
  KadPolicies policies;
  policies.termination = std::make_shared<Never>();
  Lookup walk(kSelf, KadId::of(peer(7'777)), {20, 10, 3}, at(10s), policies);
  walk.add(contact(1));
  REQUIRE(std::holds_alternative<Lookup::Ask>(walk.next(at(0s))));
  walk.on_reply(peer(1), {});
  const auto step = walk.next(at(0s));
  REQUIRE(std::holds_alternative<Lookup::Finished>(step));
  CHECK(std::get<Lookup::Finished>(step).end == Lookup::End::converged);
}

TEST_CASE("ordering: quickest asks who is connected, then who is quick, among equals alone") {
  const std::vector<Contact> contacts{contact(1), contact(2), contact(3)};
  const std::vector<const Contact*> equals{&contacts[0], &contacts[1], &contacts[2]};
  Warm known;
  CHECK(NearestFirst().pick(equals, known) == 0);
  CHECK(QuickestFirst().pick(equals, known) == 0);
  known.patiences[peer(3)] = 1s;
  CHECK(QuickestFirst().pick(equals, known) == 2);
  known.open = {peer(2)};
  CHECK(QuickestFirst().pick(equals, known) == 1);
}

TEST_CASE("ordering: worthiest asks who was worth most, and of the same worth the nearest") {
  const std::vector<Contact> contacts{contact(1), contact(2), contact(3)};
  const std::vector<const Contact*> equals{&contacts[0], &contacts[1], &contacts[2]};
  Warm known;
  CHECK(WorthiestFirst().pick(equals, known) == 0);
  known.worths[peer(1)] = 99;
  CHECK(WorthiestFirst().pick(equals, known) == 1);
  known.worths[peer(3)] = 101;
  CHECK(WorthiestFirst().pick(equals, known) == 2);
}

TEST_CASE("ordering: changes in what order peers are asked, not which") {
  Warm known;
  for (std::uint32_t i = 1; i <= 40; i += 3) known.open.push_back(peer(i));
  const auto walk = [&](std::string_view name) {
    KadPolicies policies;
    policies.ordering = policy_named<Ordering>(name);
    Lookup lookup(kSelf, KadId::of(peer(7'777)), {20, 10, 3}, at(10s), policies);
    for (std::uint32_t i = 1; i <= 40; ++i) lookup.add(contact(i));
    std::vector<PeerId> order;
    for (;;) {
      const auto step = lookup.next(at(0s), known);
      const auto* ask = std::get_if<Lookup::Ask>(&step);
      if (ask == nullptr) return order;
      order.push_back(ask->to.peer);
      lookup.on_reply(ask->to.peer, {});
    }
  };
  auto nearest = walk("nearest"), quickest = walk("quickest");
  CHECK(nearest != quickest);
  std::ranges::sort(nearest);
  std::ranges::sort(quickest);
  CHECK(nearest == quickest);
}

TEST_CASE("eviction: least_useful gives the place of who was of no use for long") {
  Table table(ruled("least_useful", "oldest"));
  const auto old = table.filled(at(0s));
  for (std::size_t i = 1; i < old.size(); ++i)
    table.on_answered(peer(old[i]), listens_at(old[i]), at(15min));
  const std::uint32_t early = table.serving(after(at(LeastUseful::kUsefulFor), -1s));
  CHECK_FALSE(table.holds(early));
  const std::uint32_t comer = table.serving(at(LeastUseful::kUsefulFor));
  CHECK_FALSE(table.holds(old[0]));  // connected, and silent since it came
  CHECK(table.holds(early));         // who waited longer
  CHECK_FALSE(table.holds(comer));
}

TEST_CASE("eviction: live_stay keeps who is connected, however long it was silent") {
  Table table(ruled("live_stay", "oldest"));
  const auto old = table.filled(at(0s));
  CHECK_FALSE(table.holds(table.serving(at(24h))));
  for (const std::uint32_t who : old) CHECK(table.holds(who));
}

TEST_CASE("replacement: the place of a departed goes to who waits longest, or to the newest") {
  for (const bool newest : {false, true}) {
    CAPTURE(newest);
    Table table(ruled("live_stay", newest ? "newest" : "oldest"));
    const auto old = table.filled(at(0s));
    const std::uint32_t first = table.serving(at(1s)), last = table.serving(at(2s));
    table.on_refuses(peer(old[3]), "it stopped");
    CHECK(table.holds(first) == !newest);
    CHECK(table.holds(last) == newest);
  }
}

}  // namespace kadmesh
