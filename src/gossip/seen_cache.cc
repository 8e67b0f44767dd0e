#include "gossip/seen_cache.h"

namespace kadmesh::gossip {

bool SeenCache::add(const SipHash& id, Time now) {
  if (!known_.insert(id).second) return false;
  oldest_first_.push_back({now, id});
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
