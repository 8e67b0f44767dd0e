#include "transport/accept_limit.h"

#include <algorithm>

namespace kadmesh {

bool AcceptLimit::admit(const Endpoint& from, Time now) {
  if (burst_ == 0 || from.loopback()) return true;
  Bucket& one = bucket(prefix(from), now);
  const Time filled = after(std::max(one.full, now), interval_);
  if (filled > after(now, burst_ * interval_)) return false;
  one.full = filled;
  return true;
}

// IPv4 and IPv6 do not meet: the first byte tells them apart.
AcceptLimit::Prefix AcceptLimit::prefix(const Endpoint& from) {
  Prefix made{};
  made[0] = from.v6 ? 6 : 4;
  std::copy_n(from.host.begin(), from.v6 ? 7 : 4, made.begin() + 1);
  return made;
}

AcceptLimit::Bucket& AcceptLimit::bucket(const Prefix& prefix, Time now) {
  const auto known = buckets_.find(prefix);
  if (known != buckets_.end()) return known->second;
  if (buckets_.size() >= kMostPrefixes) {
    std::erase_if(buckets_, [now](const auto& entry) { return entry.second.full <= now; });
  }
  // The one that all share is no address's: it begins with 0.
  const bool room = buckets_.size() < kMostPrefixes;
  return buckets_.try_emplace(room ? prefix : Prefix{}, Bucket{now}).first->second;
}

}  // namespace kadmesh
