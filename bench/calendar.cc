// usage: calendar [EVENTS]
// CPU per event of the simulator's calendar, at 10 to 1,000,000 that are pending: the first one is
// taken out, another one enters up to 50 ms later.
#include "sim/calendar.h"

#include "measure.h"
#include "sim/luck.h"

namespace kadmesh::bench {
namespace {

constexpr std::uint64_t kSpan = 50'000'000;

double ns_per_event(std::size_t pending, std::size_t events) {
  Calendar calendar;
  Luck luck(1);
  const auto enter = [&] {
    calendar.push({after(calendar.now(), Duration(luck.below(kSpan))), 1, 2, 3});
  };
  const auto run = [&](std::size_t count) {
    for (; count > 0; --count) {
      calendar.pop(kNever);
      enter();
    }
  };
  for (std::size_t i = 0; i < pending; ++i) enter();
  run(events / 10 + pending);
  const double start = cpu_seconds();
  run(events);
  return (cpu_seconds() - start) * 1e9 / static_cast<double>(events);
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  const std::size_t events = argument(argc, argv, 1, 3'000'000);
  print({{"ns_10", ns_per_event(10, events)},
         {"ns_1000", ns_per_event(1000, events)},
         {"ns_100000", ns_per_event(100'000, events)},
         {"ns_1000000", ns_per_event(1'000'000, events)}});
}
