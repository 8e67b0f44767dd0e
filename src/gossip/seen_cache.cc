#include "gossip/seen_cache.h"

namespace kadmesh::gossip {

bool SeenCache::add(const MessageId& id, Time now) {
  const SipHash digest = sip_hash(key_, id);
  if (!known_.insert(digest).second) return false;
  oldest_first_.push_back({now, digest});
  if (known_.size() > most_) forget_oldest();
  return true;
}

void SeenCache::expire(Time now) {
  while (!oldest_first_.empty() && after(oldest_first_.front().since, ttl_) <= now) forget_oldest();
}

void SeenCache::forget_oldest() {
  known_.erase(oldest_first_.front().digest);
  oldest_first_.pop_front();
}

}  // namespace kadmesh::gossip
