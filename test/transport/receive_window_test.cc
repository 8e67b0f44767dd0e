#include "transport/receive_window.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

constexpr std::uint32_t kHalf = kYamuxInitialWindow / 2;
constexpr std::uint32_t kMost = 16 * 1024 * 1024;

// A window whose owner consumes everything as it comes.
struct Reader {
  Time now{1h};
  Duration rtt = 10ms;
  std::size_t memory = 64 * 1024 * 1024;
  ReceiveWindow window{now};

  std::uint32_t takes(std::uint32_t count, Duration after_pause) {
    now += after_pause;
    window.arrived(count);
    return window.replenish(now, 0, rtt, kMost, memory);
  }
};

}  // namespace

TEST_CASE("receive_window: credit goes back from half a window on") {
  Reader reader;
  CHECK(reader.takes(kHalf - 1, 1s) == 0);
  CHECK(reader.takes(1, 1s) == kHalf);
  CHECK(reader.window.left() == kYamuxInitialWindow);
}

TEST_CASE("receive_window: only what was consumed goes back") {
  Reader reader;
  reader.window.arrived(kYamuxInitialWindow);
  const std::size_t waiting = kHalf + 1;
  CHECK(reader.window.replenish(reader.now, waiting, 1ms, kMost, reader.memory) == 0);
  CHECK(reader.window.replenish(reader.now + 1s, 100, 1ms, kMost, reader.memory) ==
        kYamuxInitialWindow - 100);
  CHECK(reader.window.left() == kYamuxInitialWindow - 100);
}

TEST_CASE("receive_window: a window used up within four round trips doubles") {
  Reader reader;
  CHECK(reader.takes(kHalf, 39ms) == kHalf + kYamuxInitialWindow);
  CHECK(reader.window.size() == 2 * kYamuxInitialWindow);
}

TEST_CASE("receive_window: a window that lasts four round trips stays") {
  Reader reader;
  CHECK(reader.takes(kHalf, 40ms) == kHalf);
  CHECK(reader.window.size() == kYamuxInitialWindow);
}

TEST_CASE("receive_window: a backlog that is read at once after a pause does not grow it") {
  Reader reader;
  reader.window.arrived(kYamuxInitialWindow);
  reader.now += 10s;
  CHECK(reader.window.replenish(reader.now, kHalf, reader.rtt, kMost, reader.memory) == kHalf);
  CHECK(reader.window.replenish(reader.now, 0, reader.rtt, kMost, reader.memory) == kHalf);
  CHECK(reader.window.size() == kYamuxInitialWindow);
}

TEST_CASE("receive_window: growth ends at the largest size") {
  Reader reader;
  for (int i = 0; i < 20; ++i) reader.takes(reader.window.left(), 1ms);
  CHECK(reader.window.size() == kMost);
  CHECK(reader.window.left() == kMost);
}

TEST_CASE("receive_window: growth ends with the session's memory") {
  Reader reader;
  reader.memory = 1000;
  reader.takes(kHalf, 1ms);
  CHECK(reader.window.size() == kYamuxInitialWindow + 1000);
  CHECK(reader.window.growth() == 1000);
  CHECK(reader.memory == 0);
  reader.takes(kHalf + 1000, 1ms);
  CHECK(reader.window.size() == kYamuxInitialWindow + 1000);
}

}  // namespace kadmesh
