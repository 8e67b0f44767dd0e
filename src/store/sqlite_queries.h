// What the store says to SQLite once its file is open (store/sqlite_store.h). Inside src/store
// only.
//
// Columns are in the order of Row's fields; where a row is wanted without its value, the length of
// that is behind them.
#pragma once

#include <array>

namespace kadmesh::sqlite {

enum Query {
  kLoad,
  kSave,
  kErase,
  kEraseOne,
  kScan,
  kNear,
  kExpire,
  kErasing,
  kStored,
  kOne,
  kAnyCharged,
  kFirstCharged,
  kTotals,
  kExpiring,
  kShorten,
  kFirstExpired,
  kMark,
  kTakeBack,
  kKeep,
  kQueries
};
inline constexpr std::array<const char*, kQueries> kSql = {
    "SELECT kind, key, member, value, received, expires, place, charge FROM rows"
    " WHERE kind = ? AND key = ? AND expires > ? ORDER BY member",
    "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "DELETE FROM rows WHERE kind = ?1 AND key = ?2 AND (?4 OR member = ?3) AND (?6 OR value = ?5)",
    "DELETE FROM rows WHERE kind = ? AND key = ? AND member = ?",
    "SELECT kind, key, member, value, received, expires, place, charge FROM rows"
    " WHERE kind = ? AND (key, member) > (?, ?) AND expires > ? ORDER BY key, member LIMIT ?",
    "SELECT kind, key, member, value, received, expires, place, charge FROM rows"
    " WHERE kind = ? AND (place, key, member) > (?, ?, ?) AND place <= ? AND expires > ?"
    " ORDER BY place, key, member LIMIT ?",
    "DELETE FROM rows WHERE expires <= ?",
    "SELECT charge, count(*), total(length(key) + length(member) + length(value)) FROM rows"
    " WHERE kind = ?1 AND key = ?2 AND (?4 OR member = ?3) AND (?6 OR value = ?5) GROUP BY charge",
    "SELECT charge, length(key) + length(member) + length(value) FROM rows"
    " WHERE kind = ? AND key = ? AND member = ?",
    "SELECT kind, key, member, value, received, expires, place, charge FROM rows"
    " WHERE kind = ? AND key = ? AND member = ?",
    // That the charge is not 0 lets SQLite use rows_by_charge.
    "SELECT 1 FROM rows WHERE charge = ? AND charge <> 0 AND place BETWEEN ? AND ? LIMIT 1",
    "SELECT kind, key, member, x'', received, expires, place, charge, length(value) FROM rows"
    " WHERE charge = ? AND charge <> 0 AND place = ? ORDER BY kind, key, member LIMIT 1",
    "SELECT charge, count(*), total(length(key) + length(member) + length(value)) FROM rows"
    " GROUP BY charge",
    "SELECT charge, count(*), total(length(key) + length(member) + length(value)) FROM rows"
    " WHERE expires <= ? GROUP BY charge",
    "UPDATE rows SET expires = ?1 WHERE expires > ?1 AND expires < ?2",
    "SELECT kind, key, member, x'', received, expires, place, charge, length(value) FROM rows"
    " WHERE expires <= ? ORDER BY expires LIMIT 1",
    "SAVEPOINT change",
    "ROLLBACK TO change",
    "RELEASE change",
};

}  // namespace kadmesh::sqlite
