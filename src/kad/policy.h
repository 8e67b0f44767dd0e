// What a researcher may replace in Kademlia, and what stands there unless told (kad/policies.h has
// a second of each).
//
//   metric       what "near" means
//   termination  when a walk asks more at once, and when it is over
//   ordering     whom of the equally useful a walk asks first
//   eviction     who leaves a full bucket for a newcomer
//   replacement  who of the waiting gets a place
//
// All are pure: the same question has the same answer, and they keep nothing. One object may serve
// any number of nodes. With policies that a capture cannot name, a node cannot be recorded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/time.h"
#include "kad/key.h"
#include "kad/table_entry.h"

namespace kadmesh {

class Metric {
 public:
  virtual ~Metric() = default;
  // Of two ids never the same for one target.
  virtual Distance between(const KadId& from, const KadId& target) const = 0;
  // Whoever shares a longer prefix with the target is always nearer, as by XOR. The routing table
  // then looks at few of its buckets; otherwise at all.
  virtual bool follows_prefixes() const { return false; }
};

struct LookupParams {
  std::size_t k = 20, alpha = 10, beta = 3;  // beta <= k
};

// How far a walk is. Those that failed do not count anywhere.
struct WalkView {
  std::size_t known;    // peers heard of
  std::size_t leading;  // how many of the nearest have answered, up to the first that has not; <= k
  std::size_t answered;  // of the k nearest
};

class Termination {
 public:
  enum class Verdict {
    keep,   // ask, alpha at a time
    widen,  // ask all of the k nearest at once
    done,
  };
  virtual ~Termination() = default;
  // A walk in which nobody is left to ask, and nobody to wait for, is over anyhow.
  virtual Verdict judge(const WalkView& walk, const LookupParams& params) const = 0;
};

// What a node knows of a peer when it chooses.
class Acquaintance {
 public:
  virtual ~Acquaintance() = default;
  virtual bool connected(const PeerId& peer) const = 0;
  // How long its answer would be waited for: less of whoever was quick.
  virtual Duration patience(const PeerId& peer) const = 0;
  // What it was worth to ask it: Quality::worth().
  virtual std::uint32_t worth(const PeerId& peer) const = 0;
};

class Ordering {
 public:
  virtual ~Ordering() = default;
  // `equals`: at least two and at most alpha peers whose distances begin with the same number of
  // zeros, the nearest first. All are among those that the walk would ask; so the choice changes
  // when each is asked, and not whether. An index into them.
  virtual std::size_t pick(std::span<const Contact* const> equals,
                           const Acquaintance& known) const = 0;
};

class Eviction {
 public:
  virtual ~Eviction() = default;
  // `full`: the servers of a bucket, as many as it holds. An index into them, or none when `comer`
  // must wait.
  virtual std::optional<std::size_t> leaves(std::span<const TableEntry* const> full,
                                            const TableEntry& comer, Time now) const = 0;
};

class Replacement {
 public:
  virtual ~Replacement() = default;
  // `waiting`: one or more for whom there is a place, who came first first. An index into them.
  virtual std::size_t enters(std::span<const TableEntry* const> waiting) const = 0;
};

std::shared_ptr<const Metric> standard_metric();
std::shared_ptr<const Termination> standard_termination();
std::shared_ptr<const Ordering> standard_ordering();
std::shared_ptr<const Eviction> standard_eviction();
std::shared_ptr<const Replacement> standard_replacement();

// None is ever null.
struct KadPolicies {
  std::shared_ptr<const Metric> metric = standard_metric();
  std::shared_ptr<const Termination> termination = standard_termination();
  std::shared_ptr<const Ordering> ordering = standard_ordering();
  std::shared_ptr<const Eviction> eviction = standard_eviction();
  std::shared_ptr<const Replacement> replacement = standard_replacement();
};

}  // namespace kadmesh
