// Nodes that come and go: by distributions of how long they stay and stay away, or by a trace.
// Each node has luck of its own: more nodes do not change when the others go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/distribution.h"
#include "sim/world.h"

namespace kadmesh {

struct ChurnConfig {
  // Peers of the BitTorrent and Kad DHTs stay for minutes, and a few for days.
  Distribution session = Weibull{std::chrono::minutes(20), 500};
  Distribution downtime = Exponential{std::chrono::minutes(10)};
  // Parts per million of departures. The others are processes that end.
  std::uint32_t orderly_ppm = 300'000;  // shut down first
  std::uint32_t vanish_ppm = 200'000;   // machines that are gone without a word
  StoreFate store = StoreFate::kept;
  // Nothing said: all that there are at start(). An empty list is nobody.
  std::optional<std::vector<World::Index>> nodes{};
  std::uint64_t number = 0;  // another luck under the same seed
};

// A bootstrap node that keeps falling over.
ChurnConfig flapping(World::Index node, Duration up, Duration down);

struct ChurnEvent {
  Duration at;  // from start()
  World::Index node;
  bool up;
};
// Lines of "seconds, node, up" or "seconds, node, down"; '#' begins a remark. Errc::malformed names
// the line.
Result<std::vector<ChurnEvent>> churn_from_csv(std::string_view text);

class Churn {
 public:
  // An orderly shutdown has so long to say goodbye.
  static constexpr Duration kGoodbye = 1s;

  // The world outlives these.
  Churn(World& world, ChurnConfig config);
  Churn(World& world, std::vector<ChurnEvent> events, StoreFate store = StoreFate::kept);
  ~Churn();

  void start();
  // Nobody goes any more, and who is away comes back at once.
  void stop();
  // Before a node is shut down, or ended.
  void on_leave(std::function<void(World::Index)> watch) { on_leave_ = std::move(watch); }
  std::uint64_t departures() const { return departures_; }
  std::uint64_t arrivals() const { return arrivals_; }

 private:
  using Index = World::Index;
  struct One {
    Index node;
    Luck luck;
    bool away = false;
  };

  void later(Duration wait, void (Churn::*what)(std::size_t), std::size_t which);
  void leave(std::size_t which);
  void end(std::size_t which);
  void come(std::size_t which);
  void play(std::size_t which);
  void depart(One& one);
  void bring_back(One& one);
  One& of(Index node);

  World& world_;
  ChurnConfig config_;
  std::vector<ChurnEvent> events_;
  std::vector<One> all_;
  std::function<void(World::Index)> on_leave_;
  std::uint64_t departures_ = 0, arrivals_ = 0, round_ = 0;
  std::shared_ptr<const bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kadmesh
