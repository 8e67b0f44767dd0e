#include "kadsim/messages.h"

#include <algorithm>

namespace kadmesh::kadsim {

void Messages::subscribed(const std::string& topic, NodeIndex node, Duration at) {
  Duration& since = topics_.try_emplace(topic, nodes_, kGone).first->second.at(node);
  since = std::min(since, at);
}

void Messages::unsubscribed(const std::string& topic, NodeIndex node) {
  if (const auto found = topics_.find(topic); found != topics_.end())
    found->second.at(node) = kGone;
}

void Messages::down(NodeIndex node) { up_.at(node) = kGone; }
void Messages::up(NodeIndex node, Duration at) { up_.at(node) = std::min(up_.at(node), at); }

void Messages::published(std::string id, const std::string& topic, const std::string& label,
                         NodeIndex node, Duration at) {
  const auto place = topics_.try_emplace(topic, nodes_, kGone).first;
  if (!by_id_.try_emplace(std::move(id), messages_.size()).second) return;
  messages_.push_back({&place->first, label, node, at, std::vector<std::uint32_t>(nodes_, kNotYet),
                       std::vector<std::uint8_t>(nodes_, 0)});
}

void Messages::delivered(const std::string& id, NodeIndex node, std::optional<NodeIndex> from,
                         Duration at) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  Message& message = messages_[found->second];
  if (message.took.at(node) != kNotYet) {
    ++message.twice;
    ++twice_;
    return;
  }
  const auto us = static_cast<std::uint64_t>((at - message.at) / 1us);
  message.took[node] = static_cast<std::uint32_t>(std::min<std::uint64_t>(us, kNotYet - 1));
  const unsigned before = from ? message.hops.at(*from) : 0;
  message.hops[node] = static_cast<std::uint8_t>(std::min(before + 1, 255U));
  ++deliveries_;
  latency_.add(us);
  hops_.add(message.hops[node]);
}

bool Messages::due(const Message& message, const Since& subscribed, NodeIndex node) const {
  return node != message.author && subscribed[node] <= message.at && up_[node] <= message.at;
}

void Messages::judge(const Message& message, const Wanted& wanted, const Population& population,
                     std::vector<std::pair<bool, std::uint64_t>>& by_node, Delivery& out) const {
  ++out.messages;
  out.twice += message.twice;
  const Since& subscribed = topics_.at(*message.topic);
  for (NodeIndex node = 0; node < nodes_; ++node) {
    if (!wanted.who.empty() && !wanted.who[node]) continue;
    if (message.took[node] != kNotYet) ++by_node[node].second;
    if (!due(message, subscribed, node)) continue;
    by_node[node].first = true;
    ++out.due;
    const bool got = message.took[node] != kNotYet;
    const Duration took = std::chrono::microseconds(message.took[node]);
    if (got) out.slowest = std::max(out.slowest, took);
    if (got && (!wanted.within || took <= *wanted.within)) {
      ++out.got;
      continue;
    }
    if (got) ++out.late;
    if (out.missing.empty())
      out.missing = "message " + std::to_string(&message - messages_.data() + 1) + " of " +
                    population.name(message.author) + (got ? " late" : " missing") + " at " +
                    population.name(node);
  }
}

Messages::Delivery Messages::judge(const Wanted& wanted, const Population& population) const {
  Delivery out;
  std::vector<std::pair<bool, std::uint64_t>> by_node(nodes_);
  for (const Message& message : messages_)
    if ((wanted.of.empty() || wanted.of == *message.topic || wanted.of == message.label) &&
        (wanted.topic.empty() || wanted.topic == *message.topic))
      judge(message, wanted, population, by_node, out);
  for (const auto& [due, got] : by_node) {
    if (!due) continue;
    out.fewest = std::min(out.fewest.value_or(got), got);
    out.most = std::max(out.most.value_or(got), got);
  }
  return out;
}

std::vector<std::string> Messages::topics_of(NodeIndex node) const {
  std::vector<std::string> out;
  for (const auto& [topic, since] : topics_)
    if (since[node] != kGone) out.push_back(topic);
  return out;
}

}  // namespace kadmesh::kadsim
