// Scores of peers whose every deed is the test's to tell.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gossip/score.h"
#include "router.h"

namespace kadmesh::testing {

// Of a topic in which nothing counts yet; a counter halves each interval, of one second.
inline TopicScoreParams still_topic() {
  TopicScoreParams topic;
  topic.first_deliveries_weight = topic.invalid_weight = 0;
  topic.first_deliveries_decay = topic.mesh_deliveries_decay = 0.5;
  topic.mesh_failure_decay = topic.invalid_decay = 0.5;
  return topic;
}

// In which nothing counts but topic "t".
inline ScoreParams only(const TopicScoreParams& topic) {
  ScoreParams params;
  params.topics["t"] = topic;
  params.default_topic.reset();
  params.topic_score_cap = 0;
  params.colocation_weight = params.behaviour_weight = 0;
  params.behaviour_decay = params.slow_decay = 0.5;
  params.silence_may_pay = true;
  return params;
}
inline ScoreParams nothing() { return only(still_topic()); }

inline std::vector<Multiaddr> addresses(const std::vector<std::string>& texts) {
  std::vector<Multiaddr> made;
  made.reserve(texts.size());
  for (const std::string& text : texts) made.push_back(Multiaddr::from_text(text).value());
  return made;
}

class Scored {
 public:
  explicit Scored(ScoreParams params) : scores(std::move(params), 120s, now) {}

  void connect(std::size_t n, const std::vector<std::string>& from = {}) {
    scores.connected(id(n), addresses(from));
  }
  void leave(std::size_t n) { scores.disconnected(id(n), now); }
  void graft(std::size_t n) { scores.grafted(id(n), "t", now); }
  void prune(std::size_t n) { scores.pruned(id(n), "t"); }
  void join(std::size_t n) { connect(n), graft(n); }
  // Time passes, and its end is a refresh.
  void wait(Duration time) {
    now = after(now, time);
    scores.refresh(now);
  }
  void pass(Duration time) { now = after(now, time); }

  // --- messages, by number
  void validate(std::size_t message) { scores.validating(digest(message), now); }
  void accept(std::size_t n, std::size_t message) {
    scores.delivered(digest(message), "t", id(n), now);
  }
  void reject(std::size_t n, std::size_t message) { scores.rejected(digest(message), "t", id(n)); }
  void ignore(std::size_t message) { scores.ignored(digest(message)); }
  void duplicate(std::size_t n, std::size_t message) {
    scores.duplicate(digest(message), "t", id(n), now);
  }
  void invalid(std::size_t n, std::size_t count = 1) {
    for (; count > 0; --count) scores.invalid(id(n), "t");
  }
  // So many new messages, which it is the first to bring and which are good.
  std::size_t bring(std::size_t n, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      validate(next_message_);
      accept(n, next_message_++);
    }
    return next_message_ - 1;
  }

  double score(std::size_t n) const { return scores.score(id(n)); }
  ScoreView view(std::size_t n) const { return scores.view(id(n)); }
  TopicScoreView topic(std::size_t n) const { return view(n).topics.at(0); }

  static SipHash digest(std::size_t message) {
    SipHash digest{};
    for (std::size_t i = 0; i < sizeof message; ++i)
      digest[i] = static_cast<std::uint8_t>(message >> (8 * i));
    return digest;
  }

  Time now{1h};
  gossip::PeerScores scores;

 private:
  std::size_t next_message_ = 1'000;
};

}  // namespace kadmesh::testing
