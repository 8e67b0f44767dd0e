// A node that is driven by values alone, so that all of them can be recorded. Nothing else reaches
// it: the node inside is const for everybody, and its luck starts from a key that is recorded.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "node/input.h"
#include "replay/recorder.h"

namespace kadmesh {

class RecordedNode {
 public:
  // Without a recorder nothing is written down. `config` must then be recordable()
  // (replay/code_names.h). Where it redacts, `config` has a luck of Noise's own, from elsewhere.
  RecordedNode(const KeyPair& identity, NodeConfig config, const Rng::Key& luck, Now now,
               std::optional<Recorder> recorder);
  ~RecordedNode();

  const Node& operator*() const { return node_; }
  const Node* operator->() const { return &node_; }

  // One input, which is what the node's method of that name returns.
  template <class Input>
  auto apply(Now now, Input input) {
    if (recorder_) recorder_->input(now, NodeInput(input));
    const Turn turn{now, rng_};
    if constexpr (std::is_same_v<Input, input::Received>) {
      input.apply(node_, turn);
      if (recorder_) recorder_->opened(node_.take_opened_form());
    } else if constexpr (std::is_void_v<decltype(input.apply(node_, turn))>) {
      input.apply(node_, turn);
    } else {
      auto answer = input.apply(node_, turn);
      if (recorder_) recorder_->answered(NodeAnswer(answer));
      return answer;
    }
  }
  std::optional<NodeAction> poll();

  // Once recording has stopped: whoever holds the capture knows the luck it began with, and so all
  // that would have come of it, later sessions' keys among it.
  void renew_luck(const Rng::Key& luck) { rng_ = Rng(luck); }

  Recorder* recorder() { return recorder_ ? &*recorder_ : nullptr; }

 private:
  std::optional<Recorder> recorder_;
  Rng rng_;
  Node node_;
};

}  // namespace kadmesh
