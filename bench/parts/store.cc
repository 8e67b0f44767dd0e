// Saves and loads in batches, as the driver brings them: records of 256 bytes, each under a key of
// its own.
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "part.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace kadmesh::bench {
namespace {

constexpr std::uint32_t kKeys = 50'000;
constexpr std::uint32_t kFilling = 500;  // rows a transaction, before what is measured

Bytes row_key(std::uint32_t n) { return to_bytes(as_bytes("/v/" + std::to_string(n % kKeys))); }
// All over the table, and every one before the first comes again.
Bytes any_key(std::uint32_t& next) { return row_key(next++ * 7'919); }

Save save_of(std::uint32_t n) {
  const Bytes key = row_key(n);
  return {{Kind::value, key, {}, content(256), WallTime(), WallTime::max(), place_of(key)}};
}

std::vector<StoreRequest> batch(const benchmark::State& state, std::uint32_t& next) {
  std::vector<StoreRequest> all;
  for (std::int64_t i = 0; i < state.range(0); ++i) all.push_back(save_of(next++));
  return all;
}

void save(benchmark::State& state, Store& store) {
  std::uint32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto requests = batch(state, next);
    state.ResumeTiming();
    for (const auto& result : store.run(WallTime(), std::move(requests))) need(result.has_value());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

std::vector<StoreRequest> loads(const benchmark::State& state, std::uint32_t& next) {
  std::vector<StoreRequest> all;
  for (std::int64_t i = 0; i < state.range(0); ++i) all.push_back(Load{Kind::value, any_key(next)});
  return all;
}

void fill(Store& store) {
  for (std::uint32_t n = 0; n < kKeys; n += kFilling) {
    std::vector<StoreRequest> requests;
    for (std::uint32_t i = n; i < n + kFilling; ++i) requests.push_back(save_of(i));
    for (const auto& result : store.run(WallTime(), std::move(requests))) need(result.has_value());
  }
}

void load(benchmark::State& state, Store& store) {
  fill(store);
  std::uint32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto requests = loads(state, next);
    state.ResumeTiming();
    for (const auto& result : store.run(WallTime(), std::move(requests)))
      need(result.has_value() && result->size() == 1);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// A folder that goes with this object.
class Folder {
 public:
  Folder() { need(mkdtemp(name_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(name_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return name_ + "/rows"; }

 private:
  std::string name_ = "/tmp/kadmesh-bench-XXXXXX";
};

void memory_save(benchmark::State& state) {
  MemoryStore store{StoreLimits()};
  save(state, store);
}
void sqlite_save(benchmark::State& state) {
  const Folder folder;
  const auto store = SqliteStore::open(folder.file(), {}).value();
  save(state, *store);
}

void memory_load(benchmark::State& state) {
  MemoryStore store{StoreLimits()};
  load(state, store);
}
void sqlite_load(benchmark::State& state) {
  const Folder folder;
  const auto store = SqliteStore::open(folder.file(), {}).value();
  load(state, *store);
}

// The same rows into a table of two columns, by one statement that was prepared once.
class Rows {
 public:
  explicit Rows(const std::string& file) {
    need(sqlite3_open(file.c_str(), &db_) == SQLITE_OK);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE rows(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
    need(sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO rows VALUES(?,?)", -1, &insert_,
                            nullptr) == SQLITE_OK);
    need(sqlite3_prepare_v2(db_, "SELECT value FROM rows WHERE key=?", -1, &select_, nullptr) ==
         SQLITE_OK);
  }
  ~Rows() {
    sqlite3_finalize(insert_);
    sqlite3_finalize(select_);
    sqlite3_close(db_);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void run(const char* statement) {
    need(sqlite3_exec(db_, statement, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  void insert(const Row& row) {
    bind(insert_, 1, row.key);
    bind(insert_, 2, row.value);
    need(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }
  Bytes select(const Bytes& key) {
    bind(select_, 1, key);
    need(sqlite3_step(select_) == SQLITE_ROW);
    const auto* first = static_cast<const std::uint8_t*>(sqlite3_column_blob(select_, 0));
    Bytes value(first, first + sqlite3_column_bytes(select_, 0));
    sqlite3_reset(select_);
    return value;
  }

 private:
  static void bind(sqlite3_stmt* to, int column, const Bytes& bytes) {
    sqlite3_bind_blob(to, column, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt *insert_ = nullptr, *select_ = nullptr;
};

void floor_sqlite_save(benchmark::State& state) {
  const Folder folder;
  Rows rows(folder.file());
  std::uint32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto requests = batch(state, next);
    state.ResumeTiming();
    rows.run("BEGIN");
    for (const StoreRequest& request : requests) rows.insert(std::get<Save>(request).row);
    rows.run("COMMIT");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void floor_sqlite_load(benchmark::State& state) {
  const Folder folder;
  Rows rows(folder.file());
  rows.run("BEGIN");
  for (std::uint32_t n = 0; n < kKeys; ++n) rows.insert(save_of(n).row);
  rows.run("COMMIT");
  std::uint32_t next = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto requests = loads(state, next);
    state.ResumeTiming();
    if (requests.size() > 1) rows.run("BEGIN");
    for (const StoreRequest& request : requests)
      benchmark::DoNotOptimize(rows.select(std::get<Load>(request).key));
    if (requests.size() > 1) rows.run("COMMIT");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(memory_save)->Arg(1)->Arg(64);
BENCHMARK(sqlite_save)->Arg(1)->Arg(64);
BENCHMARK(floor_sqlite_save)->Arg(1)->Arg(64);
BENCHMARK(memory_load)->Arg(1)->Arg(64);
BENCHMARK(sqlite_load)->Arg(1)->Arg(64);
BENCHMARK(floor_sqlite_load)->Arg(1)->Arg(64);

}  // namespace
}  // namespace kadmesh::bench
