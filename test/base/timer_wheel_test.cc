#include "base/timer_wheel.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace kadmesh {
namespace {

Time at(Duration since) { return Time(since); }

std::vector<TimerKey> expire_all(TimerWheel& wheel, Time now) {
  std::vector<TimerKey> keys;
  while (const auto key = wheel.expire(now)) keys.push_back(*key);
  return keys;
}

// What the wheel promises, told naively: all timers in order of deadline and of setting.
class Model {
 public:
  void set(TimerKey key, Time when) {
    cancel(key);
    if (when != kNever) order_[{when, ++turn_}] = key;
  }
  void cancel(TimerKey key) {
    std::erase_if(order_, [key](const auto& item) { return item.second == key; });
  }
  Time next() const { return order_.empty() ? kNever : order_.begin()->first.first; }
  std::optional<TimerKey> expire(Time now) {
    if (order_.empty() || order_.begin()->first.first > now) return std::nullopt;
    const TimerKey key = order_.begin()->second;
    order_.erase(order_.begin());
    return key;
  }
  std::size_t size() const { return order_.size(); }

 private:
  std::map<std::pair<Time, std::uint64_t>, TimerKey> order_;
  std::uint64_t turn_ = 0;
};

// A step from a nanosecond to centuries, all sizes equally likely, and often none at all.
Duration some_step(Rng& rng) {
  if (rng.chance(1, 4)) return Duration::zero();
  return Duration(static_cast<std::int64_t>(rng.next() >> (2 + rng.below(61))));
}

// One command to both; after it they must agree.
void do_something(Rng& rng, Time& now, TimerWheel& wheel, Model& model, TimerKey keys) {
  const TimerKey key = rng.below(keys);
  const auto kind = rng.below(8);
  if (kind < 4) {
    const Time when = rng.chance(1, 50) ? kNever : after(now, some_step(rng));
    wheel.set(key, when);
    model.set(key, when);
  } else if (kind < 5) {
    wheel.cancel(key);
    model.cancel(key);
  } else {
    if (kind == 7) now = std::min(after(now, some_step(rng)), model.next());
    CHECK(wheel.expire(now) == model.expire(now));
  }
  CHECK(wheel.next() == model.next());
  CHECK(wheel.size() == model.size());
}

}  // namespace

TEST_CASE("timer wheel: a timer expires at its deadline, once") {
  TimerWheel wheel;
  wheel.set(7, at(5s));
  CHECK(wheel.next() == at(5s));
  CHECK(!wheel.expire(at(5s - 1ns)));
  CHECK(wheel.expire(at(5s)) == 7);
  CHECK(!wheel.expire(at(9s)));
  CHECK(wheel.next() == kNever);
  CHECK(wheel.size() == 0);
}

TEST_CASE("timer wheel: the earliest expires first, whatever the order of setting") {
  TimerWheel wheel;
  wheel.set(1, at(24h));
  wheel.set(2, at(1ns));
  wheel.set(3, at(10s));
  wheel.set(4, at(10s - 1ns));
  CHECK(expire_all(wheel, at(24h)) == std::vector<TimerKey>{2, 4, 3, 1});
}

TEST_CASE("timer wheel: ties expire in the order in which they were set") {
  TimerWheel wheel;
  std::vector<TimerKey> order;
  for (TimerKey key = 1000; key-- > 0;) {
    wheel.set(key, at(1s));
    order.push_back(key);
  }
  CHECK(expire_all(wheel, at(1s)) == order);
}

TEST_CASE("timer wheel: a moved timer has its new deadline and joins the end of its ties") {
  TimerWheel wheel;
  wheel.set(1, at(1s));
  wheel.set(2, at(1s));
  wheel.set(1, at(3s));
  CHECK(wheel.size() == 2);
  CHECK(wheel.expire(at(2s)) == 2);
  CHECK(!wheel.expire(at(2s)));
  wheel.set(2, at(3s));
  wheel.set(1, at(3s));
  CHECK(expire_all(wheel, at(3s)) == std::vector<TimerKey>{2, 1});
}

TEST_CASE("timer wheel: a cancelled timer does not expire") {
  TimerWheel wheel;
  wheel.set(1, at(1s));
  wheel.set(2, at(2s));
  wheel.cancel(1);
  wheel.cancel(99);
  CHECK(wheel.next() == at(2s));
  wheel.set(2, kNever);
  CHECK(wheel.next() == kNever);
  CHECK(!wheel.expire(at(3s)));
}

TEST_CASE("timer wheel: a deadline in the past expires at once, also before the epoch") {
  TimerWheel wheel;
  wheel.set(1, at(-5s));
  wheel.set(2, Time::min());
  wheel.set(3, at(0s));
  CHECK(wheel.next() == Time::min());
  CHECK(expire_all(wheel, at(1s)) == std::vector<TimerKey>{2, 1, 3});
}

TEST_CASE("H65: a timer due exactly now is taken, and time at its end is a time") {
  TimerWheel wheel;
  wheel.set(1, kNever - 1ns);
  CHECK(wheel.next() == kNever - 1ns);
  CHECK(!wheel.expire(kNever - 2ns));
  CHECK(wheel.expire(kNever - 1ns) == 1);
  wheel.set(2, after(at(1s), Duration::max()));  // an overflow, clamped: no deadline at all
  CHECK(wheel.size() == 0);
}

TEST_CASE("H69: ten years of a timer that is set again each time it expires") {
  TimerWheel wheel;
  Time now = at(0s);
  wheel.set(1, after(now, 1h));
  wheel.set(2, at(24h * 365 * 10));
  for (int hour = 1; hour < 24 * 365 * 10; ++hour) {
    now = wheel.next();
    REQUIRE(wheel.expire(now) == 1);
    wheel.set(1, after(now, 1h));
  }
  CHECK(now == at(1h * (24 * 365 * 10 - 1)));
}

TEST_CASE("timer wheel: it does what a sorted list does") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    TimerWheel wheel;
    Model model;
    Time now = at(0s);
    const TimerKey keys = seed % 2 == 0 ? 10 : 300;
    for (int i = 0; i < 3000; ++i) do_something(rng, now, wheel, model, keys);
    while (const auto key = model.expire(kNever)) REQUIRE(wheel.expire(kNever) == key);
    CHECK(wheel.size() == 0);
  }
}

TEST_CASE("timer wheel: a moved wheel keeps its timers") {
  TimerWheel wheel;
  wheel.set(1, at(1s));
  TimerWheel other = std::move(wheel);
  CHECK(other.expire(at(1s)) == 1);
}

}  // namespace kadmesh
