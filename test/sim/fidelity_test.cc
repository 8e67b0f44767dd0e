// The same run with Noise and without: what a simulation finds at message level holds for the full
// stack.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/signature_memo.h"
#include "sim/world.h"

namespace kadmesh {
namespace {

const Topic kTopic = "t";

struct Outcome {
  std::vector<std::string> delivered;  // "node message", sorted
  std::vector<Duration> waits;         // from publishing to each delivery, sorted
  std::uint64_t kad_requests = 0, gossip_rpcs = 0, turns = 0;
  std::uint64_t shape = 0;  // of all turns: when, whose, what, of what size

  Duration percentile(std::size_t of_100) const {
    return waits.at((waits.size() - 1) * of_100 / 100);
  }
};

// So many nodes join one DHT and one topic and talk, while some die and come back.
class Town : public World {
 public:
  Town(std::size_t count, Security security) : World(config(17)), security_(security) {
    if (security == Security::plain) memo_ = std::make_shared<SignatureMemo>();
    on_report([this](Index node, const Report& report) { heard(node, report); });
    on_turn([this](const TurnRecord& turn) { shaped(turn); });
    nodes(count, [this](Index node) { return citizen(node); });
    for (Index node = 0; node < count; ++node) join(node);
    run_for(20s);
  }

  Outcome play() {
    Rng luck(3);
    for (int round = 0; round < 20; ++round) {
      const Index victim = 1 + luck.below(nodes_count() - 1);
      kill(victim);
      for (int i = 0; i < 5; ++i) publish(luck.below(nodes_count())), run_for(200ms);
      restart(victim);
      join(victim);
    }
    run_for(10s);
    return result();
  }

 private:
  static WorldConfig config(std::uint64_t seed) {
    WorldConfig config;
    config.seed = seed;
    config.link.latency = PairLatency{Uniform{10ms, 90ms}};
    config.link.jitter = 5ms;
    config.keep_reports = false;
    config.check_every = 1000;
    return config;
  }
  NodeConfig citizen(Index node) const {
    NodeConfig config = default_config(node);
    config.swarm.security = security_;
    config.signatures = memo_;
    return config;
  }
  std::size_t nodes_count() const { return World::nodes(); }

  void join(Index node) {
    command(node, [](Node& n, Turn t) { REQUIRE(n.subscribe(t, kTopic)); });
  }
  void publish(Index from) {
    if (!up(from)) return;
    const std::string text = std::to_string(published_.size());
    published_.push_back(now().mono);
    command(from, [&](Node& n, Turn t) { n.publish(t, kTopic, to_bytes(as_bytes(text))); });
  }
  void heard(Index node, const Report& report) {
    const auto* news = std::get_if<MessageDelivered>(&report);
    if (!news) return;
    const std::string text(as_text(news->delivery.message.data));
    outcome_.delivered.push_back(std::to_string(node) + " " + text);
    outcome_.waits.push_back(now().mono - published_.at(std::stoul(text)));
  }
  void shaped(const TurnRecord& turn) {
    for (const std::uint64_t word :
         {static_cast<std::uint64_t>(turn.at.time_since_epoch().count()), std::uint64_t{turn.node},
          std::uint64_t(turn.kind), turn.size, turn.written})
      shape_.add(word);
  }
  Outcome result() {
    std::ranges::sort(outcome_.delivered);
    std::ranges::sort(outcome_.waits);
    for (Index node = 0; node < nodes_count(); ++node) {
      const NodeStats stats = World::node(node).stats();
      outcome_.kad_requests += stats.kad.requests_sent;
      outcome_.gossip_rpcs += stats.gossip.rpcs_out;
    }
    outcome_.turns = turns();
    outcome_.shape = shape_.value();
    CHECK(broken().empty());
    return std::move(outcome_);
  }

  Security security_;
  std::shared_ptr<SignatureMemo> memo_;
  std::vector<Time> published_;
  Outcome outcome_;
  Digest shape_;
};

bool within(std::uint64_t a, std::uint64_t b, std::uint64_t percent) {
  return std::max(a, b) * (100 - percent) <= std::min(a, b) * 100;
}
bool within(Duration a, Duration b, std::uint64_t percent) {
  return within(static_cast<std::uint64_t>(a.count()), static_cast<std::uint64_t>(b.count()),
                percent);
}

// What is asked of message level, and more: it takes the same luck and sends the same sizes, so
// nothing at all happens at another time or in another order.
void compare(std::size_t count) {
  const Outcome full = Town(count, Security::noise).play();
  const Outcome message = Town(count, Security::plain).play();
  CHECK(full.delivered.size() > count * 90);
  CHECK(full.delivered == message.delivered);
  CHECK(within(full.kad_requests, message.kad_requests, 2));
  CHECK(within(full.gossip_rpcs, message.gossip_rpcs, 2));
  CHECK(within(full.percentile(50), message.percentile(50), 5));
  CHECK(within(full.percentile(99), message.percentile(99), 5));
  CHECK(full.turns == message.turns);
  CHECK(full.shape == message.shape);
}

}  // namespace

TEST_CASE("fidelity: 60 nodes with churn do the same with Noise and at message level") {
  compare(60);
}

TEST_CASE("fidelity: 1000 nodes with churn do the same with Noise and at message level" *
          doctest::skip()) {
  compare(1000);
}

}  // namespace kadmesh
