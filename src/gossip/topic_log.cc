#include "gossip/topic_log.h"

#include <algorithm>

namespace kadmesh::gossip {
namespace {

constexpr std::size_t kNumber = 8;  // bytes

void put_number(Bytes& out, std::uint64_t number) {
  for (std::size_t i = kNumber; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> 8 * i));
}

std::uint64_t number_from(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes.first(kNumber)) number = number << 8 | byte;
  return number;
}

}  // namespace

bool TopicLog::add(const Topic& topic, const MessageId& id, Bytes message, Time now) {
  Entry entry{next_, id, std::move(message), now};
  if (weight(entry) > std::min(limits_.topic_bytes, limits_.bytes) || limits_.topic_messages == 0)
    return false;
  Log& log = logs_[topic];
  if (!log.ids.insert(id).second) return false;
  ++next_;
  log.bytes += weight(entry);
  bytes_ += weight(entry);
  log.entries.push_back(std::move(entry));
  trim(log, now);
  while (bytes_ > limits_.bytes) drop_oldest(largest());
  return true;
}

bool TopicLog::contains(const Topic& topic, const MessageId& id) const {
  const auto at = logs_.find(topic);
  return at != logs_.end() && at->second.ids.contains(id);
}

void TopicLog::forget(const Topic& topic) {
  const auto at = logs_.find(topic);
  if (at == logs_.end()) return;
  bytes_ -= at->second.bytes;
  logs_.erase(at);
}

void TopicLog::drop_oldest(Log& log) {
  const Entry& oldest = log.entries.front();
  log.bytes -= weight(oldest);
  bytes_ -= weight(oldest);
  log.dropped = oldest.number;
  log.ids.erase(oldest.id);
  log.entries.pop_front();
}

void TopicLog::trim(Log& log, Time now) {
  const auto too_much = [&] {
    return log.entries.size() > limits_.topic_messages || log.bytes > limits_.topic_bytes ||
           after(log.entries.front().since, limits_.age) <= now;
  };
  while (!log.entries.empty() && too_much()) drop_oldest(log);
}

// Somebody holds something, or nothing would be too much.
TopicLog::Log& TopicLog::largest() {
  return std::ranges::max_element(logs_, {}, [](const auto& entry) { return entry.second.bytes; })
      ->second;
}

std::optional<std::uint64_t> TopicLog::number_of(ByteView cursor) const {
  if (cursor.empty()) return 0;
  if (cursor.size() != 2 * kNumber || number_from(cursor) != epoch_) return std::nullopt;
  const std::uint64_t number = number_from(cursor.subspan(kNumber));
  return number < next_ ? std::optional(number) : std::nullopt;
}

Bytes TopicLog::cursor(std::uint64_t number) const {
  Bytes out;
  out.reserve(2 * kNumber);
  put_number(out, epoch_);
  put_number(out, number);
  return out;
}

std::optional<BackfillPage> TopicLog::page(const BackfillQuestion& question, Time now) {
  const auto told = number_of(question.after);
  if (!told) return std::nullopt;
  BackfillPage page;
  page.next = cursor(*told);
  const auto at = logs_.find(question.topic);
  if (at == logs_.end()) return page;
  Log& log = at->second;
  trim(log, now);
  page.gap = !question.after.empty() && *told < log.dropped;
  auto next = std::ranges::upper_bound(log.entries, *told, {}, &Entry::number);
  for (std::size_t bytes = 0; next != log.entries.end(); ++next) {
    bytes += next->message.size();
    const bool full = page.messages.size() >= question.most_messages || bytes > question.most_bytes;
    if (full && !page.messages.empty()) break;
    page.messages.push_back(next->message);
    page.next = cursor(next->number);
  }
  page.more = next != log.entries.end();
  return page;
}

std::size_t TopicLog::messages() const {
  std::size_t count = 0;
  for (const auto& [topic, log] : logs_) count += log.entries.size();
  return count;
}

}  // namespace kadmesh::gossip
