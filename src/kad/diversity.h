// How many servers of one public network the routing table takes (kad/subnet.h says what a network
// is). A Sybil must own networks, not just ids.
//
//   of_bucket   from one /24 (IPv6: /48), in one bucket
//   of_table    from one /16 (/32), in the whole table
//
// The figures are go's, which however counts /16s in the bucket too: clouds share them, and
// of_table holds there already. Private and loopback addresses are exempt: they are one site.
// Whoever finds its network full waits, as where the bucket is full, and is asked by walks that
// hear of it.
#pragma once

#include <cstddef>
#include <vector>

#include "kad/subnet.h"

namespace kadmesh {

struct DiversityLimits {
  std::size_t of_bucket = 2, of_table = 3;  // 0: any number
  std::vector<SubnetRange> exempt;          // a test network on public addresses, a site's own

  bool counts(const Subnet& subnet) const {
    for (const SubnetRange& range : exempt)
      if (range.contains(subnet)) return false;
    return true;
  }
};

}  // namespace kadmesh
