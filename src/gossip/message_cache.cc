#include "gossip/message_cache.h"

#include <algorithm>

#include "gossip/params.h"

namespace kadmesh::gossip {

MessageCache::MessageCache(std::size_t windows, std::size_t told, const SipKey& key)
    : told_(std::min(told, windows)), key_(key), windows_(std::max<std::size_t>(windows, 1)) {}

void MessageCache::put(const MessageId& id, const Topic& topic, Frame frame) {
  const std::size_t size = frame->size();
  if (!by_id_.try_emplace(digest(id), Entry{topic, std::move(frame), {}}).second) return;
  bytes_ += size;
  windows_.front().push_back(id);
  while (by_id_.size() > kMostCached || bytes_ > kMostCachedBytes) drop_oldest_message();
}

MessageCache::Frame MessageCache::serve(const MessageId& id, const PeerId& peer) {
  const auto at = by_id_.find(digest(id));
  if (at == by_id_.end()) return nullptr;
  std::size_t& served = at->second.served[peer];
  return served++ < kMostServed ? at->second.frame : nullptr;
}

std::map<Topic, std::vector<MessageId>> MessageCache::told() const {
  std::map<Topic, std::vector<MessageId>> out;
  for (std::size_t i = 0; i < told_; ++i)
    for (const MessageId& id : windows_[i]) out[by_id_.at(digest(id)).topic].push_back(id);
  return out;
}

void MessageCache::shift() {
  for (const MessageId& id : windows_.back()) erase(id);
  windows_.pop_back();
  windows_.emplace_front();
}

void MessageCache::drop_oldest_message() {
  const auto oldest = std::find_if(windows_.rbegin(), windows_.rend(),
                                   [](const auto& window) { return !window.empty(); });
  erase(oldest->front());
  oldest->pop_front();
}

void MessageCache::erase(const MessageId& id) {
  const auto at = by_id_.find(digest(id));
  bytes_ -= at->second.frame->size();
  by_id_.erase(at);
}

}  // namespace kadmesh::gossip
