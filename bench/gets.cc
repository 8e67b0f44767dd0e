#include "gets.h"

#include <algorithm>
#include <fstream>
#include <random>

namespace kadmesh::bench {
namespace {

constexpr std::size_t kMostCopies = 20;
constexpr std::size_t kValueSize = 256;
constexpr std::size_t kKeys = 100;
// Tables have filled, and newcomers' own lookups are over.
constexpr double kSettling = 15;
constexpr double kIdle = 5;
constexpr double kLeaving = 0.5;     // until a newcomer is forgotten
constexpr std::size_t kSought = 20;  // by each node

std::string key_of(std::size_t n) { return "/v/measured-" + std::to_string(n); }
std::string value_of(std::size_t n) {
  std::string value = std::to_string(n) + ' ';
  value.resize(kValueSize, 'x');
  return value;
}

double resident_kib() {
  std::ifstream status("/proc/self/statm");
  double all = 0, resident = 0;
  status >> all >> resident;
  return resident * 4;
}

struct Asking {
  std::size_t node, key;
};

// Every key and every node that holds no copy of it, in any order.
std::vector<Asking> all_askings(Dht& dht, std::size_t nodes) {
  std::vector<Asking> all;
  for (std::size_t key = 0; key < kKeys; ++key) {
    const auto order = dht.nearest(key_of(key));
    for (std::size_t n = std::min(kMostCopies, nodes - 1); n < nodes; ++n)
      all.push_back({order[n], key});
  }
  std::ranges::shuffle(all, std::mt19937(1));
  return all;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

struct Cost {
  double cpu_us, p50_us;
};

double timed_get(Dht& dht, const Asking& asking) {
  const double start = seconds();
  if (dht.get(asking.node, key_of(asking.key)) != value_of(asking.key)) give_up("a wrong value");
  return seconds() - start;
}

Cost cost(Dht& dht, const std::vector<Asking>& askings) {
  std::vector<double> times;
  const double before = cpu_seconds();
  for (const Asking& asking : askings) times.push_back(timed_get(dht, asking));
  const double cpu = cpu_seconds() - before;
  return {cpu * 1e6 / static_cast<double>(askings.size()), median(times) * 1e6};
}

// Of the first get of each newcomer, by the same units.
Cost cost_of_newcomers(Dht& dht, GetSizes sizes) {
  std::vector<double> times, cpus;
  for (std::size_t n = 0; n < sizes.newcomers; ++n) {
    const GetCost cost = dht.first_get(key_of(n % kKeys), value_of(n % kKeys));
    times.push_back(cost.seconds);
    cpus.push_back(cost.cpu_s);
    dht.rest(kLeaving);
  }
  return {median(cpus) * 1e6, median(times) * 1e6};
}

void seek(Dht& dht, std::size_t nodes) {
  for (std::size_t n = 0; n < kSought; ++n)
    for (std::size_t node = 0; node < nodes; ++node)
      if (!dht.get(node, "/v/sought-" + std::to_string(nodes * n + node)).empty())
        give_up("a value that nobody put");
}

double idle(Dht& dht) {
  const double before = cpu_seconds();
  dht.rest(kIdle);
  return (cpu_seconds() - before) * 1e3 / kIdle;
}

}  // namespace

void measure_gets(Dht& dht, GetSizes sizes) {
  const double before = resident_kib();
  for (std::size_t n = 0; n < sizes.nodes; ++n) dht.add();
  dht.rest(kSettling);
  seek(dht, sizes.nodes);
  const double held = resident_kib() - before;
  const double idle_ms = idle(dht);
  for (std::size_t key = 0; key < kKeys; ++key)
    dht.put(dht.nearest(key_of(key)).front(), key_of(key), value_of(key));
  const auto all = all_askings(dht, sizes.nodes);
  const std::size_t count = std::min(sizes.gets, all.size() / 2);
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(count);
  const std::vector<Asking> measured(all.begin(), half);
  cost(dht, {half, half + static_cast<std::ptrdiff_t>(count)});
  const Cost first = cost(dht, measured);
  const Cost again = cost(dht, measured);
  const Cost cold = cost_of_newcomers(dht, sizes);
  print({{"cpu_us", first.cpu_us},
         {"p50_us", first.p50_us},
         {"again_cpu_us", again.cpu_us},
         {"again_p50_us", again.p50_us},
         {"cold_ms", cold.p50_us / 1e3},
         {"cold_cpu_ms", cold.cpu_us / 1e3},
         {"kib", held / static_cast<double>(sizes.nodes)},
         {"idle_ms_per_s", idle_ms}});
}

GetSizes get_sizes(int argc, char** argv) {
  return {argument(argc, argv, 1, 50), argument(argc, argv, 2, 1000), argument(argc, argv, 3, 10)};
}

}  // namespace kadmesh::bench
