#include "store/sqlite_statement.h"

#include <sqlite3.h>

#include <string>

namespace kadmesh::sqlite {

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }
void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Error last_error(sqlite3* database) {
  const std::string what = std::string("sqlite: ") + sqlite3_errmsg(database);
  switch (sqlite3_errcode(database)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Errc::refused, what + "; another process has the store open"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::malformed, what};
    default:
      return {Errc::io, what};
  }
}

Result<void> execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(last_error(database));
}

Result<Statement> prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK)
    return std::unexpected(last_error(database));
  return Statement(statement);
}

Run::~Run() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Run& Run::bind(ByteView bytes) {
  static constexpr char kEmpty = 0;
  sqlite3_bind_blob64(statement_, ++bound_,
                      bytes.empty() ? static_cast<const void*>(&kEmpty) : bytes.data(),
                      bytes.size(), SQLITE_STATIC);
  return *this;
}

Run& Run::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Result<bool> Run::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(last_error(database_));
}

std::int64_t Run::number(int column) const { return sqlite3_column_int64(statement_, column); }

Bytes Run::bytes(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, data + sqlite3_column_bytes(statement_, column)};
}

}  // namespace kadmesh::sqlite
