#include "sim/disk.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/sqlite_store.h"

namespace kadmesh {
namespace {

constexpr WallTime kNow = WallTime(1'000'000s);

// A store on a disk that can lose its power, and what it has acknowledged.
struct Desk {
  explicit Desk(std::uint64_t seed) : disk(Rng(seed)) { open(); }

  void open() {
    auto opened = SqliteStore::open("rows.db", StoreLimits{}, disk.vfs());
    REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
    store = *std::move(opened);
  }
  void lose_power() {
    disk.stop();
    store.reset();
    disk.lose_power();
    open();
  }
  static Bytes key(unsigned number) { return to_bytes(as_bytes("key " + std::to_string(number))); }
  Result<void> save(unsigned number, std::size_t size = 300) {
    const Row row{Kind::value, key(number), {}, Bytes(size, 7), kNow, WallTime::max()};
    const StoreResult result = store->run(kNow, {Save{row}}).front();
    if (!result) return std::unexpected(result.error());
    acknowledged.insert(number);
    return {};
  }
  bool has(unsigned number) {
    const StoreResult rows = store->run(kNow, {Load{Kind::value, key(number)}}).front();
    return rows && rows->size() == 1;
  }
  std::size_t missing() {
    std::size_t count = 0;
    for (const unsigned number : acknowledged)
      if (!has(number)) ++count;
    return count;
  }

  FaultyDisk disk;
  std::unique_ptr<Store> store;
  std::set<unsigned> acknowledged;
};

// A file on such a disk, as SQLite has it in hand.
struct Sheet {
  Sheet(FaultyDisk& disk, const char* path, int kind = SQLITE_OPEN_MAIN_DB)
      : vfs(sqlite3_vfs_find(disk.vfs().c_str())), memory(static_cast<std::size_t>(vfs->szOsFile)) {
    file = reinterpret_cast<sqlite3_file*>(memory.data());
    const int flags = kind | SQLITE_OPEN_CREATE | SQLITE_OPEN_READWRITE;
    REQUIRE(vfs->xOpen(vfs, path, file, flags, nullptr) == SQLITE_OK);
  }
  ~Sheet() { file->pMethods->xClose(file); }
  Sheet(const Sheet&) = delete;
  Sheet& operator=(const Sheet&) = delete;

  void write(char what, std::size_t at = 0) {
    const std::string sector(FaultyDisk::kSector, what);
    const auto to = static_cast<sqlite3_int64>(at * sector.size());
    const int count = static_cast<int>(sector.size());
    REQUIRE(file->pMethods->xWrite(file, sector.data(), count, to) == SQLITE_OK);
  }
  void sync() { REQUIRE(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK); }
  char read() {
    char what = '?';
    (void)file->pMethods->xRead(file, &what, 1, 0);
    return what;
  }

  sqlite3_vfs* vfs;
  std::vector<std::max_align_t> memory;
  sqlite3_file* file;
};

bool there(FaultyDisk& disk, const char* path) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(disk.vfs().c_str());
  int found = 0;
  REQUIRE(vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK);
  return found != 0;
}

int removed(FaultyDisk& disk, const char* path, bool sync) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(disk.vfs().c_str());
  return vfs->xDelete(vfs, path, sync ? 1 : 0);
}

TEST_CASE("disk: of two writes to a sector that were not synced either may be left, or none") {
  std::string seen;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FaultyDisk disk{Rng(seed)};
    {
      Sheet file(disk, "file", SQLITE_OPEN_MAIN_JOURNAL);
      file.write('a');
      file.sync();
      file.write('b');
      file.write('c');
      CHECK(file.read() == 'c');
    }
    disk.lose_power();
    seen += Sheet(disk, "file").read();
  }
  for (const char left : {'a', 'b', 'c'}) CHECK(std::ranges::count(seen, left) > 10);
  CHECK(seen.find('?') == std::string::npos);
}

TEST_CASE("disk: a file is made and removed for good with the directory's sync, before by luck") {
  std::size_t made = 0, kept = 0, back = 0, lasting = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FaultyDisk disk{Rng(seed)};
    Sheet(disk, "made", SQLITE_OPEN_MAIN_JOURNAL).write('a');
    disk.lose_power();
    made += there(disk, "made");
    Sheet(disk, "kept", SQLITE_OPEN_MAIN_JOURNAL).sync();
    disk.lose_power();
    kept += there(disk, "kept");
    REQUIRE(removed(disk, "kept", false) == SQLITE_OK);
    CHECK_FALSE(there(disk, "kept"));
    disk.lose_power();
    back += there(disk, "kept");
    Sheet(disk, "kept", SQLITE_OPEN_MAIN_JOURNAL).sync();
    REQUIRE(removed(disk, "kept", true) == SQLITE_OK);
    disk.lose_power();
    lasting += there(disk, "kept");
  }
  CHECK((made > 20 && made < 80));
  CHECK(kept == 100);
  CHECK((back > 20 && back < 80));
  CHECK(lasting == 0);
}

TEST_CASE("disk: a removal whose sync fails says so, and a file without a name ends with its use") {
  FaultyDisk disk{Rng(1)};
  {
    Sheet file(disk, "file");
  }
  disk.set_faults({.sync_error = 1'000'000});
  CHECK(removed(disk, "file", true) == SQLITE_IOERR_DIR_FSYNC);
  disk.set_faults({});
  {
    Sheet file(disk, nullptr, SQLITE_OPEN_TEMP_DB);
    file.write('a');
    CHECK(disk.bytes() == FaultyDisk::kSector);
  }
  CHECK(disk.bytes() == 0);
}

TEST_CASE("disk: after a thousand losses of power nothing acknowledged is missing") {
  Rng luck(3);
  Desk desk(4);
  unsigned number = 0;
  for (int round = 0; round < 1000; ++round) {
    for (std::uint64_t i = luck.below(4); i > 0; --i) REQUIRE(desk.save(number++));
    desk.lose_power();
    if (round % 100 == 99) REQUIRE(desk.missing() == 0);
  }
  CHECK(desk.acknowledged.size() > 1000);
  CHECK(desk.missing() == 0);
}

TEST_CASE("disk: power that goes in the middle of a write loses no earlier one") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Desk desk(seed);
    for (unsigned i = 0; i < 20; ++i) REQUIRE(desk.save(i));
    desk.disk.set_faults({.sync_error = 1'000'000});  // written, and never said to be durable
    CHECK(!desk.save(100));
    desk.disk.set_faults({});
    desk.lose_power();
    CHECK_MESSAGE(desk.missing() == 0, "seed ", seed);
  }
}

TEST_CASE("disk: what a lost sync promised is missing, for the disk lied") {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Desk desk(seed);
    REQUIRE(desk.save(1));
    desk.disk.set_faults({.lost_sync = 1'000'000});
    REQUIRE(desk.save(2));
    desk.lose_power();
    CHECK(desk.has(1));
    if (!desk.has(2)) ++lost;
  }
  CHECK(lost > 5);
}

TEST_CASE("disk: a full one refuses, says so, keeps what it has, and goes on when there is room") {
  Desk desk(5);
  REQUIRE(desk.save(1));
  desk.disk.set_capacity(desk.disk.bytes() + 100'000);
  Result<void> saved;
  for (unsigned i = 2; i < 1000 && saved; ++i) saved = desk.save(i, 10'000);
  REQUIRE(!saved);
  CHECK(saved.error().code == Errc::io);
  CHECK(saved.error().detail.find("full") != std::string::npos);
  CHECK(desk.missing() == 0);
  desk.disk.set_capacity(100 << 20);
  CHECK(desk.save(2000));
  desk.lose_power();
  CHECK(desk.missing() == 0);
}

TEST_CASE(
    "disk: one that is full for one keeps no other from being written, and nobody from reading") {
  Desk desk(5);
  REQUIRE(desk.save(1));
  desk.disk.set_capacity(desk.disk.bytes() + 50'000);
  const auto row = [](unsigned number, std::size_t size) {
    return Row{Kind::value, Desk::key(number), {}, Bytes(size, 7), kNow, WallTime::max()};
  };
  const auto results = desk.store->run(
      kNow, {Load{Kind::value, Desk::key(1)}, Save{row(2, 100'000)}, Save{row(3, 10)}});
  CHECK(results[0].value().size() == 1);
  CHECK(results[1].error().code == Errc::io);
  CHECK(results[2].has_value());
  CHECK(desk.store->rows() == 2);
  CHECK(desk.store->bytes() == 2 * 5 + 300 + 10);
  CHECK((!desk.has(2) && desk.has(3)));
}

TEST_CASE("disk: errors now and then are told to who asked, and nothing else is lost") {
  Desk desk(6);
  desk.disk.set_faults({.write_error = 100'000, .sync_error = 50'000});
  std::size_t refused = 0;
  for (unsigned i = 0; i < 500; ++i)
    if (!desk.save(i)) ++refused;
  desk.disk.set_faults({});
  CHECK(refused > 50);
  CHECK(desk.disk.faults_injected() >= refused);
  desk.lose_power();
  CHECK(desk.missing() == 0);
}

// A store of the first version, with that many rows of values.
void make_old(FaultyDisk& disk, int rows) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2("rows.db", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                          disk.vfs().c_str()) == SQLITE_OK);
  const std::string sql =
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "CREATE TABLE schema(version INTEGER NOT NULL); INSERT INTO schema VALUES (1);"
      "CREATE TABLE rows(kind INTEGER NOT NULL, key BLOB NOT NULL, member BLOB NOT NULL,"
      " value BLOB NOT NULL, received INTEGER NOT NULL, expires INTEGER NOT NULL,"
      " PRIMARY KEY(kind, key, member)) WITHOUT ROWID;"
      "CREATE INDEX rows_by_expiry ON rows(expires);"
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " +
      std::to_string(rows) +
      ") INSERT INTO rows SELECT 1, CAST('key ' || i AS BLOB), x'', zeroblob(300), 5,"
      " 9000000000000000000 FROM n";
  REQUIRE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_close(database) == SQLITE_OK);
}

TEST_CASE("disk: power that goes while a store is brought up to date takes no row of it") {
  std::size_t interrupted = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FaultyDisk disk{Rng(seed)};
    make_old(disk, 50);
    Rng luck(seed);
    disk.stop_after(luck.below(120));
    interrupted += !SqliteStore::open("rows.db", {}, disk.vfs());
    disk.stop();
    disk.lose_power();
    const auto store = SqliteStore::open("rows.db", {}, disk.vfs());
    REQUIRE_MESSAGE(store.has_value(), "seed ", seed);
    const Near all{Kind::value, 0, ~std::uint64_t{0}, {}, {}, 100};
    const StoreRows rows = (*store)->run(kNow, {all}).front().value();
    REQUIRE_MESSAGE(rows.size() == 50, "seed ", seed);
    for (const Row& row : rows) CHECK((row.place == place_of(row.key) && row.charge != 0));
  }
  CHECK((interrupted > 20 && interrupted < 100));
}

TEST_CASE("disk: a store for whose next version there is no room stays as it was, and says so") {
  FaultyDisk disk{Rng(1)};
  make_old(disk, 50);
  disk.set_capacity(disk.bytes() + 60'000);
  const auto store = SqliteStore::open("rows.db", {}, disk.vfs());
  REQUIRE(!store.has_value());
  CHECK(store.error().code == Errc::io);
  CHECK(store.error().detail.find("as much room again") != std::string::npos);
  disk.set_capacity(100 << 20);
  CHECK(SqliteStore::open("rows.db", {}, disk.vfs()).value()->rows() == 50);
}

TEST_CASE("disk: the same luck, the same losses") {
  const auto play = [](std::uint64_t seed) {
    Desk desk(seed);
    desk.disk.set_faults({.lost_sync = 900'000});
    std::string kept;
    for (unsigned i = 0; i < 50; ++i) REQUIRE(desk.save(i));
    desk.disk.set_faults({});
    desk.lose_power();
    for (unsigned i = 0; i < 50; ++i) kept += desk.has(i) ? '1' : '0';
    return kept;
  };
  CHECK(play(7) == play(7));
  CHECK(play(7).find('0') != std::string::npos);
  CHECK(play(7) != play(8));
}

}  // namespace
}  // namespace kadmesh
