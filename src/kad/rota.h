// When what is ours is delivered again. The space is cut into slices; in every cycle each of them
// has one moment, which all of its keys share:
//
//   slice   0    1    2        n-1   0    1
//           |----|----|-- ... --|----|----|-->  wall clock
//           ^ by a hash of our id: nodes that started together do not publish together
//
// So the work is spread over the whole cycle, whatever was put at once, and neighbours in the space
// are looked for together (kad/sweep_query.h). A cycle is shorter than the interval by an eleventh,
// and what was delivered within the last eleventh waits for the next one: no key waits longer than
// the interval, and none goes out twice in a row.
#pragma once

#include <cstdint>

#include "base/peer_id.h"
#include "base/time.h"
#include "store/record.h"

namespace kadmesh {

class Rota {
 public:
  // `interval` above zero.
  Rota(const PeerId& self, Duration interval);

  // Of a publishing or a providing row: it was never delivered, or not since its slice's last
  // moment, or in a future that a clock set back has left.
  bool due(WallTime now, const Row& row) const;

  // The moments are numbered from the epoch on; number n is that of slice n mod slices().
  std::int64_t latest(WallTime now) const;
  WallTime moment(std::int64_t number) const;
  std::int64_t slices() const { return std::int64_t{1} << bits_; }
  // Places of a moment's slice, both included.
  std::uint64_t first_place(std::int64_t number) const;
  std::uint64_t last_place(std::int64_t number) const;

 private:
  std::uint64_t slice_of(std::int64_t number) const;
  std::int64_t latest_of(std::uint64_t place, WallTime now) const;

  unsigned bits_;  // of a place, that name its slice
  Duration step_;  // between moments
  Duration grace_;
  Duration offset_;
};

}  // namespace kadmesh
