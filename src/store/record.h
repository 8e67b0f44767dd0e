// What a node keeps: rows of a few kinds, each with the time it came and the time it goes.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace kadmesh {

//   value       key: record key  member: empty               value: the value
//   provider    key: multihash   member: provider's peer id  value: its addresses
//   publishing  key: record key  member: empty               value: a value that we put
//   providing   key: multihash   member: empty               value: empty; we provide it
//   pool        key: peer id     member: empty               value: addresses that worked
//   quality     key: peer id     member: empty               value: what it was worth to ask it
//   meta        key: a name      member: empty               value: what its writer must remember
//
// Of publishing and providing, `received` is when it was last delivered; the epoch: not yet.
enum class Kind : std::uint8_t {
  value = 1,
  provider = 2,
  publishing = 3,
  providing = 4,
  pool = 5,
  quality = 6,
  meta = 7,
};

struct Row {
  Kind kind{};
  Bytes key;
  Bytes member;  // tells rows of one key apart
  Bytes value;
  WallTime received;
  WallTime expires = WallTime::max();
  std::uint64_t place = 0;   // place_of(key): rows near one another in the network are so here
  std::uint64_t charge = 0;  // who wants it kept and whose room it takes; 0: it is ours

  friend bool operator==(const Row&, const Row&) = default;
};

// Where a key lies, as far as a store needs to know: the first eight bytes of its SHA-256, the most
// significant first, which begin its KadId (kad/key.h).
std::uint64_t place_of(ByteView key);

// Bounds on one row. A record of the DHT is far smaller: kad/params.h.
inline constexpr std::size_t kMostRowKey = 1024;
inline constexpr std::size_t kMostRowMember = 64;
inline constexpr std::size_t kMostRowValue = 128 * 1024;

}  // namespace kadmesh
