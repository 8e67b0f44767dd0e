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
