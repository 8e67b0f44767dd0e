#include "kadsim/scores.h"

#include <array>

namespace kadmesh::kadsim {
namespace {

enum class Preset { none, plain, colocation, report };

void read_number(Fields& fields, std::string_view key, double& into) {
  std::optional<double> number;
  fields.read_number(key, number);
  into = number.value_or(into);
}

void read_topic(Fields& fields, TopicScoreParams& topic) {
  for (const auto& [key, into] :
       {std::pair("weight", &topic.weight),
        std::pair("time_in_mesh_weight", &topic.time_in_mesh_weight),
        std::pair("time_in_mesh_cap", &topic.time_in_mesh_cap),
        std::pair("first_deliveries_weight", &topic.first_deliveries_weight),
        std::pair("first_deliveries_decay", &topic.first_deliveries_decay),
        std::pair("first_deliveries_cap", &topic.first_deliveries_cap),
        std::pair("mesh_deliveries_weight", &topic.mesh_deliveries_weight),
        std::pair("mesh_deliveries_decay", &topic.mesh_deliveries_decay),
        std::pair("mesh_deliveries_cap", &topic.mesh_deliveries_cap),
        std::pair("mesh_deliveries_threshold", &topic.mesh_deliveries_threshold),
        std::pair("mesh_failure_weight", &topic.mesh_failure_weight),
        std::pair("mesh_failure_decay", &topic.mesh_failure_decay),
        std::pair("invalid_weight", &topic.invalid_weight),
        std::pair("invalid_decay", &topic.invalid_decay)})
    read_number(fields, key, *into);
  for (const auto& [key, into] :
       {std::pair("time_in_mesh_quantum", &topic.time_in_mesh_quantum),
        std::pair("mesh_deliveries_window", &topic.mesh_deliveries_window),
        std::pair("mesh_deliveries_activation", &topic.mesh_deliveries_activation)})
    fields.read(key, *into);
}

void read_params(Fields& fields, ScoreParams& params) {
  for (const auto& [key, into] : {std::pair("topic_score_cap", &params.topic_score_cap),
                                  std::pair("colocation_weight", &params.colocation_weight),
                                  std::pair("behaviour_weight", &params.behaviour_weight),
                                  std::pair("behaviour_threshold", &params.behaviour_threshold),
                                  std::pair("behaviour_decay", &params.behaviour_decay),
                                  std::pair("slow_weight", &params.slow_weight),
                                  std::pair("slow_threshold", &params.slow_threshold),
                                  std::pair("slow_decay", &params.slow_decay),
                                  std::pair("decay_to_zero", &params.decay_to_zero)})
    read_number(fields, key, *into);
  fields.read("colocation_threshold", params.colocation_threshold, 1, 1'000'000);
  fields.read("decay_interval", params.decay_interval);
  fields.read("retain", params.retain);
  fields.read("silence_may_pay", params.silence_may_pay);
}

void read_thresholds(Fields& fields, ScoreThresholds& thresholds) {
  for (const auto& [key, into] :
       {std::pair("gossip", &thresholds.gossip), std::pair("publish", &thresholds.publish),
        std::pair("graylist", &thresholds.graylist), std::pair("accept_px", &thresholds.accept_px),
        std::pair("opportunistic_graft", &thresholds.opportunistic_graft)})
    read_number(fields, key, *into);
}

template <class Into, class Read>
void read_part(std::string_view file, Fields& fields, std::string_view key, Into& into, Read read) {
  const Table* table = fields.table(key);
  if (!table) return;
  Fields part(file, *table, "gossip.scores." + std::string(key), fields.value(key)->line);
  read(part, into);
  fields.join(part.done());
}

std::optional<Scoring> scores_of(Preset preset) {
  switch (preset) {
    case Preset::none:
      return std::nullopt;
    case Preset::plain:
      return plain_scores();
    case Preset::colocation:
      return Scoring{};
    case Preset::report:
      return report_scores();
  }
  return std::nullopt;
}

void read_preset(Fields& fields, std::optional<Scoring>& scoring) {
  static constexpr auto kPresets =
      std::to_array<std::pair<std::string_view, Preset>>({{"none", Preset::none},
                                                          {"plain", Preset::plain},
                                                          {"colocation", Preset::colocation},
                                                          {"report", Preset::report}});
  if (!fields.has("preset")) return;
  Preset preset{};
  fields.choose("preset", preset, std::span<const std::pair<std::string_view, Preset>>(kPresets));
  scoring = scores_of(preset);
}

}  // namespace

Scoring report_scores() {
  TopicScoreParams topic;
  topic.weight = 0.25;
  topic.time_in_mesh_weight = 0.0027;
  topic.time_in_mesh_quantum = 1s;
  topic.time_in_mesh_cap = 3600;
  topic.first_deliveries_weight = 0.664;
  topic.first_deliveries_decay = 0.9916;
  topic.first_deliveries_cap = 1500;
  topic.mesh_deliveries_weight = -0.25;
  topic.mesh_deliveries_decay = 0.997;
  topic.mesh_deliveries_cap = 400;
  topic.mesh_deliveries_threshold = 10;
  topic.mesh_deliveries_window = 5ms;
  topic.mesh_deliveries_activation = 1min;
  topic.mesh_failure_weight = -0.25;
  topic.mesh_failure_decay = 0.997;
  topic.invalid_weight = -99;
  topic.invalid_decay = 0.9994;
  Scoring scoring;
  scoring.params.default_topic = topic;
  scoring.params.topic_score_cap = 0;
  scoring.params.colocation_weight = 0;
  scoring.params.colocation_threshold = 1;
  scoring.params.behaviour_weight = 0;
  scoring.params.retain = 30s;
  scoring.thresholds = {-4000, -5000, -10000, 0, 0};
  return scoring;
}

void read_scores(std::string_view file, Fields& fields, std::optional<Scoring>& scoring) {
  const Table* table = fields.table("scores");
  if (!table) return;
  Fields part(file, *table, "gossip.scores", fields.value("scores")->line);
  read_preset(part, scoring);
  Scoring read = scoring.value_or(Scoring{});
  read_params(part, read.params);
  TopicScoreParams topic = read.params.default_topic.value_or(TopicScoreParams{});
  read_part(file, part, "topic", topic, read_topic);
  read_part(file, part, "thresholds", read.thresholds, read_thresholds);
  read.params.default_topic = topic;
  if (scoring) scoring = std::move(read);
  fields.join(part.done("scores"));
}

}  // namespace kadmesh::kadsim
