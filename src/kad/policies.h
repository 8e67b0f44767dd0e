// The policies that come with kadmesh: of each kind the standard one, and a second to compare with.
// By name, they are what `kad.policy.KIND` in a scenario and what a capture may say.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "kad/policy.h"

namespace kadmesh {

// --- metric
class XorMetric final : public Metric {  // "xor"; standard
 public:
  Distance between(const KadId& from, const KadId& target) const override;
  bool follows_prefixes() const override { return true; }
};
// How far the target is ahead on the ring of all ids, as in Chord: (target - from) mod 2^256.
class ClockwiseMetric final : public Metric {  // "clockwise"
 public:
  Distance between(const KadId& from, const KadId& target) const override;
};

// --- termination
// As go: once the beta nearest have answered, the rest of the k nearest are asked at once; over
// when all k have answered.
class BetaThenRest final : public Termination {  // "beta_then_rest"; standard
 public:
  Verdict judge(const WalkView& walk, const LookupParams& params) const override;
};
// As the paper and rust: alpha at a time until all k have answered.
class AllOfK final : public Termination {  // "all_k"
 public:
  Verdict judge(const WalkView& walk, const LookupParams& params) const override;
};
// Over once the beta nearest have answered: for who wants a few near peers soon.
class FirstBeta final : public Termination {  // "first_beta"
 public:
  Verdict judge(const WalkView& walk, const LookupParams& params) const override;
};

// --- ordering
// Whom it was worth most to ask so far (kad/quality.h); strangers stand between good and bad.
class WorthiestFirst final : public Ordering {  // "worthiest"; standard
 public:
  std::size_t pick(std::span<const Contact* const> equals,
                   const Acquaintance& known) const override;
};
class NearestFirst final : public Ordering {  // "nearest"
 public:
  std::size_t pick(std::span<const Contact* const> equals,
                   const Acquaintance& known) const override;
};
// Over an open connection before a dial, then whoever has been quick.
class QuickestFirst final : public Ordering {  // "quickest"
 public:
  std::size_t pick(std::span<const Contact* const> equals,
                   const Acquaintance& known) const override;
};

// --- eviction
// Only who failed last and is not connected: of these the one that failed most; among equals the
// one that answered longest ago. However many newcomers there are, they displace nobody that
// answers.
class LiveStay final : public Eviction {  // "live_stay"; standard
 public:
  std::optional<std::size_t> leaves(std::span<const TableEntry* const> full,
                                    const TableEntry& comer, Time now) const override;
};
// Also who has not answered for kUsefulFor, connected or not: the one that answered longest ago. As
// go, whose peers must have been of use within two refresh intervals.
class LeastUseful final : public Eviction {  // "least_useful"
 public:
  static constexpr Duration kUsefulFor = 20min;
  std::optional<std::size_t> leaves(std::span<const TableEntry* const> full,
                                    const TableEntry& comer, Time now) const override;
};

// --- replacement
class OldestFirst final : public Replacement {  // "oldest"; standard
 public:
  std::size_t enters(std::span<const TableEntry* const> waiting) const override;
};
// As the paper's replacement cache: who was seen last is most likely there.
class NewestFirst final : public Replacement {  // "newest"
 public:
  std::size_t enters(std::span<const TableEntry* const> waiting) const override;
};

// --- by name. Policy is one of the five kinds.
template <class Policy>
using Named = std::pair<std::string_view, std::shared_ptr<const Policy>>;
// All of a kind, the standard one first.
template <class Policy>
std::vector<Named<Policy>> policies();
// Null: no such name.
template <class Policy>
std::shared_ptr<const Policy> policy_named(std::string_view name) {
  for (const auto& [own, policy] : policies<Policy>())
    if (own == name) return policy;
  return nullptr;
}
// Empty: not one of these.
template <class Policy>
std::string_view name_of(const std::shared_ptr<const Policy>& policy) {
  for (const auto& [own, ours] : policies<Policy>())
    if (ours == policy) return own;
  return {};
}

}  // namespace kadmesh
