#include "kadsim/messages.h"

#include <algorithm>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {

namespace {

// Whether any of the ascending times lies between the two, both included.
bool any_between(const std::vector<Duration>& times, Duration from, Duration until) {
  const auto first = std::ranges::lower_bound(times, from);
  return first != times.end() && *first <= until;
}

}  // namespace

// --- what happened
Messages::Topic& Messages::topic(const std::string& name) {
  const auto place = topics_.try_emplace(name).first;
  place->second.wanted.resize(nodes_);
  place->second.ends.resize(nodes_);
  return place->second;
}

void Messages::subscribed(const std::string& name, NodeIndex node) {
  topic(name).wanted.at(node) = true;
}

void Messages::unsubscribed(const std::string& name, NodeIndex node, Duration at) {
  Topic& left = topic(name);
  if (!left.wanted.at(node)) return;
  left.wanted[node] = false;
  left.ends[node].push_back(at);
}

void Messages::down(NodeIndex node, Duration at) {
  if (!up_.at(node)) return;
  up_[node] = false;
  downs_[node].push_back(at);
}

void Messages::up(NodeIndex node) { up_.at(node) = true; }

void Messages::born(NodeIndex node) {
  ++life_.at(node);
  up(node);
}

void Messages::published(Publication said, Duration at) {
  const Topic& where = topic(said.topic);
  if (!by_id_.try_emplace(said.id, messages_.size()).second) return;
  Message message{std::move(said), &where, at, where.wanted, where.wanted};
  message.subscriber[message.said.author] = false;
  for (NodeIndex node = 0; node < nodes_; ++node)
    message.due[node] = message.subscriber[node] && up_[node];
  message.took.assign(nodes_, kNotYet);
  message.hops.assign(nodes_, 0);
  message.life.assign(nodes_, 0);
  messages_.push_back(std::move(message));
}

// Null when it came as it was sent.
const char* Messages::unlike(const Arrival& arrival, const Message* message) const {
  if (!message) return "which has an id that no message has";
  if (arrival.topic != message->said.topic) return "which was sent on another topic";
  if (arrival.author && *arrival.author != message->said.author) return "which somebody else sent";
  return arrival.digest == message->said.digest ? nullptr : "whose data was another";
}

void Messages::delivered(const Arrival& arrival, NodeIndex node, Duration at) {
  const auto found = by_id_.find(arrival.id);
  Message* message = found == by_id_.end() ? nullptr : &messages_[found->second];
  if (const char* wrong = unlike(arrival, message)) {
    if (!unsent_) unsent_ = Unsent{node, at, wrong};
    return;
  }
  const bool again = message->took.at(node) != kNotYet;
  if (again && message->life[node] == life_[node]) {
    ++message->twice;
    ++twice_;
  }
  message->life[node] = life_[node];
  if (again) return;
  const auto us = static_cast<std::uint64_t>((at - message->at) / 1us);
  message->took[node] = static_cast<std::uint32_t>(std::min<std::uint64_t>(us, kNotYet - 1));
  const unsigned before = arrival.from ? message->hops.at(*arrival.from) : 0;
  message->hops[node] = static_cast<std::uint8_t>(std::min(before + 1, 255U));
  ++deliveries_;
  latency_.add(us);
  hops_.add(message->hops[node]);
}

// --- what came of it
bool Messages::due(const Message& message, NodeIndex node, Duration within) const {
  const Duration until = message.at + within;
  return message.due[node] && !any_between(downs_[node], message.at, until) &&
         !any_between(message.topic->ends[node], message.at, until);
}

void Messages::judge(const Message& message, const Wanted& wanted, const Population& population,
                     std::vector<std::pair<bool, std::uint64_t>>& by_node, Delivery& out) const {
  ++out.messages;
  out.twice += message.twice;
  for (NodeIndex node = 0; node < nodes_; ++node) {
    if (!wanted.who.empty() && !wanted.who[node]) continue;
    const bool got = message.took[node] != kNotYet;
    if (got) ++by_node[node].second;
    if (message.subscriber[node]) ++out.subscribers;
    if (!due(message, node, wanted.within.value_or(kUsually))) continue;
    by_node[node].first = true;
    ++out.due;
    const Duration took = std::chrono::microseconds(message.took[node]);
    if (got) out.slowest = std::max(out.slowest, took);
    if (got && (!wanted.within || took <= *wanted.within)) {
      ++out.got;
      continue;
    }
    if (got) ++out.late;
    if (out.missing.empty())
      out.missing = "message " + std::to_string(&message - messages_.data() + 1) + " of " +
                    population.name(message.said.author) + (got ? " late" : " missing") + " at " +
                    population.name(node);
  }
}

std::string Messages::unsent(const Population& population) const {
  if (!unsent_) return {};
  return population.name(unsent_->node) + " got one at " + to_text(unsent_->at) + " " +
         unsent_->what;
}

Messages::Delivery Messages::judge(const Wanted& wanted, const Population& population) const {
  Delivery out;
  std::vector<std::pair<bool, std::uint64_t>> by_node(nodes_);
  for (const Message& message : messages_)
    if ((wanted.of.empty() || wanted.of == message.said.topic || wanted.of == message.said.label) &&
        (wanted.topic.empty() || wanted.topic == message.said.topic))
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
  for (const auto& [name, topic] : topics_)
    if (topic.wanted[node]) out.push_back(name);
  return out;
}

}  // namespace kadmesh::kadsim
