#include "sim/disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
// Julian day of the Unix epoch, in milliseconds: SQLite's clock.
constexpr sqlite3_int64 kJulianEpoch = 210'866'760'000'000;

// What there is, and what would be left of it.
struct File {
  Bytes now;
  Bytes durable;
  std::set<std::size_t> dirty;  // sectors that differ, or may
  unsigned users = 0;
};

void pad(Bytes& bytes, std::size_t size) {
  if (bytes.size() < size) bytes.resize(size);
}

// One sector of `from` into `to`, which grows to reach it.
void copy_sector(const Bytes& from, Bytes& to, std::size_t sector) {
  const std::size_t begin = sector * FaultyDisk::kSector;
  const std::size_t end = std::min(begin + FaultyDisk::kSector, from.size());
  if (begin >= end) return;
  pad(to, end);
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(begin), end - begin,
              to.begin() + static_cast<std::ptrdiff_t>(begin));
}

void touch(File& file, std::size_t begin, std::size_t end) {
  for (std::size_t s = begin / FaultyDisk::kSector; s * FaultyDisk::kSector < end; ++s)
    file.dirty.insert(s);
}

}  // namespace

struct FaultyDisk::State {
  State(Rng draws, std::string as) : luck(std::move(draws)), name(std::move(as)) {}

  bool fails(std::uint32_t of_a_million) {
    if (of_a_million == 0 || !luck.chance(of_a_million, kMillion)) return false;
    ++injected;
    return true;
  }
  std::size_t used() const {
    std::size_t sum = 0;
    for (const auto& [path, file] : files) sum += file.now.size();
    return sum;
  }
  bool full(const File& file, std::size_t size) const {
    return size > file.now.size() && used() - file.now.size() + size > capacity;
  }

  int read(const File& file, std::uint8_t* out, std::size_t count, std::size_t at);
  int write(File& file, const std::uint8_t* bytes, std::size_t count, std::size_t at);
  int truncate(File& file, std::size_t size);
  int sync(File& file);
  int open(const char* path, sqlite3_file* handle);
  int remove(const char* path);
  void lose(File& file);
  sqlite3_vfs as_vfs();
  static State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

  Rng luck;
  std::string name;
  sqlite3_vfs registered{};
  std::map<std::string, File> files;
  Faults faults;
  std::size_t capacity = std::numeric_limits<std::size_t>::max();
  WallTime time{};
  bool stopped = false;
  std::uint64_t injected = 0, unnamed = 0;
};

int FaultyDisk::State::read(const File& file, std::uint8_t* out, std::size_t count,
                            std::size_t at) {
  if (stopped || fails(faults.read_error)) return SQLITE_IOERR_READ;
  const std::size_t there = at < file.now.size() ? std::min(count, file.now.size() - at) : 0;
  std::copy_n(file.now.begin() + static_cast<std::ptrdiff_t>(there > 0 ? at : 0), there, out);
  std::fill_n(out + there, count - there, std::uint8_t{0});
  return there == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int FaultyDisk::State::write(File& file, const std::uint8_t* bytes, std::size_t count,
                             std::size_t at) {
  if (stopped || fails(faults.write_error)) return SQLITE_IOERR_WRITE;
  if (full(file, at + count)) return SQLITE_FULL;
  touch(file, std::min(at, file.now.size()), at + count);
  pad(file.now, at + count);
  std::copy_n(bytes, count, file.now.begin() + static_cast<std::ptrdiff_t>(at));
  return SQLITE_OK;
}

int FaultyDisk::State::truncate(File& file, std::size_t size) {
  if (stopped || fails(faults.write_error)) return SQLITE_IOERR_TRUNCATE;
  touch(file, std::min(size, file.now.size()), std::max(size, file.now.size()));
  file.now.resize(size);
  return SQLITE_OK;
}

int FaultyDisk::State::sync(File& file) {
  if (stopped || fails(faults.sync_error)) return SQLITE_IOERR_FSYNC;
  if (fails(faults.lost_sync)) return SQLITE_OK;
  for (const std::size_t sector : file.dirty) copy_sector(file.now, file.durable, sector);
  file.durable.resize(file.now.size());
  file.dirty.clear();
  return SQLITE_OK;
}

// The length is luck as well: of what was there, of what was to be, or as far as a sector was kept.
void FaultyDisk::State::lose(File& file) {
  if (file.dirty.empty()) return;
  const bool new_length = luck.chance(1, 2);
  for (const std::size_t sector : file.dirty)
    if (luck.chance(1, 2)) copy_sector(file.now, file.durable, sector);
  if (new_length) file.durable.resize(file.now.size());
  file.now = file.durable;
  file.dirty.clear();
}

// --- SQLite's side: what it hands us begins with a struct of its own, and errors are ints.
struct FaultyDisk::Open {
  sqlite3_file base;
  State* disk;
  File* file;

  static Open& of(sqlite3_file* handle) { return *reinterpret_cast<Open*>(handle); }
  static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods FaultyDisk::Open::kMethods = [] {
  sqlite3_io_methods out{};
  out.iVersion = 1;
  out.xClose = [](sqlite3_file* handle) {
    --of(handle).file->users;
    return SQLITE_OK;
  };
  out.xRead = [](sqlite3_file* handle, void* into, int count, sqlite3_int64 at) {
    return of(handle).disk->read(*of(handle).file, static_cast<std::uint8_t*>(into),
                                 static_cast<std::size_t>(count), static_cast<std::size_t>(at));
  };
  out.xWrite = [](sqlite3_file* handle, const void* bytes, int count, sqlite3_int64 at) {
    return of(handle).disk->write(*of(handle).file, static_cast<const std::uint8_t*>(bytes),
                                  static_cast<std::size_t>(count), static_cast<std::size_t>(at));
  };
  out.xTruncate = [](sqlite3_file* handle, sqlite3_int64 size) {
    return of(handle).disk->truncate(*of(handle).file, static_cast<std::size_t>(size));
  };
  out.xSync = [](sqlite3_file* handle, int) { return of(handle).disk->sync(*of(handle).file); };
  out.xFileSize = [](sqlite3_file* handle, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(handle).file->now.size());
    return SQLITE_OK;
  };
  out.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
  out.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
  out.xCheckReservedLock = [](sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
  };
  out.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  out.xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSector); };
  out.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
  return out;
}();

int FaultyDisk::State::open(const char* path, sqlite3_file* handle) {
  handle->pMethods = nullptr;
  if (stopped) return SQLITE_CANTOPEN;
  // Without a name: for SQLite alone, while it is open.
  File& file = files[path ? path : "unnamed-" + std::to_string(++unnamed)];
  if (path && file.users > 0) return SQLITE_BUSY;
  ++file.users;
  auto& open = Open::of(handle);
  open.disk = this;
  open.file = &file;
  handle->pMethods = &Open::kMethods;
  return SQLITE_OK;
}

int FaultyDisk::State::remove(const char* path) {
  if (stopped || fails(faults.write_error)) return SQLITE_IOERR_DELETE;
  const auto at = files.find(path);
  if (at != files.end() && at->second.users > 0) return SQLITE_IOERR_DELETE;
  return files.erase(path) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

sqlite3_vfs FaultyDisk::State::as_vfs() {
  sqlite3_vfs out{};
  out.iVersion = 2;
  out.szOsFile = sizeof(Open);
  out.mxPathname = 256;
  out.zName = name.c_str();
  out.pAppData = this;
  out.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* handle, int flags, int* got) {
    if (got) *got = flags;
    return of(vfs).open(path, handle);
  };
  out.xDelete = [](sqlite3_vfs* vfs, const char* path, int) { return of(vfs).remove(path); };
  out.xAccess = [](sqlite3_vfs* vfs, const char* path, int, int* there) {
    *there = of(vfs).files.contains(path) ? 1 : 0;
    return SQLITE_OK;
  };
  out.xFullPathname = [](sqlite3_vfs*, const char* path, int size, char* full) {
    if (std::strlen(path) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::strcpy(full, path);
    return SQLITE_OK;
  };
  out.xRandomness = [](sqlite3_vfs* vfs, int count, char* bytes) {
    of(vfs).luck.fill({reinterpret_cast<std::uint8_t*>(bytes), static_cast<std::size_t>(count)});
    return count;
  };
  out.xSleep = [](sqlite3_vfs*, int microseconds) { return microseconds; };
  out.xCurrentTimeInt64 = [](sqlite3_vfs* vfs, sqlite3_int64* milliseconds) {
    const Duration since = of(vfs).time.time_since_epoch();
    *milliseconds = kJulianEpoch + since / std::chrono::milliseconds(1);
    return SQLITE_OK;
  };
  out.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
  return out;
}

// --- the disk
FaultyDisk::FaultyDisk(Rng luck) {
  std::array<std::uint8_t, 8> tag{};
  luck.fill(tag);
  state_ = std::make_unique<State>(std::move(luck), "kadmesh-disk-" + to_hex(tag));
  state_->registered = state_->as_vfs();
  KAD_CHECK(sqlite3_vfs_register(&state_->registered, 0) == SQLITE_OK);
}

FaultyDisk::~FaultyDisk() { sqlite3_vfs_unregister(&state_->registered); }

const std::string& FaultyDisk::vfs() const { return state_->name; }
void FaultyDisk::set_faults(Faults faults) { state_->faults = faults; }
void FaultyDisk::set_capacity(std::size_t bytes) { state_->capacity = bytes; }
void FaultyDisk::set_time(WallTime now) { state_->time = now; }
void FaultyDisk::stop() { state_->stopped = true; }

void FaultyDisk::lose_power() {
  for (auto& [path, file] : state_->files) {
    KAD_CHECK(file.users == 0);
    state_->lose(file);
  }
  state_->stopped = false;
}

std::size_t FaultyDisk::bytes() const { return state_->used(); }
std::uint64_t FaultyDisk::faults_injected() const { return state_->injected; }

}  // namespace kadmesh
