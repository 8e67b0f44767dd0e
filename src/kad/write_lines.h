// Those that write rows of one key, one after another in the order in which they came: each sees
// what the one before has stored. A peer waits in one place of a line, be it behind its own request
// that is being served, and a line has an end.
//
//   join --> first: served --leave--> (gone)
//     \--> behind others --their leaving--> next() --> served
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/peer_id.h"
#include "kad/action.h"
#include "store/record.h"

namespace kadmesh {

class WriteLines {
 public:
  using Line = std::pair<Kind, Bytes>;

  // Whether it is first; none where the peer waits already, kMostInLine do, or kMostInLines
  // in all.
  std::optional<bool> join(const Line& line, KadInboundId id, const PeerId& from);
  // It has joined the line.
  void leave(const Line& line, KadInboundId id);
  // One that is first by now, and was not told; it has not left since.
  std::optional<KadInboundId> next();

 private:
  struct Place {
    KadInboundId id;
    PeerId from;
  };
  std::map<Line, std::deque<Place>> lines_;  // the first of each is being served
  std::deque<KadInboundId> next_;
  std::size_t waiting_ = 0;  // in all lines
};

}  // namespace kadmesh
