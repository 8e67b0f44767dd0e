#include "gossip/dont_wants.h"

#include <algorithm>

namespace kadmesh::gossip {

void DontWants::add(const std::vector<MessageId>& ids, const SipKey& key) {
  if (++rpcs_ > kMostDontWants) return;
  const std::size_t taken = std::min(ids.size(), kMostDontWantIds);
  for (std::size_t i = 0; i < taken; ++i) by_beat_.front().insert(sip_hash(key, ids[i]));
}

bool DontWants::contains(const SipHash& id) const {
  return std::ranges::any_of(by_beat_, [&](const auto& beat) { return beat.contains(id); });
}

bool DontWants::shift() {
  rpcs_ = 0;
  std::ranges::rotate(by_beat_, by_beat_.end() - 1);
  by_beat_.front().clear();
  return std::ranges::all_of(by_beat_, [](const auto& beat) { return beat.empty(); });
}

}  // namespace kadmesh::gossip
