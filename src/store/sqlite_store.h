// A store in one SQLite file: write-ahead log, a transaction a batch, synced before it is answered.
//
//   schema(version)                                     one row; opening an unknown one is refused
//   rows(kind, key, member, value, received, expires)   primary key (kind, key, member)
//
// Times are nanoseconds since the Unix epoch. One process has the file open at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "store/store.h"

namespace kadmesh {

class SqliteStore final : public Store {
 public:
  static constexpr int kSchemaVersion = 1;

  // Makes the file when there is none, on the disk that SQLite knows as `vfs`; an empty name is the
  // machine's. Errc::io with SQLite's words; Errc::unsupported for a schema
  // of a later version; Errc::refused when another process has it open.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                   StoreLimits limits, const std::string& vfs = {});
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
