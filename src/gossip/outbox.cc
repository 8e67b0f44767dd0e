#include "gossip/outbox.h"

#include <algorithm>

#include "gossip/params.h"

namespace kadmesh::gossip {

bool Outbox::has_room(std::size_t bytes) const {
  return kept_.size() < most_ && bytes_ + bytes <= kMostOutboxBytes;
}

void Outbox::keep(const Topic& topic, const MessageId& id, std::shared_ptr<const Bytes> frame,
                  Time now) {
  bytes_ += frame->size();
  kept_.push_back({topic, id, std::move(frame), after(now, ttl_)});
}

std::vector<Outbox::Kept> Outbox::take_if(auto&& which) {
  std::vector<Kept> taken;
  for (Kept& kept : kept_)
    if (which(kept)) taken.push_back(kept);
  std::erase_if(kept_, which);
  for (const Kept& kept : taken) bytes_ -= kept.frame->size();
  return taken;
}

std::vector<Outbox::Kept> Outbox::take(const Topic& topic) {
  if (kept_.empty()) return {};
  return take_if([&](const Kept& kept) { return kept.topic == topic; });
}

std::vector<Outbox::Kept> Outbox::expire(Time now) {
  if (kept_.empty() || kept_.front().until > now) return {};
  return take_if([&](const Kept& kept) { return kept.until <= now; });
}

}  // namespace kadmesh::gossip
