#include "gossip/delivery_records.h"

#include <algorithm>

namespace kadmesh::gossip {

DeliveryRecords::Record& DeliveryRecords::begin(const SipHash& message, Time now) {
  const auto [at, fresh] = records_.try_emplace(message);
  Record& record = at->second;
  forget_senders(record);
  if (fresh || record.since != now) oldest_first_.push_back({now, message});
  record.since = now;
  record.status = Status::unknown;
  shrink_to(most_, record);
  return record;
}

DeliveryRecords::Record* DeliveryRecords::find(const SipHash& message) {
  const auto at = records_.find(message);
  return at == records_.end() ? nullptr : &at->second;
}

bool DeliveryRecords::add_sender(Record& record, const PeerId& peer) {
  const auto at = std::ranges::lower_bound(record.senders, peer);
  if (at != record.senders.end() && *at == peer) return false;
  shrink_to(most_ - 1, record);
  if (size() >= most_) return false;
  record.senders.insert(at, peer);
  ++senders_;
  return true;
}

void DeliveryRecords::forget_senders(Record& record) {
  senders_ -= record.senders.size();
  record.senders = {};
}

void DeliveryRecords::expire(Time now) {
  while (!oldest_first_.empty() && after(oldest_first_.front().since, ttl_) <= now) forget_oldest();
}

void DeliveryRecords::shrink_to(std::size_t most, const Record& keep) {
  const auto is_kept = [&](const Entry& entry) {
    return entry.since == keep.since && find(entry.message) == &keep;
  };
  while (size() > most && !is_kept(oldest_first_.front())) forget_oldest();
}

void DeliveryRecords::forget_oldest() {
  const Entry entry = oldest_first_.front();
  oldest_first_.pop_front();
  const auto at = records_.find(entry.message);
  if (at == records_.end() || at->second.since != entry.since) return;  // it began anew
  senders_ -= at->second.senders.size();
  records_.erase(at);
}

}  // namespace kadmesh::gossip
