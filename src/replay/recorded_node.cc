#include "replay/recorded_node.h"

#include "base/check.h"

namespace kadmesh {
namespace {

// What a redacted capture builds the node from: all that is above Noise is as it was.
NodeConfig shown(NodeConfig config) {
  config.swarm.security = Security::replay;
  config.swarm.noise_luck = Rng::Key{};
  config.swarm.plain_forms = false;
  return config;
}

NodeConfig run(NodeConfig config, const std::optional<Recorder>& recorder) {
  if (!recorder || !recorder->redacts()) return config;
  KAD_CHECK(config.swarm.noise_luck);  // or the luck that is recorded makes the keys
  config.swarm.plain_forms = true;
  return config;
}

CaptureStart start_of(const KeyPair& identity, const NodeConfig& config, const Rng::Key& luck,
                      Now now, bool redacted) {
  if (!redacted) return {identity, luck, now, config};
  return {identity.public_key(), luck, now, shown(config)};
}

// The start is written down first: a node may die of its configuration.
std::optional<Recorder> started(std::optional<Recorder> recorder, const KeyPair& identity,
                                const NodeConfig& config, const Rng::Key& luck, Now now) {
  if (recorder) recorder->start(start_of(identity, config, luck, now, recorder->redacts()));
  return recorder;
}

KeyPair watched(const KeyPair& identity, std::optional<Recorder>& recorder) {
  if (!recorder || !recorder->redacts()) return identity;
  return KeyPair::signed_by(identity.public_key(), [identity, &recorder](ByteView message) {
    Bytes signature = identity.sign(message);
    recorder->signed_with(signature);
    return signature;
  });
}

}  // namespace

RecordedNode::RecordedNode(const KeyPair& identity, NodeConfig config, const Rng::Key& luck,
                           Now now, std::optional<Recorder> recorder)
    : recorder_(started(std::move(recorder), identity, config, luck, now)),
      rng_(luck),
      node_(watched(identity, recorder_), run(std::move(config), recorder_), Turn{now, rng_}) {}

RecordedNode::~RecordedNode() {
  if (recorder_) recorder_->finish();
}

std::optional<NodeAction> RecordedNode::poll() {
  auto action = node_.poll();
  if (!recorder_) return action;
  auto* write = action ? std::get_if<WritePipe>(&*action) : nullptr;
  if (write && recorder_->redacts())
    recorder_->polled(WritePipe{write->id, std::exchange(write->form, {})});
  else
    recorder_->polled(action);
  return action;
}

}  // namespace kadmesh
