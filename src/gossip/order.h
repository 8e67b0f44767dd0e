// An order for ids that peers choose. Trees over them, not hash tables, whose buckets a peer could
// fill on purpose.
#pragma once

#include "base/bytes.h"

namespace kadmesh::gossip {

struct ByText {
  bool operator()(ByteView a, ByteView b) const { return as_text(a) < as_text(b); }
};

}  // namespace kadmesh::gossip
