// usage: wheel [EVENTS]
// The floor of a simulator: a bare timer wheel that is exact, as a simulator's must be. Wheels of
// 64 slots, the finest of a nanosecond each; an event moves to the finer wheel as its slot is
// reached, and when it is reached there enters another one. Nothing else is done, and nothing
// allocated. CPU per event at 10 to 1,000,000 that are pending, and at as many as the workload
// `packets` has.
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "measure.h"

namespace kadmesh::bench {
namespace {

constexpr std::uint64_t kSpan = 50'000'000;  // ns that an event waits at most
constexpr unsigned kBits = 6, kLevels = 8;

struct Event {
  std::uint64_t at, what;
  Event* next;
};

class Wheels {
 public:
  explicit Wheels(std::size_t pending) : events_(pending) {
    for (Event& event : events_) wait(event);
  }

  void run(std::size_t count) {
    while (count > 0) {
      for (Event* event = reach(); event && count > 0; --count) {
        Event* const next = event->next;
        wait(*event);
        event = next;
      }
    }
  }

 private:
  struct Wheel {
    std::uint64_t used = 0;
    std::array<Event*, 64> slots{};
  };

  void wait(Event& event) {
    luck_ = luck_ * 6364136223846793005u + 1442695040888963407u;
    event.at = now_ + 1 + (luck_ >> 33) % kSpan;
    file(event);
  }

  void file(Event& event) {
    const auto level = static_cast<unsigned>(std::bit_width((event.at ^ now_) | 1) - 1) / kBits;
    const std::uint64_t slot = event.at >> (level * kBits) & 63;
    event.next = wheels_[level].slots[slot];
    wheels_[level].slots[slot] = &event;
    wheels_[level].used |= std::uint64_t{1} << slot;
  }

  // The events of the next moment that has any.
  Event* reach() {
    for (;;) {
      unsigned level = 0;
      while (wheels_[level].used == 0) ++level;
      Wheel& wheel = wheels_[level];
      const auto slot = static_cast<std::uint64_t>(std::countr_zero(wheel.used));
      const unsigned shift = level * kBits;
      now_ = (now_ >> (shift + kBits) << (shift + kBits)) | slot << shift;
      wheel.used &= wheel.used - 1;
      Event* event = wheel.slots[slot];
      wheel.slots[slot] = nullptr;
      if (level == 0) return event;
      while (event) {
        Event* const next = event->next;
        file(*event);
        event = next;
      }
    }
  }

  std::vector<Event> events_;
  std::array<Wheel, kLevels> wheels_;
  std::uint64_t now_ = 0, luck_ = 1;
};

double ns_per_event(std::size_t pending, std::size_t events) {
  Wheels wheels(pending);
  wheels.run(events / 10 + pending);
  const double start = cpu_seconds();
  wheels.run(events);
  return (cpu_seconds() - start) * 1e9 / static_cast<double>(events);
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  const std::size_t events = argument(argc, argv, 1, 3'000'000);
  print({{"packet_ns", ns_per_event(20'000, events)},
         {"ns_10", ns_per_event(10, events)},
         {"ns_1000", ns_per_event(1000, events)},
         {"ns_100000", ns_per_event(100'000, events)},
         {"ns_1000000", ns_per_event(1'000'000, events)}});
}
