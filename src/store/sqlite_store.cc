#include "store/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "store/row_bounds.h"

namespace kadmesh {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error sqlite_error(sqlite3* database) {
  const int code = sqlite3_errcode(database);
  const bool taken = code == SQLITE_BUSY || code == SQLITE_LOCKED;
  return {taken ? Errc::refused : Errc::io,
          std::string("sqlite: ") + sqlite3_errmsg(database) +
              (taken ? "; another process has the store open" : "")};
}

std::int64_t nanoseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall_time(std::int64_t value) { return WallTime(Duration(value)); }

// One run of a prepared statement: parameters in order, then rows; reset at the end.
class Run {
 public:
  Run(sqlite3* database, const Statement& statement)
      : database_(database), statement_(statement.get()) {}
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // The bytes must outlive the run. An empty blob is not NULL.
  Run& bind(ByteView bytes) {
    static constexpr char kEmpty = 0;
    sqlite3_bind_blob64(statement_, ++bound_,
                        bytes.empty() ? static_cast<const void*>(&kEmpty) : bytes.data(),
                        bytes.size(), SQLITE_STATIC);
    return *this;
  }
  Run& bind(std::int64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  // True: a row is there.
  Result<bool> step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return std::unexpected(sqlite_error(database_));
  }
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  Bytes bytes(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, data + sqlite3_column_bytes(statement_, column)};
  }
  Row row() const {
    return {static_cast<Kind>(number(0)), bytes(1), bytes(2), bytes(3), wall_time(number(4)),
            wall_time(number(5))};
  }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

Result<void> execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(sqlite_error(database));
}

constexpr const char* kSettings =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";
constexpr const char* kSchema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS schema(version INTEGER NOT NULL);"
    "INSERT INTO schema SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM schema);"
    "CREATE TABLE IF NOT EXISTS rows("
    "kind INTEGER NOT NULL, key BLOB NOT NULL, member BLOB NOT NULL, value BLOB NOT NULL,"
    "received INTEGER NOT NULL, expires INTEGER NOT NULL,"
    "PRIMARY KEY(kind, key, member)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS rows_by_expiry ON rows(expires);"
    "COMMIT;";

enum Query {
  kLoad,
  kSave,
  kErase,
  kEraseOne,
  kScan,
  kExpire,
  kSizeOf,
  kTotals,
  kExpiring,
  kQueries
};
constexpr std::array<const char*, kQueries> kSql = {
    "SELECT kind, key, member, value, received, expires FROM rows"
    " WHERE kind = ? AND key = ? AND expires > ? ORDER BY member",
    "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?)",
    "DELETE FROM rows WHERE kind = ? AND key = ?",
    "DELETE FROM rows WHERE kind = ? AND key = ? AND member = ?",
    "SELECT kind, key, member, value, received, expires FROM rows"
    " WHERE kind = ? AND (key, member) > (?, ?) AND expires > ? ORDER BY key, member LIMIT ?",
    "DELETE FROM rows WHERE expires <= ?",
    "SELECT count(*), total(length(key) + length(member) + length(value)) FROM rows"
    " WHERE kind = ?1 AND key = ?2 AND (?4 = 0 OR member = ?3)",
    "SELECT count(*), total(length(key) + length(member) + length(value)) FROM rows",
    "SELECT count(*), total(length(key) + length(member) + length(value)) FROM rows"
    " WHERE expires <= ?",
};

}  // namespace

struct SqliteStore::State {
  struct Totals {
    std::size_t rows = 0, bytes = 0;
  };

  Database database;
  StoreLimits limits;
  std::array<Statement, kQueries> statements;
  Totals totals;

  Run query(Query which) { return Run(database.get(), statements[which]); }

  Result<void> prepare() {
    for (std::size_t i = 0; i < kQueries; ++i) {
      sqlite3_stmt* statement = nullptr;
      if (sqlite3_prepare_v3(database.get(), kSql[i], -1, SQLITE_PREPARE_PERSISTENT, &statement,
                             nullptr) != SQLITE_OK)
        return std::unexpected(sqlite_error(database.get()));
      statements[i].reset(statement);
    }
    return {};
  }

  Result<void> check_version() {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database.get(), "SELECT version FROM schema", -1, &raw, nullptr) !=
        SQLITE_OK)
      return std::unexpected(sqlite_error(database.get()));
    const Statement statement(raw);
    Run run(database.get(), statement);
    ASSIGN_OR_RETURN(const bool found, run.step());
    if (found && run.number(0) == kSchemaVersion) return {};
    return fail(Errc::unsupported, "store: schema version " +
                                       std::to_string(found ? run.number(0) : 0) +
                                       ", this program knows " + std::to_string(kSchemaVersion));
  }

  static Result<Totals> read_totals(Run& run) {
    ASSIGN_OR_RETURN(const bool found, run.step());
    if (!found) return Totals{};
    return Totals{static_cast<std::size_t>(run.number(0)), static_cast<std::size_t>(run.number(1))};
  }

  Result<Totals> totals_of(Kind kind, ByteView key, ByteView member, bool one) {
    Run run = query(kSizeOf);
    run.bind(static_cast<std::int64_t>(kind)).bind(key).bind(member).bind(std::int64_t{one});
    return read_totals(run);
  }

  // --- one request each
  StoreResult rows_of(Run& run) {
    StoreRows rows;
    for (;;) {
      ASSIGN_OR_RETURN(const bool found, run.step());
      if (!found) return rows;
      rows.push_back(run.row());
    }
  }

  StoreResult done(Run& run) {
    ASSIGN_OR_RETURN([[maybe_unused]] const bool row, run.step());
    return StoreRows{};
  }

  StoreResult load(WallTime now, const Load& request) {
    Run run = query(kLoad);
    run.bind(static_cast<std::int64_t>(request.kind)).bind(request.key).bind(nanoseconds(now));
    return rows_of(run);
  }

  StoreResult save(const Row& row) {
    RETURN_IF_ERROR(check_bounds(row));
    ASSIGN_OR_RETURN(const Totals old, totals_of(row.kind, row.key, row.member, true));
    const Totals after{totals.rows - old.rows + 1, totals.bytes - old.bytes + size_of(row)};
    RETURN_IF_ERROR(check_room(after.rows, after.bytes, limits));
    Run run = query(kSave);
    run.bind(static_cast<std::int64_t>(row.kind)).bind(row.key).bind(row.member).bind(row.value);
    run.bind(nanoseconds(row.received)).bind(nanoseconds(row.expires));
    const StoreResult result = done(run);
    if (result) totals = after;
    return result;
  }

  StoreResult erase(const Erase& request) {
    const bool one = !request.member.empty();
    ASSIGN_OR_RETURN(const Totals gone, totals_of(request.kind, request.key, request.member, one));
    Run run = query(one ? kEraseOne : kErase);
    run.bind(static_cast<std::int64_t>(request.kind)).bind(request.key);
    if (one) run.bind(request.member);
    return less(gone, done(run));
  }

  StoreResult expire(WallTime now) {
    Run sizing = query(kExpiring);
    sizing.bind(nanoseconds(now));
    ASSIGN_OR_RETURN(const Totals gone, read_totals(sizing));
    Run run = query(kExpire);
    run.bind(nanoseconds(now));
    return less(gone, done(run));
  }

  StoreResult less(const Totals& gone, StoreResult result) {
    if (!result) return result;
    totals.rows -= gone.rows;
    totals.bytes -= gone.bytes;
    return result;
  }

  StoreResult scan(WallTime now, const Scan& request) {
    Run run = query(kScan);
    run.bind(static_cast<std::int64_t>(request.kind)).bind(request.after_key);
    run.bind(request.after_member).bind(nanoseconds(now));
    run.bind(static_cast<std::int64_t>(std::min<std::size_t>(request.most, limits.rows)));
    return rows_of(run);
  }

  StoreResult perform(WallTime now, const StoreRequest& request) {
    if (const auto* r = std::get_if<Load>(&request)) return load(now, *r);
    if (const auto* r = std::get_if<Save>(&request)) return save(r->row);
    if (const auto* r = std::get_if<Erase>(&request)) return erase(*r);
    if (const auto* r = std::get_if<Scan>(&request)) return scan(now, *r);
    return expire(now);
  }
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file,
                                                       StoreLimits limits, const std::string& vfs) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(
      file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      vfs.empty() ? nullptr : vfs.c_str());
  auto state = std::make_unique<State>();
  state->database.reset(raw);
  state->limits = limits;
  if (opened != SQLITE_OK)
    return fail(Errc::io, "store " + file.string() + ": " + sqlite3_errstr(opened));
  RETURN_IF_ERROR(execute(raw, kSettings));
  RETURN_IF_ERROR(execute(raw, kSchema));
  RETURN_IF_ERROR(state->check_version());
  RETURN_IF_ERROR(state->prepare());
  Run run = state->query(kTotals);
  ASSIGN_OR_RETURN(state->totals, State::read_totals(run));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
}

std::vector<StoreResult> SqliteStore::run(WallTime now, std::vector<StoreRequest> batch) {
  sqlite3* database = state_->database.get();
  const State::Totals before = state_->totals;
  std::vector<StoreResult> results;
  results.reserve(batch.size());
  Result<void> whole = execute(database, "BEGIN IMMEDIATE");
  for (std::size_t i = 0; i < batch.size() && whole; ++i) {
    results.push_back(state_->perform(now, batch[i]));
    // A bound that one row breaks is that row's affair; a broken disk is everybody's.
    if (!results.back() && results.back().error().code != Errc::limit)
      whole = std::unexpected(results.back().error());
  }
  if (whole) whole = execute(database, "COMMIT");
  if (whole) return results;
  sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
  state_->totals = before;
  return std::vector<StoreResult>(batch.size(), StoreResult(std::unexpected(whole.error())));
}

std::size_t SqliteStore::rows() const { return state_->totals.rows; }
std::size_t SqliteStore::bytes() const { return state_->totals.bytes; }

}  // namespace kadmesh
