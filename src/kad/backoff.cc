#include "kad/backoff.h"

#include <algorithm>

#include "base/jitter.h"
#include "store/record.h"

namespace kadmesh {
namespace {

// 2^9 s are above the most.
constexpr unsigned kMostDoublings = 9;

Duration ceiling(unsigned failures) {
  const std::int64_t factor = std::int64_t{1} << std::min(failures - 1, kMostDoublings);
  return std::min<Duration>(Backoffs::kLeast * factor, Backoffs::kMost);
}

}  // namespace

std::uint64_t whereabouts(std::span<const Dialable> addrs) {
  std::uint64_t sum = 0;
  for (const Dialable& addr : addrs) sum += place_of(addr.addr().bytes());
  return sum;
}

void Backoffs::failed(Turn turn, const PeerId& peer, std::uint64_t where) {
  const Time now = turn.now.mono;
  if (rests(peer, where, now)) return;
  if (!resting_.contains(peer) && resting_.size() >= kMostPeers) make_room();
  Rest& rest = resting_[peer];
  if (now >= after(rest.until, kForgotten)) rest.failures = 0;
  rest.where = where;
  rest.until = after(now, full_jitter(turn.rng, ceiling(++rest.failures)));
}

void Backoffs::make_room() {
  const auto by_until = [](const auto& item) { return item.second.until; };
  resting_.erase(std::ranges::min_element(resting_, {}, by_until));
}

bool Backoffs::rests(const PeerId& peer, std::uint64_t where, Time now) const {
  const auto at = resting_.find(peer);
  return at != resting_.end() && now < at->second.until && at->second.where == where;
}

}  // namespace kadmesh
