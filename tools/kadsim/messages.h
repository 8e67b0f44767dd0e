// Who should have got which message, and who got it when: the gossip of a run from outside.
//
// Who a message is due at is fixed when it is published: those who are up then and subscribe to its
// topic, but for its author. Only who goes down, stands still or unsubscribes so soon after that it
// might not have had the time drops out again.
//
// A node hears of each message once a life: a process that was started again may be told anew.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "kadsim/histogram.h"
#include "kadsim/selector.h"

namespace kadmesh::kadsim {

class Messages {
 public:
  // So long a message may take when nobody says how long.
  static constexpr Duration kUsually = std::chrono::seconds(10);
  static constexpr NodeIndex kStranger = std::numeric_limits<NodeIndex>::max();

  // Nobody is up.
  explicit Messages(std::size_t nodes) : nodes_(nodes) {}

  // --- what happened. Times are since the start of the run, and never go back.
  void subscribed(const std::string& topic, NodeIndex node);
  void unsubscribed(const std::string& topic, NodeIndex node, Duration at);
  // It does not run, or answers nothing.
  void down(NodeIndex node, Duration at);
  void up(NodeIndex node);    // as it was before
  void born(NodeIndex node);  // a new life, that has heard of nothing
  struct Publication {
    std::string id, topic, label;
    NodeIndex author = 0;
    std::uint64_t digest = 0;  // of its data
  };
  void published(Publication message, Duration at);
  struct Arrival {
    std::string id, topic;
    std::optional<NodeIndex> author;  // none: unsigned. kStranger: none of ours
    std::uint64_t digest = 0;
    std::optional<NodeIndex> from;  // who handed it on, as far as it is a node of ours
  };
  void delivered(const Arrival& message, NodeIndex node, Duration at);

  // --- what came of it
  struct Wanted {
    std::string of;     // topic or label; empty for all
    std::string topic;  // and this one, unless empty
    std::optional<Duration> within;
    std::vector<bool> who;  // of these; all, when empty
  };
  struct Delivery {
    // `subscribers`: how many of the messages' subscribers there were, up or not; `due` at those
    // who were up, and stayed.
    std::uint64_t messages = 0, subscribers = 0, due = 0, got = 0, late = 0, twice = 0;
    Duration slowest{};
    std::string missing;                        // one that is: "message 3 of alice at 5"
    std::optional<std::uint64_t> fewest, most;  // messages a node that any were due at
  };
  Delivery judge(const Wanted& wanted, const Population& population) const;

  std::uint64_t count() const { return messages_.size(); }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t delivered_twice() const { return twice_; }
  // Empty, or the first that came and that nobody sent like that.
  std::string unsent(const Population& population) const;
  const Histogram& latency() const { return latency_; }  // us
  const Histogram& hops() const { return hops_; }
  std::vector<std::string> topics_of(NodeIndex node) const;  // that it wants, up or not

 private:
  static constexpr std::uint32_t kNotYet = std::numeric_limits<std::uint32_t>::max();

  struct Topic {
    std::vector<bool> wanted;                 // by node
    std::vector<std::vector<Duration>> ends;  // when it wanted it no longer; ascending
  };
  struct Message {
    Publication said;
    const Topic* topic;
    Duration at;
    std::vector<bool> subscriber, due;  // by node, when it was published
    std::vector<std::uint32_t> took{};  // us, by node
    std::vector<std::uint8_t> hops{};
    std::vector<std::uint16_t> life{};  // of the node, that it came to last
    std::uint64_t twice = 0;
  };
  struct Unsent {
    NodeIndex node;
    Duration at;
    std::string what;
  };

  Topic& topic(const std::string& name);
  bool due(const Message& message, NodeIndex node, Duration within) const;
  const char* unlike(const Arrival& arrival, const Message* message) const;
  void judge(const Message& message, const Wanted& wanted, const Population& population,
             std::vector<std::pair<bool, std::uint64_t>>& by_node, Delivery& out) const;

  std::size_t nodes_;
  std::map<std::string, Topic> topics_;
  std::vector<bool> up_ = std::vector<bool>(nodes_);
  std::vector<std::uint16_t> life_ = std::vector<std::uint16_t>(nodes_);
  std::vector<std::vector<Duration>> downs_ = std::vector<std::vector<Duration>>(nodes_);
  std::vector<Message> messages_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::uint64_t deliveries_ = 0, twice_ = 0;
  std::optional<Unsent> unsent_;
  Histogram latency_, hops_;
};

}  // namespace kadmesh::kadsim
