// usage: dht [NODES] [GETS] [NEWCOMERS]
//        dht entry
// Gets in a network of kadmesh's hosts: bench/gets.h. What an entry of a routing table takes.
#include <algorithm>
#include <thread>
#include <vector>

#include "gets.h"
#include "kad/key.h"
#include "kad/routing_table.h"
#include "loop_host.h"

namespace kadmesh::bench {
namespace {

Bytes bytes_of(const std::string& text) { return to_bytes(as_bytes(text)); }

constexpr std::uint32_t kServers = 1000;

// What a server in a table takes, addresses included, until nothing is left to be told of it.
double bytes_per_entry() {
  Rng luck(1);
  std::vector<PeerId> peers;
  for (std::uint32_t n = 0; n < kServers; ++n) peers.push_back(KeyPair::make(luck).peer_id());
  const Dialable addr(*Multiaddr::from_text("/ip4/127.0.0.1/tcp/4001"), Source::identify);
  const double before = allocated();
  RoutingTable table(KeyPair::make(luck).peer_id(), kServers);
  for (const PeerId& peer : peers) {
    table.on_connected(peer, Time(1h));
    table.on_serves(peer, {&addr, 1}, Time(1h));
    while (table.poll()) {
    }
  }
  if (table.servers() != kServers) give_up("not all are in the table");
  return (allocated() - before) / kServers;
}

HostConfig member(std::vector<Multiaddr> seeds) {
  HostConfig config = listening();
  config.node.kad.protocol = "/bench/kad/1.0.0";
  config.node.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  config.node.kad.seeds = std::move(seeds);
  return config;
}

std::unique_ptr<Host> joined(asio::io_context& loop, const std::vector<Multiaddr>& seeds) {
  auto host = make_host(loop, member(seeds));
  if (!seeds.empty()) finish<ReadyReport>(loop, [&](auto done) { host->async_ready(1, done); });
  return host;
}

// Empty when nobody has it.
std::string found(asio::io_context& loop, Host& host, const std::string& key) {
  std::optional<Result<GetReport>> report;
  host.async_get(bytes_of(key), [&](Result<GetReport> got) { report = std::move(got); });
  run_until(loop, [&] { return report.has_value(); });
  if (!*report && report->error().code == Errc::not_found) return {};
  const Bytes found = value(*std::move(report)).value;
  return {found.begin(), found.end()};
}

class Hosts final : public Dht {
 public:
  void add() override { hosts_.push_back(joined(loop_, seeds())); }

  GetCost first_get(const std::string& key, const std::string& value) override {
    GetCost cost{};
    bool over = false;
    std::thread newcomer([&, seeds = seeds()] {
      asio::io_context loop(1);
      const auto host = joined(loop, seeds);
      const GetWatch watch;
      if (found(loop, *host, key) != value) give_up("a newcomer found a wrong value");
      cost = watch.cost();
      asio::post(loop_, [&] { over = true; });
    });
    run_until(loop_, [&] { return over; });
    newcomer.join();
    return cost;
  }

  void rest(double length) override {
    const double end = seconds() + length;
    while (seconds() < end) loop_.run_one_for(50ms);
  }

  std::vector<std::size_t> nearest(const std::string& key) override {
    const KadId target = KadId::of(bytes_of(key));
    std::vector<std::size_t> order(hosts_.size());
    for (std::size_t n = 0; n < order.size(); ++n) order[n] = n;
    std::ranges::sort(order, {},
                      [&](std::size_t n) { return distance(KadId::of(hosts_[n]->id()), target); });
    return order;
  }

  void put(std::size_t node, const std::string& key, const std::string& value) override {
    const auto report = finish<PutReport>(loop_, [&](auto done) {
      hosts_[node]->async_put(bytes_of(key), bytes_of(value), std::move(done));
    });
    if (report.acknowledged < report.contacted) give_up("a copy was refused");
  }

  std::string get(std::size_t node, const std::string& key) override {
    return found(loop_, *hosts_[node], key);
  }

 private:
  std::vector<Multiaddr> seeds() const {
    return hosts_.empty() ? std::vector<Multiaddr>() : hosts_.front()->addrs();
  }

  asio::io_context loop_{1};
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  if (argc > 1 && std::string_view(argv[1]) == "entry") {
    print({{"bytes_per_entry", bytes_per_entry()}});
    return 0;
  }
  Hosts hosts;
  measure_gets(hosts, get_sizes(argc, argv));
  std::_Exit(0);  // fifty goodbyes would measure nothing
}
