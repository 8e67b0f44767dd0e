// Who should have got which message, and who got it when: the gossip of a run from outside.
//
// A message is due at those who subscribed to its topic when it was published and have been up and
// subscribed ever since; its author is not one of them.
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
  explicit Messages(std::size_t nodes) : nodes_(nodes) {}

  // --- what happened. Times are since the start of the run.
  void subscribed(const std::string& topic, NodeIndex node, Duration at);
  void unsubscribed(const std::string& topic, NodeIndex node);
  // It does not run, or answers nothing: what is published from now on until it is back, and what
  // is on its way, it owes nobody.
  void down(NodeIndex node);
  void up(NodeIndex node, Duration at);
  void published(std::string id, const std::string& topic, const std::string& label, NodeIndex node,
                 Duration at);
  // `from`: who handed it on, as far as it is a node of ours.
  void delivered(const std::string& id, NodeIndex node, std::optional<NodeIndex> from, Duration at);

  // --- what came of it
  struct Wanted {
    std::string of;     // topic or label; empty for all
    std::string topic;  // and this one, unless empty
    std::optional<Duration> within;
    std::vector<bool> who;  // of these; all, when empty
  };
  struct Delivery {
    std::uint64_t messages = 0, due = 0, got = 0, late = 0, twice = 0;
    Duration slowest{};
    std::string missing;                        // one that is: "message 3 of alice at 5"
    std::optional<std::uint64_t> fewest, most;  // messages a node that any were due at
  };
  Delivery judge(const Wanted& wanted, const Population& population) const;

  std::uint64_t count() const { return messages_.size(); }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t delivered_twice() const { return twice_; }
  const Histogram& latency() const { return latency_; }  // us
  const Histogram& hops() const { return hops_; }
  std::vector<std::string> topics_of(NodeIndex node) const;  // that it wants, up or not

 private:
  static constexpr std::uint32_t kNotYet = std::numeric_limits<std::uint32_t>::max();
  static constexpr Duration kGone = Duration::max();

  struct Message {
    const std::string* topic;
    std::string label;
    NodeIndex author;
    Duration at;
    std::vector<std::uint32_t> took;  // us, by node
    std::vector<std::uint8_t> hops;
    std::uint64_t twice = 0;
  };
  // Since when, by node; kGone: it does not.
  using Since = std::vector<Duration>;

  bool due(const Message& message, const Since& subscribed, NodeIndex node) const;
  void judge(const Message& message, const Wanted& wanted, const Population& population,
             std::vector<std::pair<bool, std::uint64_t>>& by_node, Delivery& out) const;

  std::size_t nodes_;
  std::map<std::string, Since> topics_;
  Since up_ = Since(nodes_, Duration::zero());
  std::vector<Message> messages_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::uint64_t deliveries_ = 0, twice_ = 0;
  Histogram latency_, hops_;
};

}  // namespace kadmesh::kadsim
