// Storage is an effect. A core emits a StoreRequest with an id of its own; the driver runs it on a
// Store, and brings the StoreResult back in a later turn. A save is answered only when it would
// survive a crash. Two stores keep this one contract: memory_store and sqlite_store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "store/record.h"

namespace kadmesh {

// Rows of one key, ordered by member; expired rows are not among them.
struct Load {
  Kind kind;
  Bytes key;
};
// Inserts, or replaces the row of the same kind, key and member.
struct Save {
  Row row;
};
// One row, or with an empty member every row of the key. Erasing what is not there succeeds.
struct Erase {
  Kind kind;
  Bytes key;
  Bytes member;
};
// At most `most` unexpired rows after (key, member), in that order: pages through a kind.
struct Scan {
  Kind kind;
  Bytes after_key;
  Bytes after_member;
  std::size_t most;
};
// Drops every row that has expired.
struct Expire {};
using StoreRequest = std::variant<Load, Save, Erase, Scan, Expire>;

// Rows for Load and Scan, none otherwise.
using StoreRows = std::vector<Row>;
using StoreResult = Result<StoreRows>;

struct StoreLimits {
  std::size_t rows = 200'000;
  std::size_t bytes = 256 * 1024 * 1024;  // of keys, members and values
};

class Store {
 public:
  virtual ~Store() = default;
  // Runs the requests in order as one transaction: either all of its saves and erases are durable
  // when this returns, or none is and every result is an Error (Errc::io). A request that breaks a
  // bound fails alone (Errc::limit) and leaves the others be. One result a request.
  virtual std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) = 0;
  virtual std::size_t rows() const = 0;
  virtual std::size_t bytes() const = 0;
};

}  // namespace kadmesh
