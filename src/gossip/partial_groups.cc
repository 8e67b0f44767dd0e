#include "gossip/partial_groups.h"

#include <algorithm>

#include "gossip/params.h"

namespace kadmesh::gossip {

void PartialGroups::ours(const Topic& topic, const Bytes& group) {
  Group& known = groups_.try_emplace({topic, group}, Group{}).first->second;
  known.beats_left = kGroupBeats;
  known.begun_by.reset();
}

void PartialGroups::told(const Topic& topic, const Bytes& group, const PeerId& peer) {
  if (const auto at = groups_.find({topic, group}); at != groups_.end())
    at->second.told.insert(peer);
}

bool PartialGroups::theirs(const Topic& topic, const Bytes& group, const PeerId& peer) {
  if (!groups_.contains({topic, group})) {
    if (!may_begin(topic, peer)) return false;
    groups_.emplace(Key{topic, group}, Group{.beats_left = kGroupBeats, .begun_by = peer});
  }
  told(topic, group, peer);
  return true;
}

bool PartialGroups::may_begin(const Topic& topic, const PeerId& peer) const {
  std::size_t of_topic = 0, of_peer = 0;
  for (const auto& [key, group] : groups_) {
    if (!group.begun_by) continue;
    of_topic += key.topic == topic ? 1U : 0U;
    of_peer += *group.begun_by == peer ? 1U : 0U;
  }
  return of_topic < kMostGroupsOfTopic && of_peer < kMostGroupsOfPeer;
}

std::vector<PartialGroups::Offer> PartialGroups::offers(const Topic& topic,
                                                        const std::vector<PeerId>& peers) {
  std::vector<Offer> all;
  for (auto& [key, group] : groups_) {
    if (key.topic != topic || group.begun_by) continue;
    Offer offer{key.group, {}};
    for (const PeerId& peer : peers)
      if (group.told.insert(peer).second) offer.peers.push_back(peer);
    if (!offer.peers.empty()) all.push_back(std::move(offer));
  }
  return all;
}

// Groups that it began die with it.
void PartialGroups::forget(const PeerId& peer) {
  std::erase_if(groups_, [&](const auto& entry) { return entry.second.begun_by == peer; });
  for (auto& [key, group] : groups_) group.told.erase(peer);
}

void PartialGroups::heartbeat() {
  std::erase_if(groups_, [](const auto& entry) { return entry.second.beats_left == 0; });
  for (auto& [key, group] : groups_) --group.beats_left;
}

}  // namespace kadmesh::gossip
