// usage: opendht [NODES] [GETS] [NEWCOMERS]
// Gets in a network of OpenDHT's nodes: bench/gets.h. As its users have it, each node is a
// DhtRunner with threads of its own; without an identity, for signatures and encryption would be
// work that kadmesh does not do, and without the limits on requests from one address, which all
// nodes here share.
#include <opendht/dhtrunner.h>

#include <algorithm>
#include <future>
#include <memory>
#include <thread>

#include "gets.h"
#include "measure.h"

namespace kadmesh::bench {
namespace {

using namespace std::chrono_literals;

// Its way into the network: a ping, and the answer.
constexpr auto kJoining = 10s;

using Runner = std::unique_ptr<dht::DhtRunner>;

Runner started() {
  auto node = std::make_unique<dht::DhtRunner>();
  dht::DhtRunner::Config config;
  config.dht_config.node_config.max_req_per_sec = -1;
  config.dht_config.node_config.max_peer_req_per_sec = -1;
  config.bind4.setFamily(AF_INET);
  config.bind4.setAddress("127.0.0.1");
  config.bind4.setPort(0);
  node->run(config, {});
  return node;
}

void join(dht::DhtRunner& node, const dht::SockAddr& seed) {
  node.bootstrap(seed);
  const auto end = std::chrono::steady_clock::now() + kJoining;
  while (node.getNodesStats(AF_INET).good_nodes == 0) {
    if (std::chrono::steady_clock::now() > end) give_up("OpenDHT: a node did not join");
    std::this_thread::sleep_for(100us);
  }
}

// Empty when nobody has it.
std::string found(dht::DhtRunner& node, const std::string& key) {
  const auto values = node.get(dht::InfoHash::get(key)).get();
  if (values.empty()) return {};
  return {values.front()->data.begin(), values.front()->data.end()};
}

class Runners final : public Dht {
 public:
  void add() override {
    runners_.push_back(started());
    if (runners_.size() > 1) join(*runners_.back(), seed());
  }

  GetCost first_get(const std::string& key, const std::string& value) override {
    const Runner newcomer = started();
    join(*newcomer, seed());
    const GetWatch watch;
    if (found(*newcomer, key) != value) give_up("OpenDHT: a newcomer found a wrong value");
    const GetCost cost = watch.cost();
    newcomer->join();
    return cost;
  }

  void rest(double length) override { std::this_thread::sleep_for(length * 1s); }

  std::vector<std::size_t> nearest(const std::string& key) override {
    const auto target = dht::InfoHash::get(key);
    std::vector<std::size_t> order(runners_.size());
    for (std::size_t n = 0; n < order.size(); ++n) order[n] = n;
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      return target.xorCmp(runners_[a]->getNodeId(), runners_[b]->getNodeId()) < 0;
    });
    return order;
  }

  void put(std::size_t node, const std::string& key, const std::string& value) override {
    std::promise<bool> done;
    const dht::Value::Id id = 1;
    const dht::Blob data(value.begin(), value.end());
    runners_[node]->put(dht::InfoHash::get(key),
                        std::make_shared<dht::Value>(dht::ValueType::USER_DATA.id, data, id),
                        [&](bool stored) { done.set_value(stored); });
    if (!done.get_future().get()) give_up("OpenDHT: a put failed");
  }

  std::string get(std::size_t node, const std::string& key) override {
    return found(*runners_[node], key);
  }

 private:
  dht::SockAddr seed() const { return runners_.front()->getBound(); }

  std::vector<Runner> runners_;
};

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  Runners runners;
  measure_gets(runners, get_sizes(argc, argv));
  std::_Exit(0);
}
