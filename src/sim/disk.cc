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
constexpr std::uint64_t kForEver = std::numeric_limits<std::uint64_t>::max();
// Julian day of the Unix epoch, in milliseconds: SQLite's clock.
constexpr sqlite3_int64 kJulianEpoch = 210'866'760'000'000;

// A write, or the length to which a file was cut or padded.
struct Change {
  std::size_t at = 0;  // of a cut: the length
  Bytes bytes{};
  bool cut = false;
};

// What there is, and how it came to be from what is durable.
struct File {
  Bytes now;
  Bytes durable;
  std::vector<Change> unsynced{};
  unsigned users = 0;
};
using Files = std::map<std::string, std::shared_ptr<File>>;

void put(Bytes& into, std::size_t at, ByteView bytes) {
  if (into.size() < at + bytes.size()) into.resize(at + bytes.size());
  std::ranges::copy(bytes, into.begin() + static_cast<std::ptrdiff_t>(at));
}

void carry_out(Bytes& into, const Change& change) {
  if (change.cut) return into.resize(change.at);
  put(into, change.at, change.bytes);
}

// From `at` to the end of its sector, or of the write.
std::size_t in_sector(const Change& write, std::size_t at) {
  const std::size_t next = (at / FaultyDisk::kSector + 1) * FaultyDisk::kSector;
  return std::min(next, write.at + write.bytes.size()) - at;
}

}  // namespace

struct FaultyDisk::State {
  State(Rng draws, std::string as) : luck(std::move(draws)), name(std::move(as)) {}

  // One more of the calls after which power goes.
  bool gone() {
    if (calls_left == 0) stopped = true;
    --calls_left;
    return stopped;
  }
  bool fails(std::uint32_t of_a_million) {
    if (of_a_million == 0 || !luck.chance(of_a_million, kMillion)) return false;
    ++injected;
    return true;
  }
  std::size_t used() const {
    std::size_t sum = 0;
    for (const auto& [path, file] : files) sum += file->now.size();
    return sum;
  }
  bool full(const File& file, std::size_t size) const {
    return size > file.now.size() && used() - file.now.size() + size > capacity;
  }

  int read(const File& file, std::uint8_t* out, std::size_t count, std::size_t at);
  int write(File& file, const std::uint8_t* bytes, std::size_t count, std::size_t at);
  int truncate(File& file, std::size_t size);
  int sync(File& file, bool directory);
  int open(const char* path, sqlite3_file* handle, int flags);
  void close(Open& handle);
  int remove(const char* path, bool sync_directory);
  void lose(File& file);
  void lose_names();
  sqlite3_vfs as_vfs();
  static State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

  Rng luck;
  std::string name;
  sqlite3_vfs registered{};
  Files files;
  Files durable_names;  // what the directory would be left with
  Faults faults;
  std::size_t capacity = std::numeric_limits<std::size_t>::max();
  WallTime time{};
  bool stopped = false;
  std::uint64_t calls_left = kForEver;
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
  if (gone() || fails(faults.write_error)) return SQLITE_IOERR_WRITE;
  if (full(file, at + count)) return SQLITE_FULL;
  file.unsynced.push_back({.at = at, .bytes = to_bytes({bytes, count})});
  carry_out(file.now, file.unsynced.back());
  return SQLITE_OK;
}

int FaultyDisk::State::truncate(File& file, std::size_t size) {
  if (gone() || fails(faults.write_error)) return SQLITE_IOERR_TRUNCATE;
  if (full(file, size)) return SQLITE_FULL;
  file.unsynced.push_back({.at = size, .cut = true});
  carry_out(file.now, file.unsynced.back());
  return SQLITE_OK;
}

int FaultyDisk::State::sync(File& file, bool directory) {
  if (gone() || fails(faults.sync_error)) return SQLITE_IOERR_FSYNC;
  if (fails(faults.lost_sync)) return SQLITE_OK;
  for (const Change& change : file.unsynced) carry_out(file.durable, change);
  file.unsynced.clear();
  if (directory) durable_names = files;
  return SQLITE_OK;
}

// Each sector of each write is kept or not, and so is each new length.
void FaultyDisk::State::lose(File& file) {
  for (const Change& change : file.unsynced) {
    if (change.cut && luck.chance(1, 2)) carry_out(file.durable, change);
    for (std::size_t done = 0; done < change.bytes.size();) {
      const std::size_t at = change.at + done, count = in_sector(change, at);
      if (luck.chance(1, 2)) put(file.durable, at, ByteView(change.bytes).subspan(done, count));
      done += count;
    }
  }
  file.unsynced.clear();
  file.now = file.durable;
}

// A name that is not what the directory's last sync had it is by luck what it was, or is now.
void FaultyDisk::State::lose_names() {
  Files left;
  std::set<std::string> names;
  for (const Files* all : {&files, &durable_names})
    for (const auto& [path, file] : *all) names.insert(path);
  for (const std::string& path : names) {
    const auto is = files.find(path), was = durable_names.find(path);
    const bool same = is != files.end() && was != durable_names.end() && is->second == was->second;
    const bool new_one = same || luck.chance(1, 2);
    if (new_one && is != files.end()) left.insert(*is);
    if (!new_one && was != durable_names.end()) left.insert(*was);
  }
  files = durable_names = left;
}

// --- SQLite's side: what it hands us begins with a struct of its own, and errors are ints.
struct FaultyDisk::Open {
  sqlite3_file base;
  State* disk;
  File* file;
  std::size_t unnamed;   // its number, if it has no name
  bool syncs_directory;  // with its next sync: it is new, and SQLite needs its name

  static Open& of(sqlite3_file* handle) { return *reinterpret_cast<Open*>(handle); }
  static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods FaultyDisk::Open::kMethods = [] {
  sqlite3_io_methods out{};
  out.iVersion = 1;
  out.xClose = [](sqlite3_file* handle) {
    of(handle).disk->close(of(handle));
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
  out.xSync = [](sqlite3_file* handle, int) {
    const int synced = of(handle).disk->sync(*of(handle).file, of(handle).syncs_directory);
    if (synced == SQLITE_OK) of(handle).syncs_directory = false;
    return synced;
  };
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

// As SQLite's own VFS for Unix does, a new journal or log takes its name to the disk with its first
// sync: the name of the database goes with it, for there is one directory.
int FaultyDisk::State::open(const char* path, sqlite3_file* handle, int flags) {
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  handle->pMethods = nullptr;
  if (gone()) return SQLITE_CANTOPEN;
  // Without a name: for SQLite alone, while it is open.
  const std::string key = path ? path : "/unnamed/" + std::to_string(++unnamed);
  const bool made = !files.contains(key);
  if (made && ((flags & SQLITE_OPEN_CREATE) == 0 || fails(faults.write_error)))
    return SQLITE_CANTOPEN;
  auto& file = files[key];
  if (made) file = std::make_shared<File>();
  if (file->users > 0) return SQLITE_BUSY;
  ++file->users;
  auto& open = Open::of(handle);
  open.disk = this;
  open.file = file.get();
  open.unnamed = path ? 0 : unnamed;
  open.syncs_directory = made && (flags & kJournals) != 0;
  handle->pMethods = &Open::kMethods;
  return SQLITE_OK;
}

void FaultyDisk::State::close(Open& handle) {
  --handle.file->users;
  if (handle.unnamed != 0) files.erase("/unnamed/" + std::to_string(handle.unnamed));
}

int FaultyDisk::State::remove(const char* path, bool sync_directory) {
  if (gone() || fails(faults.write_error)) return SQLITE_IOERR_DELETE;
  const auto at = files.find(path);
  if (at == files.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (at->second->users > 0) return SQLITE_IOERR_DELETE;
  files.erase(at);
  if (!sync_directory) return SQLITE_OK;
  if (fails(faults.sync_error)) return SQLITE_IOERR_DIR_FSYNC;
  if (!fails(faults.lost_sync)) durable_names = files;
  return SQLITE_OK;
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
    return of(vfs).open(path, handle, flags);
  };
  out.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync) {
    return of(vfs).remove(path, sync != 0);
  };
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
void FaultyDisk::stop_after(std::uint64_t calls) { state_->calls_left = calls; }
bool FaultyDisk::stopped() const { return state_->stopped; }

void FaultyDisk::lose_power() {
  for (const auto& [path, file] : state_->files) KAD_CHECK(file->users == 0);
  state_->lose_names();
  for (const auto& [path, file] : state_->files) state_->lose(*file);
  state_->stopped = false;
  state_->calls_left = kForEver;
}

std::size_t FaultyDisk::bytes() const { return state_->used(); }
std::uint64_t FaultyDisk::faults_injected() const { return state_->injected; }

}  // namespace kadmesh
