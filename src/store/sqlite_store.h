// A store in one SQLite file: write-ahead log, a transaction a batch, synced before it is answered.
//
//   schema(version)                                  one row; opening an unknown one is refused
//   rows(kind, key, member, value, received, expires, place, charge)
//                                                    primary key (kind, key, member)
//
// Times are nanoseconds since the Unix epoch; of places 2^63 is taken, so that they sort as they
// are. A file of an older version becomes one of this as it is opened, every row there
// (store/sqlite_migrations.h). One process has the file open at a time.
//
// A log that is still there says that whoever had the file last did not close it: then the whole
// file is looked through before anything is read from it or written. A damaged one is not opened,
// and neither it nor its log is changed. One whose damage shows only in use leaves its log when it
// is closed, and so is looked through the next time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "store/store.h"

namespace kadmesh {

class SqliteStore final : public Store {
 public:
  // Makes the file when there is none, on the disk that SQLite knows as `vfs`; an empty name is the
  // machine's. Errc::io with SQLite's words; Errc::malformed for a damaged file, with what to do;
  // Errc::unsupported for a schema of a later version; Errc::refused when another process has it
  // open.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                   StoreLimits limits, const std::string& vfs = {});
  // Renames a store that is not open, its log with it, so that whoever can may save something of
  // it: to `file`.damaged, or with a number behind that; to what, is the answer.
  static Result<std::filesystem::path> set_aside(const std::filesystem::path& file);
  ~SqliteStore() override;

  std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) override;
  std::size_t rows() const override;
  std::size_t bytes() const override;

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
