#include "kad/provider_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kad/params.h"

namespace kadmesh {
namespace {

using Counts = std::map<std::uint64_t, std::size_t>;

// Of those that may give way: neither ourselves nor the comer.
Counts counts_of(const StoreRows& kept, ByteView comer) {
  Counts counts;
  for (const Row& row : kept)
    if (row.charge != 0 && !equal(row.member, comer)) ++counts[row.charge];
  return counts;
}

Bytes take_newest(StoreRows& kept, std::uint64_t charge, ByteView comer) {
  const auto newest = std::ranges::max_element(kept, {}, [&](const Row& row) {
    return std::pair(row.charge == charge && !equal(row.member, comer), row.received);
  });
  Bytes member = std::move(newest->member);
  kept.erase(newest);
  return member;
}

}  // namespace

Result<std::vector<Bytes>> admit(ProviderPolicy policy, StoreRows kept, ByteView comer,
                                 std::uint64_t charge) {
  const auto is_comer = [&](const Row& row) { return equal(row.member, comer); };
  const bool known = std::ranges::any_of(kept, is_comer);
  std::vector<Bytes> displaced;
  while (kept.size() + (known ? 0 : 1) > kMostProvidersOfKey) {
    Counts counts = counts_of(kept, comer);
    const std::size_t own = counts[charge];
    const auto most = std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });
    const bool beyond = kept.size() > kMostProvidersOfKey && most->second > 0;
    if (!beyond && (policy == ProviderPolicy::first_come || most->second < own + 2)) {
      if (known) break;
      return fail(Errc::limit, "the key has as many providers as are kept");
    }
    displaced.push_back(take_newest(kept, most->first, comer));
  }
  return displaced;
}

}  // namespace kadmesh
