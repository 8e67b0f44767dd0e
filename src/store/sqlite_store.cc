#include "store/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "store/quota.h"
#include "store/row_bounds.h"
#include "store/sqlite_migrations.h"
#include "store/sqlite_queries.h"
#include "store/sqlite_statement.h"

namespace kadmesh {
namespace {

using sqlite::Query;
using sqlite::Run;

Row row_of(const Run& run) {
  return {static_cast<Kind>(run.number(0)),
          run.bytes(1),
          run.bytes(2),
          run.bytes(3),
          run.time(4),
          run.time(5),
          sqlite::unsorted(run.number(6)),
          static_cast<std::uint64_t>(run.number(7))};
}

constexpr const char* kSettings =
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";

// SQLite removes its log as it closes (sqlite.org/wal.html, "The WAL File"). One with anything in
// it was left by a process that was killed, or by a loss of power.
bool closed_in_order(const std::filesystem::path& file, const char* vfs_name) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name);
  const std::string log = file.string() + "-wal";
  int there = 0;
  return vfs && vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK &&
         there == 0;
}

Error damaged(const std::filesystem::path& file, const Error& how) {
  return {Errc::malformed,
          "store " + file.string() + " is damaged (" + how.detail +
              ") and was not opened: put a copy back in its place, or move it and " +
              file.string() + "-wal away to begin with an empty one"};
}

bool only_reads(const StoreRequest& request) {
  return std::holds_alternative<Load>(request) || std::holds_alternative<Scan>(request) ||
         std::holds_alternative<Near>(request);
}

}  // namespace

struct SqliteStore::State final : Shelf {
  explicit State(StoreLimits most) : limits(most), books(row_weight(most)) {}

  sqlite::Database database;
  StoreLimits limits;
  std::array<sqlite::Statement, sqlite::kQueries> statements;
  Ledger books;
  struct Booking {
    bool added;
    std::uint64_t charge;
    Taken taken;
  };
  std::vector<Booking> bookings;  // of the transaction that is under way
  bool damaged = false;           // has come to light in use: nothing is written any more

  Run query(Query which) { return Run(database.get(), statements[which]); }

  // Until all is well, closing does not write the log into the file: whatever is wrong with it
  // stays as it was found.
  Result<void> begin(bool closed_in_order) {
    keep_log(true);
    RETURN_IF_ERROR(sqlite::execute(database.get(), kSettings));
    if (!closed_in_order) RETURN_IF_ERROR(check_whole());
    RETURN_IF_ERROR(sqlite::migrate(database.get()));
    RETURN_IF_ERROR(prepare());
    RETURN_IF_ERROR(read_books());
    RETURN_IF_ERROR(mend_indexes());
    keep_log(false);
    return {};
  }

  void keep_log(bool on_closing) {
    sqlite3_db_config(database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on_closing ? 1 : 0,
                      static_cast<int*>(nullptr));
  }

  // So that the next one to open it does not find it closed in order, and knows why: an empty log
  // is none.
  void leave_log() {
    keep_log(true);
    sqlite3_exec(database.get(), "PRAGMA user_version = 1", nullptr, nullptr, nullptr);
  }

  // What has come upon damage and was found whole has an index that does not fit its rows.
  Result<void> mend_indexes() {
    ASSIGN_OR_RETURN(const auto statement, sqlite::prepare(database.get(), "PRAGMA user_version"));
    {
      Run run(database.get(), statement);
      ASSIGN_OR_RETURN(const bool found, run.step());
      if (!found || run.number(0) == 0) return {};
    }
    return sqlite::execute(database.get(), "REINDEX; PRAGMA user_version = 0");
  }

  // Every page once, and how they hang together; not whether each row is in each index.
  Result<void> check_whole() {
    ASSIGN_OR_RETURN(const auto statement,
                     sqlite::prepare(database.get(), "PRAGMA quick_check(1)"));
    Run run(database.get(), statement);
    ASSIGN_OR_RETURN(const bool found, run.step());
    const Bytes verdict = found ? run.bytes(0) : Bytes();
    if (as_text(verdict) == "ok") return {};
    return fail(Errc::malformed, "sqlite: " + std::string(as_text(verdict)));
  }

  Result<void> prepare() {
    for (std::size_t i = 0; i < sqlite::kQueries; ++i) {
      ASSIGN_OR_RETURN(statements[i], sqlite::prepare(database.get(), sqlite::kSql[i]));
    }
    return {};
  }

  // --- what each charge takes
  using Takings = std::vector<std::pair<std::uint64_t, Taken>>;

  static Result<Takings> takings(Run& run) {
    Takings all;
    for (;;) {
      ASSIGN_OR_RETURN(const bool found, run.step());
      if (!found) return all;
      const auto count = static_cast<std::size_t>(run.number(1));
      all.push_back({static_cast<std::uint64_t>(run.number(0)),
                     {count, static_cast<std::size_t>(run.number(2))}});
    }
  }

  Result<void> read_books() {
    Run run = query(sqlite::kTotals);
    ASSIGN_OR_RETURN(const Takings all, takings(run));
    for (const auto& [charge, taken] : all) books.add(charge, taken);
    return {};
  }

  void book(const Booking& entry) {
    if (entry.added)
      books.add(entry.charge, entry.taken);
    else
      books.remove(entry.charge, entry.taken);
    bookings.push_back(entry);
  }

  // Down to as many bookings of the transaction.
  void unbook(std::size_t left) {
    for (; bookings.size() > left; bookings.pop_back()) {
      const auto& [added, charge, taken] = bookings.back();
      if (added)
        books.remove(charge, taken);
      else
        books.add(charge, taken);
    }
  }

  StoreResult less(const Takings& gone, StoreResult result) {
    if (!result) return result;
    for (const auto& [charge, taken] : gone) book({false, charge, taken});
    return result;
  }

  // --- what the rule of quota.h asks for
  const Ledger& ledger() const override { return books; }

  Result<std::optional<Stored>> stored(const Row& like) override {
    Run run = query(sqlite::kStored);
    run.bind(like.kind).bind(like.key).bind(like.member);
    ASSIGN_OR_RETURN(const bool found, run.step());
    if (!found) return std::nullopt;
    return Stored{static_cast<std::uint64_t>(run.number(0)),
                  static_cast<std::size_t>(run.number(1))};
  }

  Result<bool> any(std::uint64_t charge, std::uint64_t from, std::uint64_t to) override {
    Run run = query(sqlite::kAnyCharged);
    run.bind(static_cast<std::int64_t>(charge)).bind(sqlite::sorted(from)).bind(sqlite::sorted(to));
    return run.step();
  }

  Result<Row> drop_at(std::uint64_t charge, std::uint64_t place) override {
    Run run = query(sqlite::kFirstCharged);
    run.bind(static_cast<std::int64_t>(charge)).bind(sqlite::sorted(place));
    ASSIGN_OR_RETURN(const bool found, run.step());
    if (!found) return fail(Errc::malformed, "store: an index names a row that is not there");
    return drop(run);
  }

  // The row that is there, without its value; how long that is, is in the column behind it.
  Result<Row> drop(Run& run) {
    Row row = row_of(run);
    const Taken taken{1, size_of(row) + static_cast<std::size_t>(run.number(8))};
    Run erasing = query(sqlite::kEraseOne);
    erasing.bind(row.kind).bind(row.key).bind(row.member);
    RETURN_IF_ERROR(less(Takings{{row.charge, taken}}, done(erasing)));
    return row;
  }

  Result<void> sweep(WallTime now, std::size_t most) override {
    for (; most > 0; --most) {
      Run run = query(sqlite::kFirstExpired);
      run.bind(now);
      ASSIGN_OR_RETURN(const bool found, run.step());
      if (!found) return {};
      RETURN_IF_ERROR(drop(run));
    }
    return {};
  }

  Result<void> simply(Query which) {
    Run run = query(which);
    RETURN_IF_ERROR(done(run));
    return {};
  }

  StoreResult whole(const Change& change) override {
    const std::size_t before = bookings.size();
    RETURN_IF_ERROR(simply(sqlite::kMark));
    StoreResult changed = change();
    if (!changed) {
      RETURN_IF_ERROR(simply(sqlite::kTakeBack));
      unbook(before);
    }
    RETURN_IF_ERROR(simply(sqlite::kKeep));
    return changed;
  }

  // --- one request each
  StoreResult rows_of(Run& run) {
    StoreRows rows;
    for (;;) {
      ASSIGN_OR_RETURN(const bool found, run.step());
      if (!found) return rows;
      rows.push_back(row_of(run));
    }
  }

  StoreResult done(Run& run) {
    ASSIGN_OR_RETURN([[maybe_unused]] const bool row, run.step());
    return StoreRows{};
  }

  StoreResult load(WallTime now, const Load& request) {
    Run run = query(sqlite::kLoad);
    run.bind(request.kind).bind(request.key).bind(now);
    return rows_of(run);
  }

  Result<std::optional<Row>> there(Kind kind, const Bytes& key, const Bytes& member) {
    Run run = query(sqlite::kOne);
    run.bind(kind).bind(key).bind(member);
    ASSIGN_OR_RETURN(const bool found, run.step());
    return found ? std::optional(row_of(run)) : std::nullopt;
  }

  Result<void> still_as_seen(WallTime now, const Save& request) {
    if (!request.seen) return {};
    const Row& row = request.row;
    ASSIGN_OR_RETURN(const auto now_there, there(row.kind, row.key, row.member));
    return check_seen(now, request.seen, now_there);
  }

  StoreResult save(WallTime now, const Save& request) {
    const Row& row = request.row;
    RETURN_IF_ERROR(check_bounds(row));
    RETURN_IF_ERROR(still_as_seen(now, request));
    ASSIGN_OR_RETURN(StoreRows gone, make_room(*this, limits, now, request));
    ASSIGN_OR_RETURN(const auto old, stored(row));
    Run run = query(sqlite::kSave);
    run.bind(row.kind).bind(row.key).bind(row.member).bind(row.value);
    run.bind(row.received).bind(row.expires).bind(sqlite::sorted(row.place));
    run.bind(static_cast<std::int64_t>(row.charge));
    RETURN_IF_ERROR(done(run));
    if (old) book({false, old->charge, {1, old->bytes}});
    book({true, row.charge, {1, size_of(row)}});
    return gone;
  }

  StoreResult erase(const Erase& request) {
    const Bytes value = request.value.value_or(Bytes());
    const auto bound = [&](Run& run) -> Run& {
      run.bind(request.kind).bind(request.key);
      run.bind(request.member).bind(std::int64_t{request.member.empty()});
      return run.bind(value).bind(std::int64_t{!request.value});
    };
    Run sizing = query(sqlite::kErasing), run = query(sqlite::kErase);
    ASSIGN_OR_RETURN(const Takings gone, takings(bound(sizing)));
    return less(gone, done(bound(run)));
  }

  StoreResult expire(WallTime now, const Expire& request) {
    Run shortening = query(sqlite::kShorten);
    shortening.bind(request.latest).bind(WallTime::max());
    RETURN_IF_ERROR(done(shortening));
    Run sizing = query(sqlite::kExpiring);
    sizing.bind(now);
    ASSIGN_OR_RETURN(const Takings gone, takings(sizing));
    Run run = query(sqlite::kExpire);
    run.bind(now);
    return less(gone, done(run));
  }

  StoreResult scan(WallTime now, const Scan& request) {
    Run run = query(sqlite::kScan);
    run.bind(request.kind).bind(request.after_key);
    run.bind(request.after_member).bind(now);
    run.bind(at_most(request.most));
    return rows_of(run);
  }

  StoreResult near(WallTime now, const Near& request) {
    Run run = query(sqlite::kNear);
    run.bind(request.kind).bind(sqlite::sorted(request.from)).bind(request.after_key);
    run.bind(request.after_member).bind(sqlite::sorted(request.to)).bind(now);
    run.bind(at_most(request.most));
    return rows_of(run);
  }

  std::int64_t at_most(std::size_t rows) const {
    return static_cast<std::int64_t>(std::min(rows, limits.rows));
  }

  StoreResult perform(WallTime now, const StoreRequest& request) {
    if (const auto* r = std::get_if<Load>(&request)) return load(now, *r);
    if (const auto* r = std::get_if<Save>(&request)) return save(now, *r);
    if (const auto* r = std::get_if<Erase>(&request)) return erase(*r);
    if (const auto* r = std::get_if<Scan>(&request)) return scan(now, *r);
    if (const auto* r = std::get_if<Near>(&request)) return near(now, *r);
    return expire(now, std::get<Expire>(request));
  }

  // --- a batch of them
  // What a row breaks, or its writer did not know, is their affair; anything else is everybody's.
  static bool is_its_own(const StoreResult& result) {
    return result || result.error().code == Errc::limit || result.error().code == Errc::refused;
  }

  Result<std::vector<StoreResult>> together(WallTime now, std::span<const StoreRequest> batch) {
    bookings.clear();
    std::vector<StoreResult> results;
    results.reserve(batch.size());
    RETURN_IF_ERROR(sqlite::execute(database.get(), "BEGIN IMMEDIATE"));
    for (const StoreRequest& request : batch) {
      results.push_back(perform(now, request));
      if (!is_its_own(results.back())) return take_back(results.back().error());
    }
    if (const auto kept = sqlite::execute(database.get(), "COMMIT"); !kept)
      return take_back(kept.error());
    return results;
  }

  std::unexpected<Error> take_back(Error why) {
    sqlite3_exec(database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    unbook(0);
    return std::unexpected(std::move(why));
  }

  StoreResult alone(WallTime now, const StoreRequest& request) {
    if (only_reads(request)) {
      StoreResult rows = perform(now, request);
      return rows ? rows : told(rows.error());
    }
    if (damaged)
      return fail(Errc::io, "store: it is damaged, and is looked through when it is opened again");
    auto results = together(now, {&request, 1});
    return results ? std::move(results->front()) : told(results.error());
  }

  StoreResult told(const Error& why) {
    if (why.code == Errc::malformed && !std::exchange(damaged, true)) leave_log();
    return fail(Errc::io, why.detail);
  }
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file,
                                                       StoreLimits limits, const std::string& vfs) {
  const char* disk = vfs.empty() ? nullptr : vfs.c_str();
  std::error_code no_matter;
  // SQLite follows links, and keeps the log beside what they lead to.
  const auto real = disk ? file : std::filesystem::weakly_canonical(file, no_matter);
  const bool in_order = closed_in_order(no_matter ? file : real, disk);
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(
      file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, disk);
  auto state = std::make_unique<State>(limits);
  state->database.reset(raw);
  if (opened != SQLITE_OK)
    return fail(Errc::io, "store " + file.string() + ": " + sqlite3_errstr(opened));
  const Result<void> begun = state->begin(in_order);
  if (!begun && begun.error().code == Errc::malformed)
    return std::unexpected(damaged(file, begun.error()));
  RETURN_IF_ERROR(begun);
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
}

// Where not all can be written together, one does not keep the others from it, and nobody from
// reading.
std::vector<StoreResult> SqliteStore::run(WallTime now, std::vector<StoreRequest> batch) {
  if (batch.size() > 1 && !state_->damaged)
    if (auto results = state_->together(now, batch)) return *std::move(results);
  std::vector<StoreResult> results;
  results.reserve(batch.size());
  for (const StoreRequest& request : batch) results.push_back(state_->alone(now, request));
  return results;
}

std::size_t SqliteStore::rows() const { return state_->books.all().rows; }
std::size_t SqliteStore::bytes() const { return state_->books.all().bytes; }

}  // namespace kadmesh
