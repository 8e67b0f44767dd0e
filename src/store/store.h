// Storage is an effect. A core emits a StoreRequest with an id of its own; the driver runs it on a
// Store, and brings the StoreResult back in a later turn. A save is answered only when it would
// survive a crash. Two stores keep this one contract: memory_store and sqlite_store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "store/record.h"

namespace kadmesh {

// Rows for Load, Scan and Near; for Save those that went to make room for it, without their values.
using StoreRows = std::vector<Row>;
using StoreResult = Result<StoreRows>;

// Rows of one key, ordered by member; expired rows are not among them.
struct Load {
  Kind kind;
  Bytes key;
};
// Inserts, or replaces the row of the same kind, key and member, its charge included. One that is
// charged to a peer finds the room that kOwnShare leaves.
struct Save {
  Row row;
  // Where who keeps it lies: of what peers want kept the farthest goes first.
  std::uint64_t home = 0;
  // If given, what its writer has seen of that row, or that there was none: where by now an
  // unexpired one is there of another value or charge, the writer is refused and may look again.
  std::optional<StoreRows> seen{};
};
// One row, or with an empty member every row of the key. Erasing what is not there succeeds.
struct Erase {
  Kind kind;
  Bytes key;
  Bytes member;
  std::optional<Bytes> value{};  // if given, only what has this value
};
// At most `most` unexpired rows after (key, member), in that order: pages through a kind.
struct Scan {
  Kind kind;
  Bytes after_key;
  Bytes after_member;
  std::size_t most;
};
// Drops every row that has expired. What would last beyond `latest` lasts until then: it was saved
// while a clock was ahead. What lasts for ever does so.
struct Expire {
  WallTime latest = WallTime::max();
};
// At most `most` unexpired rows of places from `from` to `to`, both included, ordered by place, key
// and member: those after (from, after_key, after_member). Pages through a part of the space: the
// last row's place, key and member are where the next page begins.
struct Near {
  Kind kind;
  std::uint64_t from;
  std::uint64_t to;
  Bytes after_key;
  Bytes after_member;
  std::size_t most;
};
using StoreRequest = std::variant<Load, Save, Erase, Scan, Expire, Near>;

// What peers ask us to keep leaves an eighth of a store: they can fill it with some 30 MB of
// requests, and must not keep us from storing what is ours.
inline constexpr std::size_t kOwnShare = 8;

// What becomes of a row that a peer wants kept when there is no more room for such: store/quota.h.
enum class WhenFull : std::uint8_t { refuse, fair_farthest };

struct StoreLimits {
  std::size_t rows = 200'000;
  std::size_t bytes = 256 * 1024 * 1024;  // of keys, members and values
  WhenFull when_full = WhenFull::fair_farthest;
  // One charge (store/record.h) has at most such a part of the rows and bytes, whether or not there
  // is room. A publisher of 100,000 keys is far below it where there are more than forty nodes.
  std::size_t charge_share = 4;
};

class Store {
 public:
  virtual ~Store() = default;
  // Runs the requests in order, as one transaction if it can be: a save or an erase that has
  // succeeded is durable when this returns, one that has not changed nothing. Errc::limit: it
  // breaks a bound; Errc::refused: another row is there than its writer has seen; Errc::io: the
  // disk. One result a request, and who fails leaves the others be.
  virtual std::vector<StoreResult> run(WallTime now, std::vector<StoreRequest> batch) = 0;
  virtual std::size_t rows() const = 0;
  virtual std::size_t bytes() const = 0;
};

}  // namespace kadmesh
