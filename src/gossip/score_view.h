// A peer's score as it is told to those who ask why.
#pragma once

#include <vector>

#include "base/time.h"
#include "gossip/message.h"

namespace kadmesh {

// A parameter of the score, and what it is worth: all its weights applied.
struct ScorePart {
  double value = 0;
  double score = 0;
};
struct TopicScoreView {
  Topic topic;
  bool in_mesh = false;
  Duration time_in_mesh{};  // as of the last refresh
  ScorePart p1, p2, p3, p3b, p4;
  double score = 0;  // of the topic
};
// A peer's score by component.
struct ScoreView {
  bool connected = false;  // or only retained
  double score = 0;
  std::vector<TopicScoreView> topics;  // ordered; those with something to say
  double topics_score = 0;             // their sum, capped
  ScorePart application, colocation, behaviour, slow;
};

}  // namespace kadmesh
