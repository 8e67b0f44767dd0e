#include "kad/lookup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "kad/params.h"
#include "kad/routing_table.h"
#include "lookup_model.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr LookupParams kParams{20, 10, 3};

// Nodes that answer by their own tables, after a while of virtual time; some never answer.
class Network {
 public:
  explicit Network(std::uint32_t size) {
    for (std::uint32_t i = 0; i < size; ++i) everybody_.push_back(peer(i));
    for (std::uint32_t i = 0; i < size; ++i) {
      RoutingTable& table =
          tables_.emplace(everybody_[i], RoutingTable(everybody_[i], 20)).first->second;
      for (std::uint32_t j = 0; j < size; ++j) {
        table.on_connected(everybody_[j], at(0s));
        table.on_serves(everybody_[j], listens_at(j), at(0s));
      }
    }
  }

  std::set<PeerId> silent;  // never answer; fail after 5 s
  Duration latency = 50ms;
  std::size_t most_in_flight = 0;
  Time now{};

  // Runs a walk that starts from what `from` knows.
  Lookup walk(const PeerId& from, const KadId& target, Time deadline = at(60s)) {
    Lookup lookup(from, target, kParams, deadline);
    for (const Contact& seed : tables_.at(from).to_ask(target, 20)) lookup.add(seed);
    while (!run(lookup)) {
    }
    return lookup;
  }

  std::vector<PeerId> closest(const KadId& target, std::size_t count, const PeerId& without) const {
    std::vector<PeerId> sorted = everybody_;
    std::erase(sorted, without);
    std::erase_if(sorted, [&](const PeerId& id) { return silent.contains(id); });
    std::ranges::sort(sorted, {},
                      [&](const PeerId& id) { return distance(KadId::of(id), target); });
    sorted.resize(std::min(sorted.size(), count), sorted.front());
    return sorted;
  }

  Lookup::End end{};

 private:
  bool run(Lookup& lookup) {
    const auto step = lookup.next(now);
    if (const auto* ask = std::get_if<Lookup::Ask>(&step)) {
      const Duration takes = silent.contains(ask->to.peer) ? 5s : latency;
      due_.emplace(after(now, takes), ask->to.peer);
      most_in_flight = std::max(most_in_flight, due_.size());
    } else if (const auto* finished = std::get_if<Lookup::Finished>(&step)) {
      end = finished->end;
      return true;
    } else {
      pass(lookup, std::get<Lookup::Wait>(step).until);
    }
    return false;
  }

  void pass(Lookup& lookup, Time until) {
    REQUIRE(until > now);  // H65: each tick must progress
    if (due_.empty() || due_.begin()->first > until) {
      now = until;
      return;
    }
    const auto [when, who] = *due_.begin();
    due_.erase(due_.begin());
    now = when;
    if (silent.contains(who)) return lookup.on_failure(who);
    lookup.on_reply(who, answer_of(who, lookup));
  }

  std::vector<Contact> answer_of(const PeerId& who, const Lookup&) const {
    std::vector<Contact> contacts;
    for (const TableEntry& entry : tables_.at(who).to_hand_out(target_, 20, who))
      contacts.push_back(entry.contact);
    return contacts;
  }

 public:
  void aim(const KadId& target) { target_ = target; }

 private:
  KadId target_;
  std::vector<PeerId> everybody_;
  std::map<PeerId, RoutingTable> tables_;
  std::multimap<Time, PeerId> due_;
};

std::vector<PeerId> peers(const std::vector<Contact>& contacts) {
  std::vector<PeerId> ids;
  for (const Contact& contact : contacts) ids.push_back(contact.peer);
  return ids;
}

// A lookup that nobody answers on its own.
struct Alone {
  Lookup lookup{peer(0), KadId::of(peer(7)), kParams, at(10s)};

  std::vector<PeerId> ask_all(Time now) {
    std::vector<PeerId> asked;
    for (;;) {
      const auto step = lookup.next(now);
      const auto* ask = std::get_if<Lookup::Ask>(&step);
      if (!ask) return asked;
      asked.push_back(ask->to.peer);
    }
  }
  void knows(std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) lookup.add(contact(i));
  }
  std::optional<Lookup::End> end(Time now) {
    const auto step = lookup.next(now);
    const auto* finished = std::get_if<Lookup::Finished>(&step);
    return finished ? std::optional(finished->end) : std::nullopt;
  }
};

}  // namespace

TEST_CASE("lookup: in a network of 200 it finds the 20 that are truly closest") {
  Network network(200);
  for (std::uint32_t target = 1000; target < 1030; ++target) {
    CAPTURE(target);
    const KadId aim = KadId::of(peer(target));
    network.aim(aim);
    const PeerId from = peer(target % 200);
    const Lookup lookup = network.walk(from, aim);
    CHECK(network.end == Lookup::End::converged);
    CHECK(peers(lookup.answered(20)) == network.closest(aim, 20, from));
  }
}

TEST_CASE("lookup: with a third of the network silent the rest is still found") {
  Network network(200);
  for (std::uint32_t i = 0; i < 200; i += 3) network.silent.insert(peer(i));
  const KadId aim = KadId::of(peer(5000));
  network.aim(aim);
  const Lookup lookup = network.walk(peer(1), aim);
  CHECK(network.end == Lookup::End::converged);
  // Tables still name the silent ones, so only the nearest are certain to be named as well.
  CHECK(peers(lookup.answered(10)) == network.closest(aim, 10, peer(1)));
  // Silent peers are walked around, so their 5 s are waited for side by side, not one by one.
  CHECK(network.now < at(8s));
}

TEST_CASE("lookup: no more than alpha are asked until the beta closest have answered") {
  Alone alone;
  alone.knows(1, 41);
  const auto asked = alone.ask_all(at(0s));
  CHECK(asked.size() == kParams.alpha);
  alone.lookup.on_reply(asked[0], {});
  alone.lookup.on_reply(asked[1], {});
  CHECK(alone.ask_all(at(0s)).size() == 2);  // alpha again
  alone.lookup.on_reply(asked[2], {});
  CHECK(alone.ask_all(at(0s)).size() == 20 - 12);  // the rest of k at once
}

TEST_CASE("lookup: silent requests make way for others") {
  Alone alone;
  alone.knows(1, 41);
  CHECK(alone.ask_all(at(0s)).size() == 10);
  CHECK(alone.ask_all(at(900ms)).empty());
  CHECK(alone.ask_all(at(0s) + kStall).size() == 10);
  const auto wait = std::get<Lookup::Wait>(alone.lookup.next(at(0s) + kStall));
  CHECK(wait.until == at(0s) + 2 * kStall);
  CHECK_FALSE(wait.only_silent);
}

TEST_CASE("lookup: how soon somebody counts as silent can be said of each") {
  Alone alone;
  alone.knows(1, 41);
  const auto asked = alone.ask_all(at(0s));
  REQUIRE(asked.size() == 10);
  alone.lookup.stalls(asked[0], at(200ms));
  alone.lookup.stalls(asked[1], at(3s));
  alone.lookup.stalls(peer(99), at(0s));  // not asked
  CHECK(alone.ask_all(at(199ms)).empty());
  CHECK(alone.ask_all(at(200ms)).size() == 1);
  CHECK(alone.ask_all(at(1s)).size() == 8);
}

TEST_CASE("lookup: the deadline is looked at first") {
  Alone alone;
  alone.knows(1, 5);
  CHECK(alone.end(at(10s)) == Lookup::End::expired);
  CHECK(alone.lookup.counts().asked == 0);
}

TEST_CASE("lookup: without anybody it is starved, not converged") {
  Alone alone;
  CHECK(alone.end(at(0s)) == Lookup::End::starved);
  alone.knows(1, 3);
  for (const PeerId& id : alone.ask_all(at(0s))) alone.lookup.on_failure(id);
  CHECK(alone.end(at(1s)) == Lookup::End::starved);
}

TEST_CASE("lookup: own id, the answering peer and what is known are ignored") {
  Alone alone;
  alone.knows(1, 3);
  const auto asked = alone.ask_all(at(0s));
  alone.lookup.on_reply(asked[0], std::vector{contact(0), contact(1), contact(2), contact(2)});
  CHECK(alone.ask_all(at(0s)).empty());
}

TEST_CASE("H49: of one answer at most 2k closer peers are taken") {
  Alone alone;
  alone.knows(1, 2);
  const auto asked = alone.ask_all(at(0s));
  std::vector<Contact> flood;
  for (std::uint32_t i = 100; i < 5100; ++i) flood.push_back(contact(i));
  alone.lookup.on_reply(asked[0], flood);
  CHECK(alone.lookup.known(10'000).size() == 1 + 2 * kParams.k);
}

TEST_CASE("H49: answers without end do not make the walk grow without bound") {
  Alone alone;
  alone.knows(1, 2);
  std::uint32_t next = 100;
  std::size_t asked = 0;
  for (auto batch = alone.ask_all(at(0s)); !batch.empty(); batch = alone.ask_all(at(0s))) {
    for (const PeerId& id : batch) {
      std::vector<Contact> lies;
      for (int i = 0; i < 40; ++i) lies.push_back(contact(next++));
      alone.lookup.on_reply(id, lies);
      ++asked;
    }
    REQUIRE(asked <= kMostCandidates);
    REQUIRE(alone.lookup.known(1'000'000).size() <= kMostCandidates);
  }
  CHECK(alone.end(at(0s)) == Lookup::End::converged);
}

TEST_CASE("H55: late, doubled and invented answers change nothing") {
  Alone alone;
  alone.knows(1, 3);
  const auto asked = alone.ask_all(at(0s));
  alone.lookup.on_failure(asked[0]);
  alone.lookup.on_reply(asked[0], std::vector{contact(50)});  // late
  alone.lookup.on_reply(peer(99), std::vector{contact(51)});  // never asked
  alone.lookup.on_reply(asked[1], {});
  alone.lookup.on_reply(asked[1], std::vector{contact(52)});  // doubled
  alone.lookup.on_failure(asked[1]);
  const auto counts = alone.lookup.counts();
  CHECK(counts.asked == 2);
  CHECK(counts.answered == 1);
  CHECK(counts.failed == 1);
  CHECK(alone.end(at(0s)) == Lookup::End::converged);
}

TEST_CASE("lookup: addresses that several peers know are put together") {
  Alone alone;
  alone.lookup.add({peer(1), {}});
  alone.lookup.add(contact(1));
  alone.lookup.add(contact(1));
  REQUIRE(alone.lookup.heard_of(peer(1)));
  CHECK(alone.lookup.heard_of(peer(1))->addrs.size() == 1);
}

TEST_CASE("lookup: a peer that failed may be asked again when it is added again") {
  Alone alone;
  alone.knows(1, 2);
  for (const PeerId& id : alone.ask_all(at(0s))) alone.lookup.on_failure(id);
  CHECK(alone.end(at(1s)));
  alone.knows(1, 2);
  CHECK(alone.ask_all(at(1s)).size() == 1);
}

TEST_CASE("H57: withdrawing names each outstanding peer once, and nothing is owed afterwards") {
  Alone alone;
  alone.knows(1, 6);
  const auto asked = alone.ask_all(at(0s));
  alone.lookup.on_reply(asked[2], {});
  CHECK(alone.lookup.withdraw().size() == asked.size() - 1);
  CHECK(alone.lookup.withdraw().empty());
  CHECK(alone.end(at(0s)) == Lookup::End::converged);
}

TEST_CASE("lookup: any sequence of events leads to the steps of a naive walk") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng luck(seed);
    LookupModel both(static_cast<std::uint8_t>(luck.next()), at(60s));
    for (int i = 0; i < 200; ++i) {
      both.step(static_cast<std::uint8_t>(luck.next()), static_cast<std::uint8_t>(luck.next()));
      REQUIRE(both.difference() == "");
    }
  }
}

}  // namespace kadmesh
