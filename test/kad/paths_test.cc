#include "kad/paths.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "kad/params.h"
#include "kad/routing_table.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

const KadId kTarget = KadId::of(peer(7'777'777));

bool nearer(std::uint32_t a, std::uint32_t b) {
  return distance(KadId::of(peer(a)), kTarget) < distance(KadId::of(peer(b)), kTarget);
}
// So many peers by their distance to the target, the nearest first.
std::vector<std::uint32_t> by_distance(std::uint32_t count, std::uint32_t from = 1) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < count; ++i) numbers.push_back(from + i);
  std::ranges::sort(numbers, nearer);
  return numbers;
}
std::vector<Contact> contacts(std::span<const std::uint32_t> numbers) {
  std::vector<Contact> all;
  for (const std::uint32_t number : numbers) all.push_back(contact(number));
  return all;
}
std::vector<PeerId> ids(const std::vector<Contact>& of) {
  std::vector<PeerId> all;
  for (const Contact& contact : of) all.push_back(contact.peer);
  return all;
}
bool holds(const std::vector<Contact>& all, std::uint32_t number) {
  return std::ranges::find(all, peer(number), &Contact::peer) != all.end();
}

// Paths of which the test answers each question.
struct Asked {
  Paths paths;

  Asked(std::size_t count, LookupParams params, std::span<const std::uint32_t> seeds)
      : paths(peer(0), kTarget, params, count, at(10s)) {
    for (const std::uint32_t seed : seeds) paths.add(contact(seed));
  }
  std::vector<PeerId> ask_all(Time now = at(0s)) {
    std::vector<PeerId> asked;
    for (;;) {
      const auto step = paths.next(now);
      const auto* ask = std::get_if<Lookup::Ask>(&step);
      if (ask == nullptr) return asked;
      asked.push_back(ask->to.peer);
    }
  }
  std::optional<Lookup::End> end(Time now = at(0s)) {
    const auto step = paths.next(now);
    const auto* finished = std::get_if<Lookup::Finished>(&step);
    return finished ? std::optional(finished->end) : std::nullopt;
  }
  // Until it is over, everybody answering with what `closer` says.
  template <class Closer>
  void walk(Closer closer) {
    std::set<PeerId> ever;
    for (auto batch = ask_all(); !batch.empty(); batch = ask_all())
      for (const PeerId& id : batch) {
        REQUIRE(ever.insert(id).second);  // nobody is asked by two paths
        paths.on_reply(id, closer(id));
      }
    CHECK(end() == Lookup::End::converged);
  }
};

// People who know the network as their own tables have it.
struct Honest {
  std::map<PeerId, RoutingTable> tables;

  explicit Honest(std::uint32_t size) {
    for (std::uint32_t i = 1; i <= size; ++i) {
      RoutingTable& table = tables.emplace(peer(i), RoutingTable(peer(i), 20)).first->second;
      for (std::uint32_t j = 1; j <= size; ++j) {
        table.on_connected(peer(j), at(0s));
        table.on_serves(peer(j), listens_at(j), at(0s));
      }
    }
  }
  std::vector<Contact> answer(const PeerId& who) const {
    std::vector<Contact> all;
    for (const TableEntry& entry : tables.at(who).to_hand_out(kTarget, 20, who))
      all.push_back(entry.contact);
    return all;
  }
};

constexpr LookupParams kParams{20, 10, 3};

}  // namespace

// rust-libp2p: s_kademlia_disjoint_paths
TEST_CASE("paths: an answer leads its own path on and no other, and each has its say in the end") {
  const auto all = by_distance(12);
  const auto group = [&](std::size_t from) { return std::span(all).subspan(from, 3); };
  Asked asked(3, {3, 3, 3}, group(9));
  CHECK(asked.ask_all().size() == 3);  // one a path
  // The first lies: nobody is nearer than those it names.
  asked.paths.on_reply(peer(all[9]), contacts(group(0)));
  asked.paths.on_reply(peer(all[10]), contacts(group(3)));
  asked.paths.on_reply(peer(all[11]), contacts(group(6)));
  const auto second = asked.ask_all();
  REQUIRE(second.size() == 3);
  for (const std::size_t nearest : {0U, 3U, 6U})
    CHECK(std::ranges::find(second, peer(all[nearest])) != second.end());
  for (const PeerId& id : second) asked.paths.on_reply(id, {});
  asked.walk([](const PeerId&) { return std::vector<Contact>(); });
  for (const std::size_t nearest : {0U, 3U, 6U})
    CHECK(holds(asked.paths.answered(3), all[nearest]));
}

// rust-libp2p: closest_and_disjoint_closest_yield_same_result
TEST_CASE("paths: among honest peers they come to what one walk comes to") {
  const Honest network(150);
  const auto all = by_distance(150);
  const std::vector<std::uint32_t> seeds{3, 14, 15, 92, 65, 35, 89, 79, 32, 38};
  for (const std::size_t count : {1U, 2U, 4U, 7U}) {
    CAPTURE(count);
    Asked asked(count, kParams, seeds);
    asked.walk([&](const PeerId& who) { return network.answer(who); });
    CHECK(ids(asked.paths.answered(20)) == ids(contacts(std::span(all).first(20))));
  }
}

// rust-libp2p: failure_can_not_overwrite_previous_success
TEST_CASE("paths: a failure after an answer changes nothing, nor an answer after a failure") {
  Asked asked(2, kParams, std::vector<std::uint32_t>{1, 2});
  CHECK(asked.ask_all().size() == 2);
  asked.paths.on_reply(peer(1), {});
  asked.paths.on_failure(peer(1));
  asked.paths.on_failure(peer(2));
  asked.paths.on_reply(peer(2), std::vector{contact(3)});
  asked.paths.on_reply(peer(9), std::vector{contact(4)});  // never asked
  CHECK(ids(asked.paths.answered(20)) == std::vector{peer(1)});
  CHECK(asked.paths.counts().answered == 1);
  CHECK(asked.paths.counts().failed == 1);
  CHECK(asked.ask_all().empty());
}

// rust-libp2p: result_iter_returns_deduplicated_ordered_peer_id_stream
TEST_CASE("paths: what they found is in the order of distance, and names nobody twice") {
  Rng rng(1);
  const auto all = by_distance(60);
  Asked asked(4, {20, 40, 3}, std::span(all).last(8));
  asked.walk([&](const PeerId&) {
    std::vector<Contact> some;
    for (int i = 0; i < 5; ++i) some.push_back(contact(all[rng.below(all.size())]));
    return some;
  });
  for (const auto& found : {asked.paths.answered(20), asked.paths.known(20)}) {
    CHECK(found.size() >= 8);
    const auto apart = [](const Contact& c) { return distance(KadId::of(c.peer), kTarget); };
    CHECK(std::ranges::is_sorted(found, {}, apart));
    CHECK(std::ranges::adjacent_find(found, {}, &Contact::peer) == found.end());
  }
}

TEST_CASE("H56: a walk with d paths reaches the target past liars who name only each other") {
  const Honest network(150);
  const auto near = by_distance(150);
  // The liars' ids are ground: all of them are nearer than anybody honest.
  std::vector<std::uint32_t> liars;
  for (std::uint32_t number = 1000; liars.size() < 25; ++number)
    if (nearer(number, near.front())) liars.push_back(number);
  const std::set<PeerId> lying = [&] {
    const auto all = ids(contacts(liars));
    return std::set(all.begin(), all.end());
  }();
  const auto answer = [&](const PeerId& who) {
    return lying.contains(who) ? contacts(liars) : network.answer(who);
  };
  const std::vector<std::uint32_t> seeds{liars.front(), near[149], near[148], near[147]};
  for (const std::size_t count : {1U, 4U}) {
    CAPTURE(count);
    Asked asked(count, {20, 4, 3}, seeds);
    asked.walk(answer);
    CHECK(holds(asked.paths.answered(20), near.front()) == (count == 4));
  }
}

TEST_CASE("paths: who failed for one has failed for all, and is asked again by whom it was") {
  Asked asked(2, kParams, std::vector<std::uint32_t>{1, 2});
  CHECK(asked.ask_all().size() == 2);
  asked.paths.on_failure(peer(1));
  asked.paths.on_reply(peer(2), std::vector{contact(1)});
  CHECK(asked.ask_all().empty());  // the second path hears of it, and knows
  CHECK_FALSE(holds(asked.paths.known(20), 1));
  CHECK(asked.end() == Lookup::End::converged);
  asked.paths.add(contact(1));
  CHECK(asked.ask_all() == std::vector{peer(1)});
}

TEST_CASE("paths: alpha is shared out, and who is alone has a path to itself") {
  const auto many = by_distance(40);
  CHECK(Asked(1, kParams, many).ask_all().size() == 10);
  CHECK(Asked(4, kParams, many).ask_all().size() == 12);
  Asked alone(4, kParams, std::vector<std::uint32_t>{1});
  CHECK(alone.ask_all().size() == 1);
  CHECK_FALSE(alone.end());
  alone.paths.on_reply(peer(1), {});
  CHECK(alone.end() == Lookup::End::converged);
  CHECK(Asked(4, kParams, {}).end() == Lookup::End::starved);
  CHECK(Asked(4, kParams, many).end(at(10s)) == Lookup::End::expired);
}

TEST_CASE("H57: withdrawing names each outstanding peer once, whichever paths wait for it") {
  Asked asked(2, kParams, std::vector<std::uint32_t>{1, 2});
  CHECK(asked.ask_all().size() == 2);
  asked.paths.on_reply(peer(1), std::vector{contact(2), contact(3)});
  CHECK(asked.ask_all() == std::vector{peer(3)});  // 2 is the other path's, and both wait for it
  auto withdrawn = asked.paths.withdraw();
  std::ranges::sort(withdrawn);
  std::vector expected{peer(2), peer(3)};
  std::ranges::sort(expected);
  CHECK(withdrawn == expected);
  CHECK(asked.paths.withdraw().empty());
  CHECK(asked.end() == Lookup::End::converged);
}

TEST_CASE("paths: who is silent is walked around by its own path") {
  const auto many = by_distance(40);
  Asked asked(2, kParams, many);
  CHECK(asked.ask_all().size() == 10);
  asked.paths.stalls(peer(many[0]), at(100ms));
  CHECK(asked.ask_all(at(99ms)).empty());
  CHECK(asked.ask_all(at(100ms)).size() == 1);
}

}  // namespace kadmesh
