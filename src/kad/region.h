// Everybody in one part of the space, found by few walks, so that many keys there can be delivered
// without a walk for each.
//
// A walk to a target ends with its k closest. It has found everybody whose common prefix with the
// target is longer than that of the farthest of them, and leaves the branches beside that way:
//
//   region 10...      walk to 1011: the farthest of its k closest is 1001
//     |-- 100..         a gap: some of it was seen
//     `-- 101..         everybody is known, fewer than k
//
// Each gap wants a walk into it, which covers it or leaves smaller ones. The region's prefix is
// where k peers begin to be: with fewer in it, the k closest to a key there would lie outside. It
// is rooted where was asked, not at what the peers found have in common, which in a small network
// leaves keys without a region (go-libp2p-kad-dht, issue 1263). A walk that ends with fewer than k
// peers has found everybody there is, and the region is all.
//
// Prefixes are XOR's, and a walk must come to all of the k closest: with another metric, or another
// end of walks, there are no regions.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "kad/key.h"
#include "kad/policy.h"

namespace kadmesh {

bool has_regions(const KadPolicies& policies);

struct Prefix {
  KadId of;
  unsigned bits = 0;

  bool contains(const KadId& id) const { return common_prefix(of, id) >= bits; }
  // Of store/record.h, both included.
  std::uint64_t first_place() const;
  std::uint64_t last_place() const;
};

class Region {
 public:
  explicit Region(std::size_t k) : k_(k) {}

  // What a walk to `target` ended with, closest first. The first may be to anywhere and makes the
  // region; the others answer gap().
  void on_walk(const KadId& target, std::span<const Contact> closest);
  // A branch to look into; none once all is covered, or kMostRegionWalks were made.
  std::optional<Prefix> gap() const;
  // Nothing can be sent there.
  void skip() { gaps_.pop_back(); }

  const Prefix& prefix() const { return prefix_; }
  // The k closest to a key of the region, closest first; fewer where there are not so many.
  std::vector<Contact> closest(const KadId& key) const;

 private:
  void open_gaps(const KadId& target, unsigned from, unsigned to);

  std::size_t k_;
  Prefix prefix_;
  std::size_t walks_ = 0;
  std::vector<Prefix> gaps_;
  std::map<KadId, Contact> peers_;
};

}  // namespace kadmesh
