#include "sim/calendar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <queue>
#include <tuple>
#include <vector>

#include "sim/luck.h"

namespace kadmesh {
namespace {

Time at(Duration time) { return Time(time); }

// (time, order of entry), as a heap would have it.
class Naive {
 public:
  void push(Time when) { queue_.emplace(when, entered_++); }
  std::uint64_t pop() {
    const auto top = queue_.top();
    queue_.pop();
    return std::get<1>(top);
  }
  bool empty() const { return queue_.empty(); }

 private:
  using Entry = std::tuple<Time, std::uint64_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  std::uint64_t entered_ = 0;
};

// A calendar beside a heap; both must say the same.
struct Pair {
  void push(Duration wait) {
    const Time when = after(calendar.now(), wait);
    calendar.push({when, 0, 0, entered++});
    naive.push(when);
  }
  bool pop(Time limit = kNever) {
    const auto event = calendar.pop(limit);
    if (event && event->what != naive.pop()) FAIL("out of order");
    return event.has_value();
  }
  void drain() {
    while (pop()) {
    }
    CHECK(naive.empty());
    CHECK(calendar.size() == 0);
  }

  Calendar calendar{at(1h)};
  Naive naive;
  std::uint64_t entered = 0;
};

}  // namespace

TEST_CASE("calendar: equal times come in the order of entry") {
  Pair both;
  for (int i = 0; i < 1000; ++i) both.push(Duration(i % 3));
  both.drain();
}

TEST_CASE("calendar: events of every distance come as a heap has them") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Pair both;
    Luck luck(seed);
    for (int i = 0; i < 10'000; ++i) both.push(Duration(luck.next() >> (20 + luck.below(44))));
    for (int i = 0; i < 60'000; ++i) {
      both.pop();
      both.push(Duration(luck.next() >> (20 + luck.below(44))));
    }
    both.drain();
  }
}

TEST_CASE("calendar: many events now, and many a moment later, keep their order") {
  Pair both;
  Luck luck(7);
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 100; ++i) both.push(Duration(luck.below(3)));
    for (int i = 0; i < 50; ++i) both.push(Duration(luck.below(1000)));
    for (int i = 0; i < 120; ++i) both.pop();
  }
  both.drain();
}

TEST_CASE("calendar: up to a limit; what is entered afterwards before what was there comes first") {
  Pair both;
  both.push(10s);
  CHECK_FALSE(both.pop(at(1h + 3s)));
  CHECK(both.calendar.now() == at(1h + 3s));
  for (int i = 0; i < 200; ++i) both.push(std::chrono::milliseconds(200 - i));
  CHECK_FALSE(both.pop(both.calendar.now()));
  both.drain();
}

TEST_CASE("calendar: before the epoch, and at the end of time") {
  Calendar calendar(at(-5s));
  calendar.push({kNever, 0, 0, 3});
  calendar.push({at(5s), 0, 0, 2});
  calendar.push({at(-4s), 0, 0, 1});
  for (std::uint64_t expected = 1; expected <= 3; ++expected)
    CHECK(calendar.pop(kNever)->what == expected);
  CHECK_FALSE(calendar.pop(kNever));
}

}  // namespace kadmesh
