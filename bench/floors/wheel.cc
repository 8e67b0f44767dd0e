// usage: wheel [EVENTS]
// The floor of a simulator: a bare timer wheel. Events of four words in slots by time, each of
// which enters another one when its time comes; in no order within a slot, and nothing else done.
// CPU per event at 10 to 1,000,000 that are pending, and at as many as the workload `packets` has.
#include <cstdint>
#include <memory>
#include <vector>

#include "measure.h"

namespace kadmesh::bench {
namespace {

constexpr std::size_t kSlots = std::size_t{1} << 16;
constexpr std::uint64_t kSpan = 50'000'000;  // ns that an event waits at most

struct Event {
  std::uint64_t at, kind, which;
  Event* next;
};

// A turn of it takes a span and a little; a slot is as wide as that needs.
class Wheel {
 public:
  explicit Wheel(std::size_t pending) : events_(pending), slots_(kSlots) {
    for (Event& event : events_) {
      event.at = wait();
      enter(event);
    }
  }

  void run(std::size_t count) {
    while (count > 0) {
      Event* event = slots_[now_ / kWidth % kSlots];
      slots_[now_ / kWidth % kSlots] = nullptr;
      now_ += kWidth;
      for (; event && count > 0; --count) {
        Event* const next = event->next;
        event->at = now_ + wait();
        enter(*event);
        event = next;
      }
    }
  }

 private:
  static constexpr std::uint64_t kWidth = kSpan / kSlots + 1;

  std::uint64_t wait() {
    luck_ = luck_ * 6364136223846793005u + 1442695040888963407u;
    return (luck_ >> 33) % kSpan;
  }
  void enter(Event& event) {
    Event*& slot = slots_[event.at / kWidth % kSlots];
    event.next = slot;
    slot = &event;
  }

  std::vector<Event> events_;
  std::vector<Event*> slots_;
  std::uint64_t now_ = 0, luck_ = 1;
};

double ns_per_event(std::size_t pending, std::size_t events) {
  Wheel wheel(pending);
  wheel.run(events / 10);
  const double start = cpu_seconds();
  wheel.run(events);
  return (cpu_seconds() - start) * 1e9 / static_cast<double>(events);
}

}  // namespace
}  // namespace kadmesh::bench

int main(int argc, char** argv) {
  using namespace kadmesh::bench;
  const std::size_t events = argument(argc, argv, 1, 3'000'000);
  print({{"packet_ns", ns_per_event(20'000, events)},
         {"ns_10", ns_per_event(10, events / 1000)},
         {"ns_1000", ns_per_event(1000, events)},
         {"ns_100000", ns_per_event(100'000, events)},
         {"ns_1000000", ns_per_event(1'000'000, events)}});
}
