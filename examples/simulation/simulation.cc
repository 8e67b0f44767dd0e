// Twenty nodes in virtual time, in one process and without a socket: one of them stores a record,
// half of them crash, and another reads it. Prints how long that took them, and a number that is
// the same whenever the seed (the argument; 1 unless given) is.
#include <sim/world.h>

#include <cstdlib>
#include <iostream>

using namespace kadmesh;

Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

int main(int argc, char** argv) {
  World world(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1);
  world.nodes(20);
  world.run_for(1min);

  const OpId put = world.start(3, [](Node& node, Turn turn, Time deadline) {
    return node.put(turn, text("/v/greeting"), text("hello"), deadline);
  });
  world.run_until([&] { return world.result(3, put) != nullptr; }, 10s);
  for (World::Index node = 0; node < 10; ++node) world.crash(node);

  const Time asked = world.now().mono;
  const OpId get = world.start(15, [](Node& node, Turn turn, Time deadline) {
    return node.get(turn, text("/v/greeting"), deadline);
  });
  world.run_until([&] { return world.result(15, get) != nullptr; }, 10s);
  const auto& result = world.result(15, get)->result;
  if (!result) return std::cerr << to_string(result.error()) << '\n', 1;
  const auto& report = std::get<GetReport>(std::get<KadReport>(*result));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(world.now().mono - asked);
  std::cout << as_text(report.value) << " after " << took.count() << " ms; run "
            << world.trace_hash() << std::endl;
}
