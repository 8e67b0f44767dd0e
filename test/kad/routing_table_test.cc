#include "kad/routing_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "kad/params.h"
#include "people.h"
#include "table_model.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::size_t kK = 20;
const PeerId kSelf = peer(0);
const Error kTimeout{Errc::timeout, "no answer"};

struct Table : RoutingTable {
  explicit Table(TableRules rules = {}) : RoutingTable(kSelf, kK, std::move(rules)) {}

  void connected(std::uint32_t number) { on_connected(peer(number), at(0s)); }
  void serving(std::uint32_t number) {
    connected(number);
    on_serves(peer(number), listens_at(number), at(0s));
  }
  void serving(std::uint32_t number, const Multiaddr& there) {
    connected(number);
    on_serves(peer(number), std::vector{Dialable(there, Source::identify)}, at(0s));
  }
  void failed(std::uint32_t number, std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) on_failed(peer(number), kTimeout);
  }
  std::optional<Standing> standing(std::uint32_t number) const {
    const auto entry = find(peer(number));
    return entry ? std::optional(entry->standing) : std::nullopt;
  }
  bool hands_out(std::uint32_t number, std::uint32_t asking = 9'999'999) const {
    const auto out = to_hand_out(KadId::of(peer(number)), kK, peer(asking));
    return std::ranges::any_of(out, [&](const auto& e) { return e.contact.peer == peer(number); });
  }
  bool asks(std::uint32_t number) const {
    const auto out = to_ask(KadId::of(peer(number)), kK);
    return std::ranges::any_of(out, [&](const auto& c) { return c.peer == peer(number); });
  }
  // Fills bucket 0 with servers and returns their numbers.
  std::vector<std::uint32_t> full_bucket() {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t next = 1; numbers.size() < kK; ++next) {
      next = in_bucket(kSelf, 0, next);
      serving(next);
      numbers.push_back(next);
    }
    return numbers;
  }
};

}  // namespace

TEST_CASE("routing table: a connected peer is provisional: asked at once, never handed out") {
  Table table;
  table.connected(1);
  CHECK(table.standing(1) == Standing::provisional);
  CHECK(table.asks(1));
  CHECK_FALSE(table.hands_out(1));
}

TEST_CASE("routing table: identify makes a provisional peer a server, or removes it") {
  Table table;
  table.serving(1);
  CHECK(table.standing(1) == Standing::server);
  CHECK(table.hands_out(1));
  table.connected(2);
  table.on_refuses(peer(2), "identify does not list /ipfs/kad/1.0.0");
  CHECK_FALSE(table.standing(2));
  CHECK(table.why(peer(2)) == "not in the table: identify does not list /ipfs/kad/1.0.0");
}

TEST_CASE("routing table: an answer proves that a peer serves") {
  Table table;
  table.connected(1);
  table.on_answered(peer(1), listens_at(1), at(3s));
  CHECK(table.standing(1) == Standing::server);
  CHECK(table.find(peer(1))->last_answer == at(3s));
}

TEST_CASE("routing table: a provisional peer leaves with its connection, a server stays") {
  Table table;
  table.connected(1);
  table.serving(2);
  table.connected(3);
  table.on_serves(peer(3), {}, at(0s));
  for (const std::uint32_t number : {1u, 2u, 3u}) table.on_disconnected(peer(number));
  CHECK_FALSE(table.standing(1));
  CHECK(table.standing(2) == Standing::server);
  CHECK_FALSE(table.standing(3));  // nowhere to dial it
  CHECK_FALSE(table.find(peer(2))->connected);
}

TEST_CASE("routing table: a server leaves after so many failures in a row, not before") {
  Table table;
  table.serving(1);
  table.failed(1, kMostFailures - 1);
  CHECK(table.standing(1));
  CHECK_FALSE(table.hands_out(1));  // doubtful: not to be passed on
  table.on_answered(peer(1), listens_at(1), at(1s));
  table.failed(1, kMostFailures - 1);
  CHECK(table.standing(1));
  table.failed(1);
  CHECK_FALSE(table.standing(1));
}

TEST_CASE("routing table: our own id never enters") {
  Table table;
  table.serving(0);
  CHECK(table.entries().empty());
  CHECK(table.to_ask(KadId::of(kSelf), kK).empty());
}

TEST_CASE("H56: a flood of newcomers displaces no server that answers") {
  Table table;
  const auto old = table.full_bucket();
  for (std::uint32_t next = 1000, sybils = 0; sybils < 500; ++sybils, ++next) {
    next = in_bucket(kSelf, 0, next);
    table.serving(next);
  }
  for (const std::uint32_t number : old) CHECK(table.standing(number) == Standing::server);
  CHECK(table.servers() == kK);
}

TEST_CASE("H56: one public network has two servers of a bucket, however many ids it makes") {
  Table table;
  std::uint32_t next = 1;
  for (std::uint32_t sybils = 0; sybils < 10; ++sybils, ++next) {
    next = in_bucket(kSelf, 0, next);
    const std::vector<Dialable> there{Dialable(tcp(0x05060700 + sybils), Source::identify)};
    table.on_connected(peer(next), at(0s));
    table.on_serves(peer(next), there, at(0s));
  }
  CHECK(table.servers() == DiversityLimits().of_bucket);
  table.serving(next = in_bucket(kSelf, 0, next));  // an honest newcomer still gets in
  CHECK(table.standing(next) == Standing::server);
}

TEST_CASE("H56: who connects from one network is of that one, whatever addresses it names") {
  Table table;
  const auto from = public_subnet(tcp(0x05060701));
  std::uint32_t next = 1;
  for (std::uint32_t sybils = 0; sybils < 10; ++sybils, ++next) {
    next = in_bucket(kSelf, 0, next);
    // In a network of its own, or in none, so it says.
    const std::vector<Dialable> said{
        sybils % 2 == 0 ? Dialable(tcp(0x05000000 + (sybils << 16)), Source::identify)
                        : listens_at(next).front()};
    table.on_connected(peer(next), at(0s));
    table.on_serves(peer(next), said, at(0s), from);
  }
  CHECK(table.servers() == DiversityLimits().of_bucket);
}

// Peers of buckets 0, 1, 2, ...: whom nothing but the table's limit concerns.
std::vector<std::uint32_t> one_of_each_bucket(unsigned count) {
  std::vector<std::uint32_t> numbers;
  for (unsigned bucket = 0; bucket < count; ++bucket)
    numbers.push_back(in_bucket(kSelf, bucket, 1));
  return numbers;
}

TEST_CASE("H56: one holder of networks has three servers of a table, in whatever buckets") {
  Table table;
  const auto sybils = one_of_each_bucket(6);
  for (std::uint32_t i = 0; i < sybils.size(); ++i)
    table.serving(sybils[i], tcp(0x05060000 + (i << 8)));
  CHECK(table.servers() == DiversityLimits().of_table);
  CHECK(
      table.why(peer(sybils[5])) ==
      "not in the table: a server that waits for a place: of its network the bucket has 2 servers, "
      "or the table 3");
  const std::uint32_t honest = in_bucket(kSelf, 3, sybils[3] + 1);
  table.serving(honest, tcp(0x05070000));
  CHECK(table.standing(honest) == Standing::server);
}

TEST_CASE("routing table: a place in one bucket frees one for its network in another") {
  Table table;
  const auto numbers = one_of_each_bucket(4);
  for (std::uint32_t i = 0; i < numbers.size(); ++i)
    table.serving(numbers[i], tcp(0x05060000 + (i << 8)));
  CHECK_FALSE(table.standing(numbers[3]));
  table.on_refuses(peer(numbers[0]), "it stopped");
  CHECK(table.standing(numbers[3]) == Standing::server);
}

TEST_CASE("routing table: loopback and private addresses are exempt, and what the user exempts") {
  const auto numbers = one_of_each_bucket(6);
  const auto filled_from = [&](std::uint32_t network, TableRules rules) {
    Table table(std::move(rules));
    for (std::uint32_t i = 0; i < numbers.size(); ++i) table.serving(numbers[i], tcp(network + i));
    return table.servers();
  };
  CHECK(filled_from(0x7f000001, {}) == 6);
  CHECK(filled_from(0x0a000001, {}) == 6);
  CHECK(filled_from(0x05060701, {}) == 3);
  TableRules lab;
  lab.diversity.exempt = {SubnetRange::from_text("5.6.0.0/16").value()};
  CHECK(filled_from(0x05060701, lab) == 6);
  CHECK(filled_from(0x05070701, lab) == 3);
  TableRules off;
  off.diversity = {0, 0, {}};
  CHECK(filled_from(0x05060701, off) == 6);
}

TEST_CASE("routing table: whom the DHT is not for does not enter, and leaves when it shows") {
  TableRules world;
  world.scope = Scope::wan;
  Table table(world);
  table.serving(1);  // at home
  CHECK_FALSE(table.standing(1));
  CHECK(table.why(peer(1)) ==
        "not in the table: none of its addresses is public, and this table is for the public "
        "network");
  table.serving(2, tcp(0x05060701));
  CHECK(table.standing(2) == Standing::server);
  table.on_serves(peer(2), listens_at(2), at(1s));
  CHECK_FALSE(table.standing(2));
}

TEST_CASE("routing table: a failure frees a place only of who is not connected") {
  Table table;
  const auto old = table.full_bucket();
  const std::uint32_t waiting = in_bucket(kSelf, 0, old.back() + 1);
  table.serving(waiting);
  CHECK_FALSE(table.standing(waiting));
  table.failed(old[3]);
  CHECK(table.standing(old[3]));
  table.on_disconnected(peer(old[3]));
  CHECK_FALSE(table.standing(old[3]));
  CHECK(table.standing(waiting) == Standing::server);
}

TEST_CASE("routing table: servers that enter and leave are told, each once") {
  Table table;
  table.connected(1);
  CHECK_FALSE(table.poll());
  table.serving(1);
  const auto entered = table.poll();
  REQUIRE(entered);
  CHECK(entered->peer == peer(1));
  CHECK(entered->entered);
  table.on_refuses(peer(1), "it stopped");
  const auto left = table.poll();
  REQUIRE(left);
  CHECK_FALSE(left->entered);
  CHECK_FALSE(table.poll());
}

TEST_CASE("routing table: handed out without the one who asks") {
  Table table;
  table.serving(1);
  CHECK(table.hands_out(1, 2));
  CHECK_FALSE(table.hands_out(1, 1));
}

TEST_CASE("routing table: why() always has an answer") {
  Table table;
  CHECK(table.why(kSelf) == "not in the table: it is this node");
  CHECK(table.why(peer(1)) == "not in the table: it was never connected to us");
  table.connected(1);
  CHECK(table.why(peer(1)).starts_with("provisional"));
  table.serving(1);
  CHECK(table.why(peer(1)).starts_with("server"));
  table.failed(1, kMostFailures);
  CHECK(table.why(peer(1)).starts_with("not in the table: failed 3 times in a row"));
}

TEST_CASE("routing table: any sequence of events leaves what a naive table would hold") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Rng luck(seed);
    TableModel both(kSelf, 3);  // small buckets fill quickly
    for (int i = 0; i < 400; ++i) {
      both.step(static_cast<std::uint8_t>(luck.next()), static_cast<std::uint8_t>(luck.next()));
      REQUIRE(both.difference() == "");
    }
  }
}

}  // namespace kadmesh
