// Power that goes in the middle of whatever a node's store is doing, again and again: what the node
// has acknowledged, to its user or to a peer, is there afterwards, and the file is never damaged.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sim/disk.h"
#include "sim/world.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace kadmesh {
namespace {

constexpr unsigned kKeys = 40;

Bytes key(unsigned number) { return to_bytes(as_bytes("/v/" + std::to_string(number))); }
// Of two the later is the better.
Bytes version(unsigned number) { return to_bytes(as_bytes(std::to_string(10'000'000 + number))); }

// A node on a disk that loses its power, what it has acknowledged, and peers on disks that do not.
struct Site {
  Site(std::uint64_t seed, std::size_t nodes) : luck(seed), disk(Rng(seed)), world(config(seed)) {
    world.nodes(nodes);
    world.run_for(1s);
  }

  WorldConfig config(std::uint64_t seed) {
    WorldConfig out;
    out.seed = seed;
    out.store_latency = 1ms;  // so that power may go between what is written and its answer
    out.make_store = [this](std::size_t index, StoreFate fate) -> std::unique_ptr<Store> {
      if (index != 0) return std::make_unique<MemoryStore>(StoreLimits{});
      if (fate == StoreFate::reopened) disk.lose_power();
      auto opened = SqliteStore::open("rows.db", StoreLimits{}, disk.vfs());
      REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
      store = opened->get();
      return *std::move(opened);
    };
    return out;
  }

  void lose_power() {
    disk.stop();
    world.kill(node);
    world.restart(node, StoreFate::reopened);
  }

  // What `who` puts until the power goes, a few at a time.
  void put_until_dark(World::Index who) {
    disk.stop_after(luck.below(400));
    while (!disk.stopped()) {
      std::map<OpId, std::pair<unsigned, unsigned>> under_way;
      for (std::uint64_t i = 1 + luck.below(3); i > 0; --i) {
        const unsigned number = ++versions;
        under_way[put(who, number % kKeys, number)] = {number % kKeys, number};
      }
      const auto ended = [&] {
        return std::ranges::all_of(under_way,
                                   [&](auto& op) { return world.result(who, op.first); });
      };
      world.run_until([&] { return disk.stopped() || ended(); }, 20s);
      for (const auto& [op, what] : under_way)
        if (kept(who, op))
          acknowledged[what.first] = std::max(acknowledged[what.first], what.second);
    }
  }
  OpId put(World::Index who, unsigned name, unsigned number) {
    return world.start(
        who, [&](Node& n, Turn t, Time by) { return n.put(t, key(name), version(number), by); });
  }
  // Acknowledged by the node whose power goes.
  bool kept(World::Index who, OpId op) {
    const OpDone* done = world.result(who, op);
    if (!done || !done->result) return false;
    const auto& report = std::get<PutReport>(std::get<KadReport>(*done->result));
    return who == node ? report.stored_locally : report.acknowledged == 1;
  }

  Bytes stored(Kind kind, unsigned name) {
    const StoreResult rows = store->run(world.now().wall, {Load{kind, key(name)}}).front();
    REQUIRE(rows);
    return rows->empty() ? Bytes() : rows->front().value;
  }
  // Of all that was acknowledged.
  std::size_t missing(Kind kind) {
    std::size_t count = 0;
    for (const auto& [name, number] : acknowledged) count += stored(kind, name) < version(number);
    return count;
  }

  Rng luck;
  FaultyDisk disk;
  Store* store = nullptr;
  World world;
  World::Index node = 0, peer = 1;
  unsigned versions = 0;
  std::map<unsigned, unsigned> acknowledged;  // the latest of each key
};

void lose_power_as_it_puts(std::uint64_t seed, int times) {
  Site site(seed, 1);
  for (int i = 0; i < times; ++i) {
    CAPTURE(i);
    site.put_until_dark(site.node);
    site.lose_power();
    REQUIRE(site.missing(Kind::value) == 0);
    REQUIRE(site.missing(Kind::publishing) == 0);
  }
  CHECK(site.acknowledged.size() == kKeys);
}

void lose_power_as_a_peer_puts(std::uint64_t seed, int times) {
  Site site(seed, 2);
  for (int i = 0; i < times; ++i) {
    CAPTURE(i);
    const auto met = [&] {
      return site.world.node(site.peer).stats().kad.table_servers == 1 &&
             site.world.node(site.peer).stats().connected_peers == 1;
    };
    REQUIRE(site.world.run_until(met, 10min));
    site.put_until_dark(site.peer);
    site.lose_power();
    REQUIRE(site.missing(Kind::value) == 0);
  }
  CHECK(site.acknowledged.size() > kKeys / 2);
}

}  // namespace

TEST_CASE("kill: of two thousand losses of power none takes what a put has acknowledged") {
  lose_power_as_it_puts(1, 2000);
}

TEST_CASE("kill: of five hundred losses of power none takes what a peer was told is kept") {
  lose_power_as_a_peer_puts(2, 500);
}

}  // namespace kadmesh
