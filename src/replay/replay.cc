#include "replay/replay.h"

#include <deque>

#include "base/crypto.h"
#include "replay/output.h"

namespace kadmesh {
namespace {

constexpr std::string_view kNothing = "nothing more";

std::string text(const CaptureOutput& output) {
  return std::string(name_of_output(output.kind)) + " of " + std::to_string(output.size) +
         " bytes, #" + to_hex(output.digest);
}

template <class T>
std::string text(const T& value, const CaptureOutput& output) {
  return to_text(value) + " (" + text(output) + ")";
}

}  // namespace

struct Replay::State {
  explicit State(CaptureReader in) : reader(std::move(in)), rng(reader.start().luck) {}

  // Without the private key: the signatures that it made, in their order. What signs more than it
  // did then is different, and shows.
  KeyPair identity() {
    if (const auto* whole = std::get_if<KeyPair>(&reader.start().identity)) return *whole;
    return KeyPair::signed_by(std::get<PublicKey>(reader.start().identity), [this](ByteView) {
      if (signatures.empty()) return Bytes(sizeof(Ed25519Signature));
      Bytes next = std::move(signatures.front());
      signatures.pop_front();
      return next;
    });
  }

  // The next record that is no signature; those belong to the turn before it.
  std::optional<CaptureRecord> read_on() {
    signatures.clear();
    for (;;) {
      auto record = reader.next();
      auto* made = record ? std::get_if<CaptureSignature>(&*record) : nullptr;
      if (!made) return record;
      signatures.push_back(std::move(made->signature));
    }
  }

  CaptureReader reader;
  Rng rng;
  std::deque<Bytes> signatures;
  std::optional<Node> node;
  std::optional<CaptureRecord> ahead;  // read, not yet run
  bool over = false;
  std::uint64_t turns = 0, matched = 0;
  std::optional<Difference> difference;
  std::vector<std::string> lines;
  // The outputs of this turn so far.
  std::size_t seen = 0;

  const CaptureInput* input() const { return ahead ? std::get_if<CaptureInput>(&*ahead) : nullptr; }

  NodeAnswer start() {
    const CaptureStart& with = reader.start();
    node.emplace(identity(), with.config, Turn{with.now, rng});
    return std::monostate();
  }

  NodeAnswer run() {
    if (!node) return start();
    auto& turn = std::get<CaptureInput>(*ahead);
    return apply(*node, Turn{turn.now, rng}, std::move(turn.input));
  }

  void step() {
    lines.clear();
    seen = 0;
    auto following = read_on();
    const NodeAnswer answer = run();
    ++turns;
    ahead = std::move(following);
    if (const auto* recorded = ahead ? std::get_if<CaptureOutputs>(&*ahead) : nullptr)
      compare_all(*recorded, answer);
    else if (ahead)
      compare_all({{}, false}, answer);
    if (ahead && !input()) ahead = reader.next();
    over = difference || !input();
  }

  // What came of one input. Polled as often as it was then: polling is part of what a node does.
  void compare_all(const CaptureOutputs& recorded, const NodeAnswer& answer) {
    for (std::size_t i = 0; i < recorded.outputs.size() && !difference; ++i) {
      if (i == 0 && !is_nothing(answer)) {
        compare(recorded.outputs[i], answer);
      } else if (auto action = node->poll()) {
        compare(recorded.outputs[i], *action);
      } else {
        differs(text(recorded.outputs[i]), std::string(kNothing));
      }
    }
    if (difference) return;
    if (recorded.outputs.empty() && !is_nothing(answer))
      differs(std::string(kNothing), to_text(answer));
    if (recorded.drained) expect_nothing();
    if (!difference) ++matched;
  }

  void expect_nothing() {
    if (auto action = node->poll())
      differs(std::string(kNothing), text(*action, output_of(*action)));
  }

  template <class T>
  void compare(const CaptureOutput& recorded, const T& value) {
    const CaptureOutput replayed = output_of(value);
    lines.push_back(to_text(value));
    if (replayed != recorded) return differs(text(recorded), text(value, replayed));
    ++seen;
  }

  void differs(std::string recorded, std::string replayed) {
    difference = Difference{turns - 1, seen + 1, std::move(recorded), std::move(replayed)};
  }
};

Replay::Replay(std::unique_ptr<State> state) : state_(std::move(state)) {}
Replay::Replay(Replay&&) noexcept = default;
Replay::~Replay() = default;

Result<Replay> Replay::of(ByteView capture) {
  ASSIGN_OR_RETURN(CaptureReader reader, CaptureReader::open(capture));
  return Replay(std::make_unique<State>(std::move(reader)));
}

std::optional<Replay::Next> Replay::next() const {
  const State& s = *state_;
  if (s.over) return std::nullopt;
  if (!s.node) return Next{0, s.reader.start().now, nullptr};
  return Next{s.turns, s.input()->now, &s.input()->input};
}

bool Replay::step() {
  if (state_->over) return false;
  state_->step();
  return true;
}

const std::optional<Replay::Difference>& Replay::difference() const { return state_->difference; }
std::uint64_t Replay::turns() const { return state_->turns; }
std::uint64_t Replay::matched() const { return state_->matched; }
const std::vector<std::string>& Replay::outputs() const { return state_->lines; }
const CaptureEnding& Replay::ending() const { return state_->reader.ending(); }
const Node* Replay::node() const { return state_->node ? &*state_->node : nullptr; }

}  // namespace kadmesh
