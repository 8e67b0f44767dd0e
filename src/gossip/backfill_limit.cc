#include "gossip/backfill_limit.h"

#include <algorithm>

namespace kadmesh::gossip {

std::optional<Duration> BackfillLimit::admit(const PeerId& peer, Time now) {
  Time& full = full_at(peer, now);
  const Time then = after(std::max(full, now), question_);
  const Time most = after(now, burst_);
  if (then > most) return then - most;
  full = then;
  return std::nullopt;
}

void BackfillLimit::told(const PeerId& peer, std::size_t bytes, Time now) {
  constexpr std::size_t kKib = 1024;
  Time& full = full_at(peer, now);
  full = after(std::max(full, now), kib_ * static_cast<std::int64_t>((bytes + kKib - 1) / kKib));
}

Time& BackfillLimit::full_at(const PeerId& peer, Time now) {
  if (const auto at = full_.find(peer); at != full_.end()) return at->second;
  if (full_.size() >= kMostPeers)
    std::erase_if(full_, [&](const auto& entry) { return entry.second <= now; });
  if (full_.size() >= kMostPeers) return shared_;
  return full_.emplace(peer, now).first->second;
}

}  // namespace kadmesh::gossip
