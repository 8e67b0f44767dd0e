#include "gossip/outbox.h"

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

void Outbox::offer(const Topic& topic, const std::function<bool(const Kept&)>& takes) {
  std::erase_if(kept_, [&](const Kept& kept) {
    const bool taken = kept.topic == topic && takes(kept);
    if (taken) bytes_ -= kept.frame->size();
    return taken;
  });
}

std::vector<Outbox::Kept> Outbox::expire(Time now) {
  std::vector<Kept> over;
  for (; !kept_.empty() && kept_.front().until <= now; kept_.pop_front()) {
    bytes_ -= kept_.front().frame->size();
    over.push_back(std::move(kept_.front()));
  }
  return over;
}

}  // namespace kadmesh::gossip
