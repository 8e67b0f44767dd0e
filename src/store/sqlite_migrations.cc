#include "store/sqlite_migrations.h"

#include <sqlite3.h>

#include <string>

#include "store/sqlite_statement.h"

namespace kadmesh::sqlite {
namespace {

constexpr const char* kRows =
    "CREATE TABLE schema(version INTEGER NOT NULL);"
    "INSERT INTO schema VALUES (0);"
    "CREATE TABLE rows("
    "kind INTEGER NOT NULL, key BLOB NOT NULL, member BLOB NOT NULL, value BLOB NOT NULL,"
    "received INTEGER NOT NULL, expires INTEGER NOT NULL,"
    "PRIMARY KEY(kind, key, member)) WITHOUT ROWID;"
    "CREATE INDEX rows_by_expiry ON rows(expires);";

// The index goes on with key and member: rows of one place are in their order.
constexpr const char* kPlaces =
    "ALTER TABLE rows ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE rows ADD COLUMN charge INTEGER NOT NULL DEFAULT 0;"
    "UPDATE rows SET place = place_of(key);"
    "CREATE INDEX rows_by_place ON rows(kind, place);";

// Of what peers want kept alone: what is ours costs nothing.
constexpr const char* kCharges =
    "CREATE INDEX rows_by_charge ON rows(charge, place) WHERE charge <> 0;";

// Kind::value without Kind::publishing, Kind::provider without Kind::providing.
constexpr const char* kStrangers =
    "UPDATE rows SET charge = 1 WHERE charge = 0 AND kind IN (1, 2) AND NOT EXISTS"
    " (SELECT 1 FROM rows AS own WHERE own.kind = rows.kind + 2 AND own.key = rows.key)";
static_assert(kUnknownCharge == 1);
static_assert(static_cast<int>(Kind::publishing) == static_cast<int>(Kind::value) + 2);
static_assert(static_cast<int>(Kind::providing) == static_cast<int>(Kind::provider) + 2);

void place_of_key(sqlite3_context* context, int, sqlite3_value** key) {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_value_blob(key[0]));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(key[0]));
  sqlite3_result_int64(context, sorted(place_of({bytes, size})));
}

// `place_of` is there for the step alone.
Result<void> add_places(sqlite3* database) {
  const auto define = [&](auto* function) {
    return sqlite3_create_function_v2(database, "place_of", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                      nullptr, function, nullptr, nullptr, nullptr);
  };
  if (define(&place_of_key) != SQLITE_OK) return std::unexpected(last_error(database));
  const Result<void> added = execute(database, kPlaces);
  define(static_cast<decltype(&place_of_key)>(nullptr));
  return added;
}

struct Step {
  std::int64_t to;
  Result<void> (*take)(sqlite3* database);
};
constexpr Step kSteps[] = {
    {1, [](sqlite3* database) { return execute(database, kRows); }},
    {2, add_places},
    {3, [](sqlite3* database) { return execute(database, kCharges); }},
    {4, [](sqlite3* database) { return execute(database, kStrangers); }},
};
static_assert(std::end(kSteps)[-1].to == kNewestVersion);

Result<std::int64_t> number_of(sqlite3* database, const char* query) {
  ASSIGN_OR_RETURN(const Statement statement, prepare(database, query));
  Run run(database, statement);
  ASSIGN_OR_RETURN(const bool found, run.step());
  if (found) return run.number(0);
  return fail(Errc::unsupported, "store: a schema without a version");
}

Result<std::int64_t> version_of(sqlite3* database) {
  ASSIGN_OR_RETURN(const std::int64_t tables,
                   number_of(database, "SELECT count(*) FROM sqlite_master WHERE name = 'schema'"));
  if (tables == 0) return 0;
  return number_of(database, "SELECT version FROM schema");
}

Result<void> take(sqlite3* database, const Step& step) {
  RETURN_IF_ERROR(execute(database, "BEGIN IMMEDIATE"));
  Result<void> taken = step.take(database);
  const std::string version = "UPDATE schema SET version = " + std::to_string(step.to);
  if (taken) taken = execute(database, version.c_str());
  if (taken) taken = execute(database, "COMMIT");
  if (taken) return {};
  sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
  Error why = taken.error();
  if (why.code == Errc::io)
    why.detail += "; while the store became one of version " + std::to_string(step.to) +
                  ", for which the disk needs as much room again as the store takes";
  return std::unexpected(std::move(why));
}

}  // namespace

Result<void> migrate(sqlite3* database) {
  ASSIGN_OR_RETURN(const std::int64_t version, version_of(database));
  if (version < 0 || version > kNewestVersion)
    return fail(Errc::unsupported, "store: schema version " + std::to_string(version) +
                                       ", this program knows " + std::to_string(kNewestVersion));
  for (const Step& step : kSteps)
    if (step.to > version) RETURN_IF_ERROR(take(database, step));
  return {};
}

}  // namespace kadmesh::sqlite
