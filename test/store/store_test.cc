// One contract, two stores: every story is told of both.
#include "store/store.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace kadmesh {
namespace {

constexpr WallTime kNow = WallTime(1'000'000s);

Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

Row row(std::string_view key, std::string_view value, std::string_view member = "",
        WallTime expires = WallTime::max()) {
  return {Kind::value, bytes(key), bytes(member), bytes(value), kNow, expires};
}

// A folder of its own that goes with it.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("kadmesh-store-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::unique_ptr<Store> open_sqlite(const Folder& folder, StoreLimits limits = {}) {
  auto store = SqliteStore::open(folder.path / "store.db", limits);
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : to_string(store.error())));
  return *std::move(store);
}

void with_both(StoreLimits limits, const std::function<void(Store&)>& story) {
  SUBCASE("memory") {
    MemoryStore store(limits);
    story(store);
  }
  SUBCASE("sqlite") {
    const Folder folder;
    story(*open_sqlite(folder, limits));
  }
}

StoreResult one(Store& store, StoreRequest request, WallTime now = kNow) {
  auto results = store.run(now, {std::move(request)});
  REQUIRE(results.size() == 1);
  return results.front();
}

StoreRows loaded(Store& store, std::string_view key, WallTime now = kNow) {
  auto rows = one(store, Load{Kind::value, bytes(key)}, now);
  REQUIRE(rows.has_value());
  return *rows;
}

}  // namespace

TEST_CASE("store: what was saved is loaded, whole and under its own key and kind only") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{row("/v/a", "one")}));
    CHECK(loaded(store, "/v/a") == StoreRows{row("/v/a", "one")});
    CHECK(loaded(store, "/v/b").empty());
    CHECK(one(store, Load{Kind::publishing, bytes("/v/a")})->empty());
  });
}

TEST_CASE("store: saving again replaces, another member stands beside, ordered") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{row("k", "old", "b")}));
    REQUIRE(one(store, Save{row("k", "new", "b")}));
    REQUIRE(one(store, Save{row("k", "first", "a")}));
    CHECK(loaded(store, "k") == StoreRows{row("k", "first", "a"), row("k", "new", "b")});
    CHECK(store.rows() == 2);
    CHECK(store.bytes() == 2 * 2 + 5 + 3);
  });
}

TEST_CASE("store: erasing one member leaves the others; erasing a key leaves none") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{row("k", "x", "a")}));
    REQUIRE(one(store, Save{row("k", "y", "b")}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), bytes("a")}));
    CHECK(loaded(store, "k") == StoreRows{row("k", "y", "b")});
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}}));
    CHECK(loaded(store, "k").empty());
    CHECK(store.bytes() == 0);
  });
}

TEST_CASE("store: an expired row is not there, and Expire frees its room") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{row("k", "x", "", kNow + 10s)}));
    REQUIRE(one(store, Save{row("l", "y")}));
    CHECK(loaded(store, "k", kNow + 9s).size() == 1);
    CHECK(loaded(store, "k", kNow + 10s).empty());
    CHECK(store.rows() == 2);
    REQUIRE(one(store, Expire{}, kNow + 10s));
    CHECK(store.rows() == 1);
    CHECK(store.bytes() == 2);
  });
}

TEST_CASE("store: Scan pages through a kind in order") {
  with_both({}, [](Store& store) {
    for (const auto* key : {"c", "a", "b", "e", "d"}) REQUIRE(one(store, Save{row(key, "x")}));
    const auto first = one(store, Scan{Kind::value, {}, {}, 2});
    REQUIRE(first->size() == 2);
    CHECK((*first)[1].key == bytes("b"));
    const auto rest = one(store, Scan{Kind::value, bytes("b"), {}, 10});
    REQUIRE(rest->size() == 3);
    CHECK(rest->front().key == bytes("c"));
    CHECK(one(store, Scan{Kind::pool, {}, {}, 10})->empty());
  });
}

TEST_CASE("store: a row beyond a bound fails alone") {
  with_both({}, [](Store& store) {
    const std::string long_key(kMostRowKey + 1, 'k');
    const auto results =
        store.run(kNow, {Save{row("good", "x")}, Save{row(long_key, "x")}, Save{row("also", "y")}});
    REQUIRE(results.size() == 3);
    CHECK(results[0].has_value());
    CHECK(results[1].error().code == Errc::limit);
    CHECK(results[2].has_value());
    CHECK(store.rows() == 2);
  });
}

TEST_CASE("store: a full store refuses new rows and still replaces old ones") {
  with_both({.rows = 2, .bytes = 100}, [](Store& store) {
    REQUIRE(one(store, Save{row("a", "1")}));
    REQUIRE(one(store, Save{row("b", "2")}));
    CHECK(one(store, Save{row("c", "3")}).error().code == Errc::limit);
    CHECK(one(store, Save{row("a", "4")}).has_value());
    CHECK(one(store, Save{row("a", std::string(99, 'x'))}).error().code == Errc::limit);
    CHECK(loaded(store, "a") == StoreRows{row("a", "4")});
  });
}

TEST_CASE("sqlite store: rows and totals survive closing") {
  const Folder folder;
  {
    const auto store = open_sqlite(folder);
    REQUIRE(one(*store, Save{row("k", "x", "m", kNow + 5s)}));
  }
  const auto store = open_sqlite(folder);
  CHECK(loaded(*store, "k") == StoreRows{row("k", "x", "m", kNow + 5s)});
  CHECK(store->rows() == 1);
  CHECK(store->bytes() == 3);
}

TEST_CASE("sqlite store: a second opener is refused and told why") {
  const Folder folder;
  const auto store = open_sqlite(folder);
  const auto second = SqliteStore::open(folder.path / "store.db", {});
  REQUIRE(!second.has_value());
  CHECK(second.error().code == Errc::refused);
}

TEST_CASE("sqlite store: a file that is no database is an error, not a crash") {
  const Folder folder;
  const auto file = folder.path / "store.db";
  std::FILE* out = std::fopen(file.c_str(), "w");
  std::fputs("this is not a database, by any means at all", out);
  std::fclose(out);
  const auto store = SqliteStore::open(file, {});
  REQUIRE(!store.has_value());
  CHECK(store.error().code == Errc::io);
}

}  // namespace kadmesh
