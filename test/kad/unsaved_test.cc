#include "kad/unsaved.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "kad/rows.h"
#include "net.h"

namespace kadmesh {
using namespace testing;

namespace {

const Bytes kKey = to_bytes(as_bytes("/v/k"));
constexpr WallTime kDelivered{1'000h};

// A disk that takes what it is given, or does not.
struct Disk {
  Unsaved unsaved;
  Rng rng{1};
  Time now{};
  std::uint64_t next = 1;
  bool broken = true;
  std::vector<StoreRequest> taken;

  Turn turn() { return {{now, kDelivered}, rng}; }
  void ask(StoreRequest request, Errc failure = Errc::io) {
    const KadStoreId id{next++};
    unsaved.on_asked(id, request);
    if (!broken) taken.push_back(request);
    unsaved.on_stored(turn(), id, broken ? StoreResult(fail(failure, "broken")) : StoreRows{});
  }
  std::size_t retry() {
    std::vector<StoreRequest> again;
    while (auto request = unsaved.poll(now)) again.push_back(*std::move(request));
    for (StoreRequest& request : again) ask(std::move(request));
    return again.size();
  }
};

Save delivered(const Bytes& key) { return {publishing_row(key, {1}, kDelivered)}; }

}  // namespace

TEST_CASE("unsaved: what a full disk did not take is written when there is room") {
  Disk disk;
  disk.ask(delivered(kKey));
  CHECK(disk.unsaved.has({Kind::publishing, kKey}));
  CHECK(disk.retry() == 0);
  disk.now = disk.unsaved.next_timer();
  CHECK(disk.now == Time(kPendingRetry));
  CHECK(disk.retry() == 1);
  CHECK(disk.unsaved.next_timer() == Time(2 * kPendingRetry));
  disk.now = disk.unsaved.next_timer();
  disk.broken = false;
  CHECK(disk.retry() == 1);
  CHECK(disk.taken.size() == 1);
  CHECK(disk.unsaved.waiting() == 0);
  CHECK(disk.unsaved.next_timer() == kNever);
}

TEST_CASE("unsaved: of an item the latest word counts, also while an earlier one is written") {
  Disk disk;
  disk.ask(delivered(kKey));
  disk.unsaved.on_asked(KadStoreId{100}, delivered(kKey));
  disk.unsaved.on_asked(KadStoreId{101}, Erase{Kind::publishing, kKey, {}});
  disk.unsaved.on_stored(disk.turn(), KadStoreId{100}, fail(Errc::io, "broken"));
  CHECK(disk.unsaved.waiting() == 0);
  disk.unsaved.on_stored(disk.turn(), KadStoreId{101}, fail(Errc::io, "broken"));
  REQUIRE(disk.unsaved.waiting() == 1);
  CHECK(std::holds_alternative<Erase>(*disk.unsaved.poll(Time(kPendingRetry))));
}

TEST_CASE("unsaved: that one value is ours no longer says nothing of another") {
  Disk disk;
  disk.ask(delivered(kKey));
  disk.ask(Erase{Kind::publishing, kKey, {}, Bytes{9}});
  REQUIRE(disk.unsaved.waiting() == 1);
  CHECK(std::holds_alternative<Save>(*disk.unsaved.poll(Time(kPendingRetry))));
  disk.ask(Erase{Kind::publishing, kKey, {}, Bytes{9}});
  disk.ask(delivered(kKey));
  disk.ask(Erase{Kind::publishing, kKey, {}, Bytes{1}});
  REQUIRE(disk.unsaved.waiting() == 1);
  CHECK(std::holds_alternative<Erase>(*disk.unsaved.poll(Time(kPendingRetry))));
}

TEST_CASE("unsaved: while it is written again, what the store says of it does not hold either") {
  Disk disk;
  disk.ask(delivered(kKey));
  const auto again = disk.unsaved.poll(Time(kPendingRetry));
  REQUIRE(again);
  disk.unsaved.on_asked(KadStoreId{100}, *again);
  CHECK(disk.unsaved.has({Kind::publishing, kKey}));
  disk.unsaved.on_stored(disk.turn(), KadStoreId{100}, StoreRows{});
  CHECK_FALSE(disk.unsaved.has({Kind::publishing, kKey}));
}

TEST_CASE("unsaved: what is not ours, not delivered or too large is not written again") {
  Disk disk;
  disk.ask(Save{publishing_row(kKey, {1}, kNeverDelivered)});
  disk.ask(Save{Row{Kind::value, kKey, {}, {1}, kDelivered}});
  disk.ask(delivered(kKey), Errc::limit);
  CHECK(disk.unsaved.waiting() == 0);
}

TEST_CASE("H65: unsaved: a disk that is gone for good costs no more than the bound") {
  Disk disk;
  for (std::size_t i = 0; i < 2 * kMostUnsaved; ++i)
    disk.ask(delivered(to_bytes(as_bytes("/v/" + std::to_string(i)))));
  CHECK(disk.unsaved.waiting() == kMostUnsaved);
}

TEST_CASE("unsaved: a value that a full disk did not take stays ours to publish") {
  Net net;
  net.add({1, 2});
  net.connect(1, 2);
  net.run_for(1s);
  (void)net.report<PutReport>(1, net.put(1, "/v/old", "u"));
  net[1].full = true;
  for (const auto* key : {"/v/k", "/v/old"}) {
    const PutReport put = net.report<PutReport>(1, net.put(1, key, "v"));
    CHECK_FALSE(put.stored_locally);
    CHECK(put.acknowledged == 1);
  }
  net.run_for(10min);
  CHECK_FALSE(net.stored(1, "/v/k", Kind::publishing));
  net[1].full = false;
  net.run_for(kPendingRetry + 1s);
  for (const auto* key : {"/v/k", "/v/old"}) {
    const auto row = net.stored(1, key, Kind::publishing);
    REQUIRE(row);
    CHECK(row->value == to_bytes(as_bytes("v")));
    CHECK(row->received != kNeverDelivered);
  }
}

TEST_CASE("unsaved: what was delivered is not delivered for ever because the disk is full") {
  Net net;
  KadConfig config = Net::open_config();
  config.replicate_interval = 0s;  // those copies are sent on and on
  net.add(1, config).add(2, config);
  net.put(1, "/v/k", "v");
  net.run_for(1s);
  net[1].full = true;
  net.connect(1, 2);
  net.run_for(1s);
  const auto first = net.stored(2, "/v/k");
  REQUIRE(first);
  net.run_for(1h);
  CHECK(net.stored(2, "/v/k")->received == first->received);
}

}  // namespace kadmesh
