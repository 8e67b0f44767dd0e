// SQLite's C interface as values that end by themselves: what the store and its migrations are
// written in. Inside src/store only.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "store/record.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kadmesh::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};
// Its statements must be gone before it: SQLite does not close under one.
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Unsigned numbers in a column of signed ones, so that they sort as they are.
inline constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
inline std::int64_t sorted(std::uint64_t number) {
  return static_cast<std::int64_t>(number ^ kSign);
}
inline std::uint64_t unsorted(std::int64_t column) {
  return static_cast<std::uint64_t>(column) ^ kSign;
}

// What failed last: Errc::refused where another process has the file, Errc::malformed where the
// file is damaged, else Errc::io.
Error last_error(sqlite3* database);
// Statements without parameters; rows that they give are dropped.
Result<void> execute(sqlite3* database, const char* sql);
Result<Statement> prepare(sqlite3* database, const char* sql);

// One run of a prepared statement: parameters in order, then rows; reset at the end.
class Run {
 public:
  Run(sqlite3* database, const Statement& statement)
      : database_(database), statement_(statement.get()) {}
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // The bytes must outlive the run. An empty blob is not NULL.
  Run& bind(ByteView bytes);
  Run& bind(std::int64_t value);
  Run& bind(Kind kind) { return bind(static_cast<std::int64_t>(kind)); }
  Run& bind(WallTime time) { return bind(time.time_since_epoch().count()); }
  // True: a row is there.
  Result<bool> step();
  std::int64_t number(int column) const;
  WallTime time(int column) const { return WallTime(Duration(number(column))); }
  Bytes bytes(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

}  // namespace kadmesh::sqlite
