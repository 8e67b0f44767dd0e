// [gossip.scores] of a scenario: what peers are judged by, from a preset on.
#pragma once

#include <optional>
#include <string_view>

#include "gossip/score_presets.h"
#include "kadsim/fields.h"

namespace kadmesh::kadsim {

// The parameters of the evaluation report (arXiv 2007.02754), by the configuration that its authors
// published: github.com/libp2p/gossipsub-hardening, scripts/configs/1k.json. They know no P7.
Scoring report_scores();

// Table "scores" of `fields`; what it does not name is the preset's, and without a preset what
// `scoring` has. The parameters of a topic are those of every topic.
void read_scores(std::string_view file, Fields& fields, std::optional<Scoring>& scoring);

}  // namespace kadmesh::kadsim
