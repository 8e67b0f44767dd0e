// What topics have said, in memory, for those who ask afterwards: accepted messages in the order in
// which they were accepted here. Bounded in messages and bytes, of a topic and of all, and in age;
// the oldest leave first, of the largest topic when all together are too much.
//
//   cursor  epoch (8 bytes, drawn when the log began) ‖ number of the last message told (8 bytes).
//           One of another epoch is unknown: its numbers were other messages.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "base/turn.h"
#include "gossip/backfill_wire.h"
#include "gossip/order.h"

namespace kadmesh::gossip {

struct TopicLogLimits {
  std::size_t topic_messages, topic_bytes, bytes;
  Duration age;
};

class TopicLog {
 public:
  // What an entry weighs beside its message: its id, twice, and what holds them.
  static constexpr std::size_t kEntry = 256;

  TopicLog(const TopicLogLimits& limits, std::uint64_t epoch) : limits_(limits), epoch_(epoch) {}

  // False when it is there already, or can never be.
  bool add(const Topic& topic, const MessageId& id, Bytes message, Time now);
  bool contains(const Topic& topic, const MessageId& id) const;
  void forget(const Topic& topic);
  // None: the cursor is not of this log. A topic that nothing is kept of has an empty page. At
  // least one message if there is any, however large.
  std::optional<BackfillPage> page(const BackfillQuestion& question, Time now);

  std::size_t messages() const;
  std::size_t bytes() const { return bytes_; }  // kEntry for each included

 private:
  struct Entry {
    std::uint64_t number;
    MessageId id;
    Bytes message;
    Time since;
  };
  struct Log {
    std::deque<Entry> entries;  // oldest first
    std::set<MessageId, ByText> ids;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;  // the number of the latest that is no longer kept
  };

  static std::size_t weight(const Entry& entry) { return entry.message.size() + kEntry; }
  void drop_oldest(Log& log);
  void trim(Log& log, Time now);
  Log& largest();
  std::optional<std::uint64_t> number_of(ByteView cursor) const;
  Bytes cursor(std::uint64_t number) const;

  TopicLogLimits limits_;
  std::uint64_t epoch_;
  std::uint64_t next_ = 1;
  std::size_t bytes_ = 0;
  std::map<Topic, Log> logs_;
};

}  // namespace kadmesh::gossip
