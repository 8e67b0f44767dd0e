// Saves in batches, as the driver brings them: records of 256 bytes, each under a key of its own.
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "part.h"
#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace kadmesh::bench {
namespace {

constexpr std::uint32_t kKeys = 50'000;

Bytes row_key(std::uint32_t n) { return to_bytes(as_bytes("/v/" + std::to_string(n % kKeys))); }

std::vector<StoreRequest> batch(const benchmark::State& state, std::uint32_t& next) {
  std::vector<StoreRequest> all;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const Bytes key = row_key(next++);
    all.push_back(
        Save{{Kind::value, key, {}, content(256), WallTime(), WallTime::max(), place_of(key)}});
  }
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
  }
  ~Rows() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void run(const char* statement) {
    need(sqlite3_exec(db_, statement, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  void insert(const Row& row) {
    bind(1, row.key);
    bind(2, row.value);
    need(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

 private:
  void bind(int column, const Bytes& bytes) {
    sqlite3_bind_blob(insert_, column, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
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
BENCHMARK(memory_save)->Arg(1)->Arg(64);
BENCHMARK(sqlite_save)->Arg(1)->Arg(64);
BENCHMARK(floor_sqlite_save)->Arg(1)->Arg(64);

}  // namespace
}  // namespace kadmesh::bench
