#include "gossip/promises.h"

#include <algorithm>

#include "gossip/params.h"

namespace kadmesh::gossip {

void Promises::made(const SipHash& message, const PeerId& by, Time due) {
  if (by_due_.size() >= kMostPromises) return;
  std::vector<PeerId>& owing = owed_[message];
  if (std::ranges::find(owing, by) != owing.end()) return;
  owing.push_back(by);
  by_due_.push_back({due, message, by});
}

void Promises::kept(const SipHash& message) { owed_.erase(message); }

std::vector<PeerId> Promises::broken(Time now) {
  std::vector<PeerId> blamed;
  for (; !by_due_.empty() && by_due_.front().when <= now; by_due_.pop_front()) {
    const auto [when, message, by] = by_due_.front();
    const auto owed = owed_.find(message);
    if (owed == owed_.end() || std::erase(owed->second, by) == 0) continue;
    if (owed->second.empty()) owed_.erase(owed);
    blamed.push_back(by);
  }
  return blamed;
}

}  // namespace kadmesh::gossip
