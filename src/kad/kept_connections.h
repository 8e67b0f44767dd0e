// Whose connections the routing table asks the node to keep while nobody uses them: so many of each
// bucket, those who came first. The others are dialed again when a walk wants them.
//
// A peer keeps its end by its own rule, so what stays open are the connections that both want.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "kad/action.h"
#include "kad/key.h"
#include "kad/routing_table.h"

namespace kadmesh {

class KeptConnections {
 public:
  KeptConnections(const KadId& self, std::size_t most_of_bucket)
      : self_(self), most_(most_of_bucket) {}

  // What follows from it: nothing, one, or one for who left and one for who takes its place.
  std::vector<KadHold> on(const TableChange& change);

 private:
  struct Bucket {
    std::size_t kept = 0;
    std::vector<PeerId> others;  // longest there first
  };
  std::vector<KadHold> entered(Bucket& bucket, const PeerId& peer);
  std::vector<KadHold> left(Bucket& bucket, const PeerId& peer);

  KadId self_;
  std::size_t most_;
  std::map<unsigned, Bucket> buckets_;
};

}  // namespace kadmesh
