#include "replay/recorded_node.h"

namespace kadmesh {
namespace {

// The start is written down first: a node may die of its configuration.
std::optional<Recorder> started(std::optional<Recorder> recorder, const CaptureStart& start) {
  if (recorder) recorder->start(start);
  return recorder;
}

}  // namespace

RecordedNode::RecordedNode(const KeyPair& identity, NodeConfig config, const Rng::Key& luck,
                           Now now, std::optional<Recorder> recorder)
    : recorder_(started(std::move(recorder), {identity, luck, now, config})),
      rng_(luck),
      node_(identity, std::move(config), Turn{now, rng_}) {}

RecordedNode::~RecordedNode() {
  if (recorder_) recorder_->finish();
}

std::optional<NodeAction> RecordedNode::poll() {
  auto action = node_.poll();
  if (recorder_) recorder_->polled(action);
  return action;
}

}  // namespace kadmesh
