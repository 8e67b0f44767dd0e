// Copies of values among whole nodes: test/kad/net.h.
#include "kad/replication.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "net.h"

namespace kadmesh {
using namespace testing;

namespace {

const std::string kKey = "/v/a value";

KadId place() { return KadId::of(to_bytes(as_bytes(kKey))); }

// Nodes 1 to `size`, joined by way of 1, with a value that 1 has put.
struct Town : Net {
  explicit Town(Number size, KadConfig config = open_config())
      : size_(size), config_(std::move(config)) {
    config_.refresh_interval = 30min;  // less often: hours of it are what these tests take
    for (Number number = 1; number <= size; ++number) add(number, config_);
    for (Number number = 2; number <= size; ++number) connect(number, 1);
    run_for(10s);
    report<PutReport>(1, put(1, kKey, "x"));
    run_for(1min);
  }
  void joins(Number number) {
    add(number, config_);
    connect(number, 1);
    size_ = std::max(size_, number);
  }
  std::vector<Number> by_distance() {
    std::map<Distance, Number> order;
    for (Number number = 1; number <= size_; ++number)
      if (has(number) && !(*this)[number].off)
        order[distance(KadId::of(peer(number)), place())] = number;
    std::vector<Number> numbers;
    for (const auto& [away, number] : order) numbers.push_back(number);
    return numbers;
  }
  std::size_t holders() {
    const auto order = by_distance();
    return static_cast<std::size_t>(std::count_if(order.begin(), order.begin() + 20,
                                                  [&](Number n) { return !!stored(n, kKey); }));
  }
  // From `from` on, the first that would lie so near to the key, counted from 0.
  Number of_rank(std::size_t least, std::size_t most, Number from) {
    const auto order = by_distance();
    for (;; ++from) {
      const Distance away = distance(KadId::of(peer(from)), place());
      const auto rank = static_cast<std::size_t>(std::ranges::count_if(
          order, [&](Number n) { return distance(KadId::of(peer(n)), place()) < away; }));
      if (rank >= least && rank <= most) return from;
    }
  }

 private:
  bool has(Number number) { return number <= first_size_ || number == size_; }
  Number size_, first_size_ = size_;
  KadConfig config_;
};

KadConfig every(Duration interval) {
  KadConfig config = Net::open_config();
  config.replicate_interval = interval;
  return config;
}

}  // namespace

TEST_CASE("replication: who comes to live near a value is given it, for what is left of its life") {
  Town net(30);
  net.run_for(10min);
  const Net::Number comer = net.of_rank(0, 5, 100);
  net.joins(comer);
  net.run_for(1min);
  const auto copy = net.stored(comer, kKey);
  REQUIRE(copy);
  const auto first = net.stored(net.by_distance()[1], kKey);
  REQUIRE(first);
  CHECK(copy->expires <= first->expires + 1s);
}

TEST_CASE("replication: who lives elsewhere is given nothing") {
  Town net(30);
  const Net::Number comer = net.of_rank(25, 30, 100);
  net.joins(comer);
  net.run_for(1min);
  CHECK_FALSE(net.stored(comer, kKey));
}

TEST_CASE("replication: a newcomer is sent a value by a few of its neighbours, not by all") {
  Town net(30);
  const Net::Number comer = net.of_rank(0, 5, 100);
  net.joins(comer);
  net.run_for(1min);
  CHECK(net[comer].puts >= 1);
  CHECK(net[comer].puts <= 5);
}

TEST_CASE("replication: a value outlives most of its holders, and others take their places") {
  Town net(45);
  const auto order = net.by_distance();
  for (std::size_t rank = 0; rank < 15; ++rank)
    if (order[rank] != 1) net.turn_off(order[rank]);
  CHECK(net.holders() <= 6);
  net.run_for(2h);
  CHECK(net.holders() == 20);
}

TEST_CASE("replication: of all holders one or two send a value in an interval") {
  Town net(25);
  const auto copies = [&] {
    std::size_t puts = 0;
    for (Net::Number n = 1; n <= 25; ++n) puts += net[n].puts;
    return puts;
  };
  net.run_for(30min);
  const std::size_t before = copies();
  net.run_for(3h);
  CHECK(copies() - before >= 2 * 20);
  CHECK(copies() - before <= 2 * 3 * 20);
}

TEST_CASE("replication: no value lives longer for it") {
  KadConfig config = every(10min);
  config.record_ttl = 1h;
  Town net(30, config);
  net.turn_off(1);
  net.run_for(50min);
  CHECK(net.holders() > 0);
  net.run_for(10min);
  CHECK(net.holders() == 0);
}

TEST_CASE("replication: with an interval of zero nobody is given anything") {
  Town net(30, every(0s));
  const Net::Number comer = net.of_rank(0, 5, 100);
  net.joins(comer);
  net.run_for(70min);
  CHECK_FALSE(net.stored(comer, kKey));
}

TEST_CASE(
    "replication: a round that was cut short is gone on with, one that came to its end is not") {
  Rng rng(1);
  Replication replication(1h);
  Time now{};
  const auto round = [&] {
    now += 1h;
    const auto next = replication.poll({{now, {}}, rng});
    REQUIRE(next);
    return std::get<Replication::Round>(*next).from;
  };
  replication.on_reachable({{now, {}}, rng});
  CHECK(round() == 0);
  replication.on_round_ended(41, false);
  CHECK(round() == 42);
  replication.on_round_ended({}, false);  // it came to nothing
  CHECK(round() == 42);
  replication.on_round_ended(77, true);
  CHECK(round() == 0);
}

}  // namespace kadmesh
