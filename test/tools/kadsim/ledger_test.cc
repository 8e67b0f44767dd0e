#include "kadsim/ledger.h"

#include <doctest/doctest.h>

namespace kadmesh::kadsim {
namespace {

const Population kTwo{2, {"alice", "bob"}};

struct Book : Ledger {
  void get(NodeIndex node, std::uint64_t number, Duration at, Duration limit = 10s) {
    known_as(begin(Verb::get, "read", node, at, limit), number);
  }
};
Outcome failed(const char* error) {
  Outcome out;
  out.error = error;
  return out;
}

TEST_CASE("ledger: what began is counted by how it ended") {
  Book book;
  book.get(0, 1, 1s);
  book.get(0, 2, 1s);
  book.get(1, 1, 1s);
  book.ended({0, 1}, 1200ms, {});
  book.ended({0, 2}, 2s, failed("timeout"));
  const Operations all = book.of("read");
  CHECK(all.started == 3);
  CHECK(all.succeeded == 1);
  CHECK(all.failures.at("timeout") == 1);
  CHECK(all.latency.least() == Histogram::bin_of(200'000));
  CHECK(book.of("get").started == 3);
  CHECK(book.of("put").started == 0);
}

TEST_CASE("ledger: an answer in the turn that began it is known too") {
  Book book;
  const std::size_t record = book.begin(Verb::put, "", 0, 1s, 1s);
  book.ended({0, 9}, 1s, {});
  book.known_as(record, 9);
  CHECK(book.of("put").succeeded == 1);
}

TEST_CASE("ledger: ending twice, and ending late, break the rule") {
  Book book;
  book.get(0, 1, 1s, 2s);
  CHECK(book.broken(3s, 100ms, kTwo).empty());
  CHECK(book.broken(3200ms, 100ms, kTwo) ==
        "get of alice at 1s still runs after 2.2s; its limit was 2s");
  book.ended({0, 1}, 3s, {});
  CHECK(book.broken(9s, 100ms, kTwo).empty());
  book.ended({0, 1}, 4s, {});
  CHECK(book.broken(9s, 100ms, kTwo) == "get of alice at 1s ended twice");
}

TEST_CASE("ledger: what is lost with its node neither succeeds nor is late") {
  Book book;
  book.get(0, 1, 1s);
  book.get(1, 1, 1s);
  book.lost(0);
  CHECK(book.of("get").lost == 1);
  book.get(0, 1, 5s);  // its next life numbers from the start again
  book.ended({0, 1}, 6s, {});
  CHECK(book.of("get").succeeded == 1);
  CHECK(book.broken(11s, 100ms, kTwo).empty());
}

TEST_CASE("ledger: the time for which its node stood still is no operation's fault") {
  Book book;
  book.get(0, 1, 1s, 2s);
  book.get(1, 1, 1s, 2s);
  book.froze(0, 2s);
  CHECK(book.broken(5s, 100ms, kTwo).starts_with("get of bob"));
  book.ended({1, 1}, 3s, {});
  CHECK(book.broken(5s, 100ms, kTwo).empty());
  book.thawed(0, 6s);
  book.slowed(0, 4s, 6500ms);  // shares two seconds
  CHECK(book.broken(7500ms, 100ms, kTwo).empty());
  CHECK(book.broken(7700ms, 100ms, kTwo).starts_with("get of alice at 1s still runs"));
}

TEST_CASE("ledger: an answer that a former life left behind ends nothing of the next") {
  Book book;
  book.ended({0, 1}, 1s, {});  // nobody knows its number yet
  book.lost(0);
  book.get(0, 1, 5s);
  CHECK(book.of("get").succeeded == 0);
}

TEST_CASE("ledger: a line for each operation") {
  Book book;
  book.get(0, 1, 1s);
  book.ended({0, 1}, 1500ms, failed("not_found"));
  CHECK(book.to_csv(kTwo) ==
        "operation,label,node,started_s,took_s,result,hops,asked\n"
        "get,read,alice,1,0.5,not_found,,\n");
}

}  // namespace
}  // namespace kadmesh::kadsim
