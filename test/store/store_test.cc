// One contract, two stores: every story is told of both.
#include "store/store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "folder.h"
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

Row charged(std::string_view key, std::string_view value, std::uint64_t to = 1) {
  Row out = row(key, value);
  out.charge = to;
  return out;
}

Row placed(std::string_view key, std::uint64_t place, std::string_view member = "",
           WallTime expires = WallTime::max()) {
  Row out = row(key, "x", member, expires);
  out.place = place;
  return out;
}

std::unique_ptr<Store> open_sqlite(const Folder& folder, StoreLimits limits = {}) {
  auto store = SqliteStore::open(folder.path / "store.db", limits);
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : to_string(store.error())));
  return *std::move(store);
}

void run_sql(const std::filesystem::path& file, const char* sql, int* number = nullptr) {
  sqlite3* database = nullptr;
  const auto read = [](void* into, int, char** column, char**) {
    if (into) *static_cast<int*>(into) = std::atoi(column[0]);
    return 0;
  };
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql, read, number, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_close(database) == SQLITE_OK);
}

// A store of a thousand rows whose process is killed: `file` and its log as they are at that
// moment.
std::filesystem::path killed(const Folder& folder) {
  const auto from = folder.path / "store.db", to = folder.path / "killed.db";
  for (const bool kill : {false, true}) {
    const auto store = open_sqlite(folder);
    std::vector<StoreRequest> batch;
    for (int i = 0; i < 1000; ++i) batch.push_back(Save{row(std::to_string(i), "x")});
    if (kill) batch = {Save{row("last", "x")}};
    for (const auto& saved : store->run(kNow, std::move(batch))) REQUIRE(saved.has_value());
    if (!kill) continue;
    std::filesystem::copy_file(from, to);
    std::filesystem::copy_file(from.string() + "-wal", to.string() + "-wal");
  }
  return to;
}

// The root of an index that neither opening nor loading reads.
void damage(const std::filesystem::path& file, const Folder& folder) {
  int page = 0;
  run_sql(folder.path / "store.db",
          "SELECT rootpage FROM sqlite_master WHERE name = 'rows_by_expiry'", &page);
  std::FILE* out = std::fopen(file.c_str(), "r+");
  REQUIRE(out);
  REQUIRE(std::fseek(out, (page - 1) * 4096L, SEEK_SET) == 0);
  std::fputc(0, out);
  std::fclose(out);
}

// An index that lost what was written to the table, as no looking at pages shows.
void forget_index_of(const std::filesystem::path& file, const char* change) {
  constexpr const char* kHide =
      "PRAGMA writable_schema = 1; CREATE TABLE hidden AS SELECT * FROM sqlite_master"
      " WHERE name = 'rows_by_charge'; DELETE FROM sqlite_master WHERE name = 'rows_by_charge'";
  constexpr const char* kShow =
      "PRAGMA writable_schema = 1; INSERT INTO sqlite_master SELECT * FROM hidden";
  run_sql(file, kHide);
  run_sql(file, change);
  run_sql(file, kShow);
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
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

StoreRows near(Store& store, Near request) {
  auto rows = one(store, std::move(request));
  REQUIRE(rows.has_value());
  return *rows;
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

TEST_CASE(
    "store: what was saved by a clock that was ahead goes in time, and what lasts for ever stays") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{row("ahead", "x", "", kNow + 10'000h)}));
    REQUIRE(one(store, Save{row("right", "x", "", kNow + 10h)}));
    REQUIRE(one(store, Save{row("ever", "x")}));
    REQUIRE(one(store, Expire{kNow + 48h}));
    CHECK(loaded(store, "ahead").at(0).expires == kNow + 48h);
    CHECK(loaded(store, "right").at(0).expires == kNow + 10h);
    CHECK(loaded(store, "ever").size() == 1);
    REQUIRE(one(store, Expire{kNow + 96h}, kNow + 48h));
    CHECK(store.rows() == 1);
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

TEST_CASE("store: Near pages through the rows of a part of the space, in the order of places") {
  with_both({}, [](Store& store) {
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    for (const std::uint64_t place : {kLast, std::uint64_t{1} << 63, std::uint64_t{7}})
      for (const auto* member : {"b", "a"})
        REQUIRE(one(store, Save{placed(std::to_string(place), place, member)}));
    REQUIRE(one(store, Save{placed("6", 6, "", kNow)}));  // expired
    const auto all = near(store, {Kind::value, 0, kLast, {}, {}, 10});
    REQUIRE(all.size() == 6);
    CHECK(
        std::ranges::is_sorted(all, {}, [](const Row& r) { return std::pair(r.place, r.member); }));
    CHECK(all.front() == placed("7", 7, "a"));
    CHECK(near(store, {Kind::value, 7, kLast - 1, {}, {}, 10}).size() == 4);
    CHECK(near(store, {Kind::value, 8, kLast, {}, {}, 3}) ==
          StoreRows(all.begin() + 2, all.begin() + 5));
    const Row& last = all[2];
    CHECK(near(store, {Kind::value, last.place, kLast, last.key, last.member, 10}) ==
          StoreRows(all.begin() + 3, all.end()));
    CHECK(near(store, {Kind::publishing, 0, kLast, {}, {}, 10}).empty());
  });
}

TEST_CASE("store: a row is found by the place it was last saved with, until it goes") {
  with_both({}, [](Store& store) {
    REQUIRE(one(store, Save{placed("k", 1)}));
    REQUIRE(one(store, Save{placed("k", 2, "", kNow + 10s)}));
    CHECK(near(store, {Kind::value, 1, 1, {}, {}, 10}).empty());
    CHECK(near(store, {Kind::value, 2, 2, {}, {}, 10}).size() == 1);
    REQUIRE(one(store, Expire{}, kNow + 10s));
    CHECK(near(store, {Kind::value, 0, 9, {}, {}, 10}).empty());
    REQUIRE(one(store, Save{placed("k", 3)}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}}));
    CHECK(near(store, {Kind::value, 0, 9, {}, {}, 10}).empty());
  });
}

TEST_CASE("store: who names what was there when it looked writes over nothing else") {
  with_both({}, [](Store& store) {
    const Row first = row("k", "1", "", kNow + 10s), second = row("k", "2", "", kNow + 10s);
    const auto save = [&](const Row& what, StoreRows seen, WallTime now = kNow) {
      return one(store, Save{.row = what, .seen = std::move(seen)}, now);
    };
    REQUIRE(save(first, {}));
    CHECK(save(second, {}).error().code == Errc::refused);
    CHECK(loaded(store, "k") == StoreRows{first});
    REQUIRE(save(second, {first}));
    CHECK(save(first, {first}).error().code == Errc::refused);
    Row other = second;
    other.charge = 7;
    CHECK(save(first, {other}).error().code == Errc::refused);
    CHECK(loaded(store, "k") == StoreRows{second});
    Row renewed = second;
    renewed.received = kNow + 1s;
    CHECK(save(renewed, {second}));
    CHECK(save(second, {second}));         // the same came in between, and is no other
    REQUIRE(save(first, {}, kNow + 10s));  // the other has expired
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}}));
    CHECK(save(second, {first}));  // gone, and nothing in its place
  });
}

TEST_CASE("store: who erases what it has seen erases nothing else") {
  with_both({}, [](Store& store) {
    const Row now = row("k", "new", "m"), beside = row("k", "x", "n");
    REQUIRE(one(store, Save{now}));
    REQUIRE(one(store, Save{beside}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), bytes("m"), bytes("old")}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}, bytes("old")}));
    REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}, Bytes()}));
    CHECK(loaded(store, "k") == StoreRows{now, beside});
    CHECK(store.bytes() == 5 + 3);
    for (int times = 0; times < 2; ++times)
      REQUIRE(one(store, Erase{Kind::value, bytes("k"), {}, bytes("new")}));
    CHECK(loaded(store, "k") == StoreRows{beside});
    CHECK(store.bytes() == 3);
  });
}

TEST_CASE("H56: what peers want kept leaves an eighth of the store for what is ours") {
  with_both({.rows = 16, .bytes = 1'000, .charge_share = 1}, [](Store& store) {
    for (char key = 'a'; key < 'a' + 14; ++key)
      REQUIRE(one(store, Save{charged(std::string(1, key), "x")}));
    CHECK(one(store, Save{charged("one more", "x")}).error().code == Errc::limit);
    REQUIRE(one(store, Save{row("ours", "x")}));
    REQUIRE(one(store, Save{row("ours too", "x")}));
    CHECK(one(store, Save{charged("a", "y")}).has_value());  // a refresh takes no room
    CHECK(one(store, Save{charged("a", "larger")}).error().code == Errc::limit);
    REQUIRE(one(store, Erase{Kind::value, bytes("b"), {}}));
    CHECK(one(store, Save{charged("c", std::string(900, 'x'))}).error().code == Errc::limit);
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

TEST_CASE("sqlite store: version 1 opens as the newest, every row there") {
  const Folder folder;
  const auto file = folder.path / "store.db";
  run_sql(file,
          "CREATE TABLE schema(version INTEGER NOT NULL); INSERT INTO schema VALUES (1);"
          "CREATE TABLE rows(kind INTEGER NOT NULL, key BLOB NOT NULL, member BLOB NOT NULL,"
          " value BLOB NOT NULL, received INTEGER NOT NULL, expires INTEGER NOT NULL,"
          " PRIMARY KEY(kind, key, member)) WITHOUT ROWID;"
          "CREATE INDEX rows_by_expiry ON rows(expires);"
          "INSERT INTO rows VALUES (1, x'6b', x'', x'01', 5, 9000000000000000000),"
          " (2, x'6b', x'6d', x'', 5, 9000000000000000000), (3, x'', x'', x'02', 5, 6);");
  for (int opened = 0; opened < 2; ++opened) {
    const auto store = open_sqlite(folder);
    CHECK(store->rows() == 3);
    CHECK(store->bytes() == 1 + 1 + 2 + 1);
    const Row value{
        Kind::value,          bytes("k"), {}, {1}, WallTime(5ns), WallTime(9'000'000'000s),
        place_of(bytes("k")), 1};
    CHECK(loaded(*store, "k") == StoreRows{value});
    CHECK(near(*store, {Kind::provider, value.place, value.place, {}, {}, 9}).size() == 1);
    const auto early = store->run(WallTime{}, {Load{Kind::publishing, {}}}).front();
    REQUIRE(early->size() == 1);
    CHECK(early->front().place == place_of({}));
  }
}

// A store as it was when charges were kept, and not yet of what was there before.
TEST_CASE("H56: what an older program kept for peers is theirs, what is ours to publish is ours") {
  const Folder folder;
  {
    const auto store = open_sqlite(folder);
    Row ours = row("ours", "x"), provided = ours;
    ours.kind = Kind::publishing, provided.kind = Kind::providing;
    for (const Row& what :
         {ours, provided, row("theirs", "x"), row("ours", "x"), charged("charged", "x", 9)})
      REQUIRE(one(*store, Save{what}));
    for (const auto* key : {"ours", "theirs"}) {
      Row provider = row(key, "x", "member");
      provider.kind = Kind::provider;
      REQUIRE(one(*store, Save{provider}));
    }
  }
  run_sql(folder.path / "store.db", "UPDATE schema SET version = 3");
  const auto store = open_sqlite(folder);
  const auto charge = [&](Kind kind, const char* key) {
    return one(*store, Load{kind, bytes(key)})->front().charge;
  };
  CHECK(charge(Kind::value, "ours") == 0);
  CHECK(charge(Kind::provider, "ours") == 0);
  CHECK(charge(Kind::publishing, "ours") == 0);
  CHECK(charge(Kind::value, "theirs") == 1);
  CHECK(charge(Kind::provider, "theirs") == 1);
  CHECK(charge(Kind::value, "charged") == 9);
}

TEST_CASE("sqlite store: a file of a later version is refused and left as it is") {
  const Folder folder;
  open_sqlite(folder);
  run_sql(folder.path / "store.db", "UPDATE schema SET version = 1000");
  const auto store = SqliteStore::open(folder.path / "store.db", {});
  REQUIRE(!store.has_value());
  CHECK(store.error().code == Errc::unsupported);
  CHECK(store.error().detail.find("1000") != std::string::npos);
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
  CHECK(store.error().code == Errc::malformed);
  CHECK(store.error().detail.find("begin with an empty one") != std::string::npos);
}

TEST_CASE(
    "sqlite store: after a kill the file is looked through, and opens with all that was said") {
  const Folder folder;
  const auto store = SqliteStore::open(killed(folder), {});
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : to_string(store.error())));
  CHECK((*store)->rows() == 1001);
  CHECK(loaded(**store, "last").size() == 1);
}

TEST_CASE(
    "sqlite store: after a kill a damaged file is not opened, not touched, and named with a way "
    "out") {
  const Folder folder;
  const auto file = killed(folder);
  damage(file, folder);
  const std::string before = contents(file), log = contents(file.string() + "-wal");
  for (int tries = 0; tries < 2; ++tries) {
    const auto store = SqliteStore::open(file, {});
    REQUIRE(!store.has_value());
    CHECK(store.error().code == Errc::malformed);
    CHECK(store.error().detail.find("damaged") != std::string::npos);
    CHECK(store.error().detail.find("move it and " + file.string()) != std::string::npos);
    CHECK((contents(file) == before && contents(file.string() + "-wal") == log));
  }
}

TEST_CASE("sqlite store: a damaged file is set aside with its log, and never over another") {
  const Folder folder;
  const auto file = killed(folder);
  damage(file, folder);
  const std::string before = contents(file), log = contents(file.string() + "-wal");
  const auto aside = SqliteStore::set_aside(file);
  REQUIRE(aside);
  CHECK(*aside == file.string() + ".damaged");
  CHECK((contents(*aside) == before && contents(aside->string() + "-wal") == log));
  CHECK(SqliteStore::open(file, {}).value()->rows() == 0);
  CHECK(SqliteStore::set_aside(file) == std::filesystem::path(file.string() + ".damaged-2"));
}

TEST_CASE("sqlite store: what is set aside takes no name that anything has") {
  const Folder folder;
  const auto file = killed(folder);
  const auto stray = file.string() + ".damaged-wal";
  std::ofstream(stray) << "a log that was left alone";
  CHECK(SqliteStore::set_aside(file) == std::filesystem::path(file.string() + ".damaged-2"));
  CHECK(contents(stray) == "a log that was left alone");
  CHECK_FALSE(std::filesystem::exists(file.string() + "-wal"));
  CHECK(SqliteStore::set_aside(file).error().code == Errc::io);
}

// As a kill leaves it between the file's new name and the end of the log's old one.
TEST_CASE("sqlite store: a log without its file says nothing to the one that is made anew") {
  const Folder folder;
  const auto file = killed(folder);
  std::filesystem::remove(file);
  const auto store = SqliteStore::open(file, {});
  REQUIRE_MESSAGE(store.has_value(), (store ? "" : to_string(store.error())));
  CHECK((*store)->rows() == 0);
}

TEST_CASE("sqlite store: a link to a store is that store, its log included") {
  const Folder folder;
  const auto file = killed(folder), link = folder.path / "link.db";
  damage(file, folder);
  std::filesystem::create_symlink(file, link);
  CHECK(SqliteStore::open(link, {}).error().code == Errc::malformed);
  CHECK(SqliteStore::set_aside(link) == std::filesystem::path(file.string() + ".damaged"));
  CHECK(std::filesystem::exists(file.string() + ".damaged-wal"));
  CHECK(SqliteStore::open(link, {}).value()->rows() == 0);
}

TEST_CASE("sqlite store: an index that does not fit its rows is found in use, and then made anew") {
  const Folder folder;
  const StoreLimits limits{.rows = 8, .bytes = 1000, .charge_share = 1};
  {
    const auto store = open_sqlite(folder, limits);
    for (char key = 'a'; key < 'a' + 7; ++key)
      REQUIRE(one(*store, Save{charged(std::string(1, key), "x")}));
  }
  forget_index_of(folder.path / "store.db", "UPDATE rows SET place = place + 1");
  const auto comes = [](Store& store) { return one(store, Save{charged("comer", "x", 2)}); };
  {
    const auto store = open_sqlite(folder, limits);
    CHECK(comes(*store).error().code == Errc::io);
    // From then on nothing is written, and what is there is read.
    CHECK(one(*store, Save{row("new", "y")}).error().code == Errc::io);
    CHECK(loaded(*store, "a").size() == 1);
  }
  const auto store = open_sqlite(folder, limits);
  CHECK(comes(*store));
  CHECK(store->rows() == 7);
  CHECK(one(*store, Save{row("new", "y")}));
}

TEST_CASE("sqlite store: a file that was closed in order is opened without looking through it") {
  const Folder folder;
  std::filesystem::remove(killed(folder));
  damage(folder.path / "store.db", folder);
  auto store = open_sqlite(folder);
  CHECK(loaded(*store, "last").size() == 1);
  // What comes upon the damage says so, and changes nothing; it is known the next time.
  CHECK(one(*store, Save{row("new", "x")}).error().code == Errc::io);
  CHECK(store->rows() == 1001);
  store.reset();
  CHECK(SqliteStore::open(folder.path / "store.db", {}).error().code == Errc::malformed);
}

}  // namespace kadmesh
