#include "base/timer_wheel.h"

#include <array>
#include <bit>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr unsigned kBits = 6;
constexpr std::size_t kSlots = std::size_t{1} << kBits;
constexpr unsigned kLevels = 11;  // 64 bits; of the coarsest wheel only 16 slots are in use
// Timers of a slot that are searched one by one. More, and the search would cost more than the
// wheel; fewer, and lone timers would need wheels.
constexpr std::size_t kFull = 8;

using Index = std::uint32_t;
constexpr Index kNone = ~Index{0};

// A deadline as a number whose order is that of the deadlines, before the epoch too.
using Ticks = std::uint64_t;
Ticks ticks_of(Time time) {
  return static_cast<Ticks>(time.time_since_epoch().count()) ^ (Ticks{1} << 63);
}

unsigned slot_of(Ticks ticks, unsigned level) {
  return static_cast<unsigned>(ticks >> (kBits * (kLevels - 1 - level))) % kSlots;
}

// Armed, in the list of its slot: a ring, so that the first one knows the last.
struct Timer {
  TimerKey key = 0;
  Time when{};
  Index next = kNone, previous = kNone;
};

struct Wheel {
  std::uint64_t used = 0;             // a bit for each slot that holds anything
  std::uint64_t unfolded = 0;         // for each that holds a wheel
  std::array<Index, kSlots> slots{};  // of a wheel, or of the first timer of a list
};

std::uint64_t bit(unsigned slot) { return std::uint64_t{1} << slot; }

// Items by number; numbers given back are used again.
template <class Item>
class Pool {
 public:
  Index take() {
    if (free_.empty()) {
      items_.emplace_back();
      return static_cast<Index>(items_.size() - 1);
    }
    const Index index = free_.back();
    free_.pop_back();
    items_[index] = Item{};
    return index;
  }
  void give_back(Index index) { free_.push_back(index); }
  Item& operator[](Index index) { return items_[index]; }
  const Item& operator[](Index index) const { return items_[index]; }

 private:
  std::vector<Item> items_;
  std::vector<Index> free_;
};

}  // namespace

class TimerWheel::Wheels {
 public:
  void arm(TimerKey key, Time when) {
    const Index timer = timers_.take();
    timers_[timer].key = key;
    timers_[timer].when = when;
    armed_.emplace(key, timer);
    insert(timer);
    if (earliest_ == kNone || when < timers_[earliest_].when) earliest_ = timer;
  }

  void disarm(TimerKey key) {
    const auto armed = armed_.find(key);
    if (armed == armed_.end()) return;
    const Index timer = armed->second;
    armed_.erase(armed);
    remove(timer);
    timers_.give_back(timer);
    if (timer == earliest_) earliest_ = armed_.empty() ? kNone : find_earliest();
  }

  const Timer* earliest() const { return earliest_ == kNone ? nullptr : &timers_[earliest_]; }
  std::size_t size() const { return armed_.size(); }

 private:
  // The slot of a deadline, and the wheels on the way there.
  struct Place {
    Ticks ticks = 0;
    std::array<Index, kLevels> path{};
    unsigned level = 0;
    unsigned slot = 0;
    Index wheel() const { return path[level]; }
  };

  Place find_place(Ticks ticks) const {
    Place place;
    place.ticks = ticks;
    place.path[0] = root_;
    for (;;) {
      const Wheel& wheel = wheels_[place.wheel()];
      place.slot = slot_of(ticks, place.level);
      if ((wheel.unfolded & bit(place.slot)) == 0) return place;
      place.path[++place.level] = wheel.slots[place.slot];
    }
  }

  void insert(Index timer) {
    const Place place = find_place(ticks_of(timers_[timer].when));
    append(place.wheel(), place.slot, timer);
    unfold_if_full(place.wheel(), place.slot, place.level);
  }

  void append(Index at, unsigned slot, Index timer) {
    Wheel& wheel = wheels_[at];
    if ((wheel.used & bit(slot)) == 0) {
      wheel.used |= bit(slot);
      wheel.slots[slot] = timer;
      timers_[timer].next = timers_[timer].previous = timer;
      return;
    }
    const Index first = wheel.slots[slot];
    const Index last = std::exchange(timers_[first].previous, timer);
    timers_[last].next = timer;
    timers_[timer].next = first;
    timers_[timer].previous = last;
  }

  bool full(Index first) const {
    Index timer = first;
    for (std::size_t count = 1; count <= kFull; ++count) {
      timer = timers_[timer].next;
      if (timer == first) return false;
    }
    return true;
  }

  void unfold_if_full(Index at, unsigned slot, unsigned level) {
    for (; level + 1 < kLevels; ++level) {
      const Index first = wheels_[at].slots[slot];
      if (!full(first)) return;
      const Index finer = wheels_.take();
      spread(first, finer, level + 1);
      wheels_[at].slots[slot] = finer;
      wheels_[at].unfolded |= bit(slot);
      // Only the slot of them all can be full in turn.
      if (!std::has_single_bit(wheels_[finer].used)) return;
      at = finer;
      slot = static_cast<unsigned>(std::countr_zero(wheels_[finer].used));
    }
  }

  // A list, in its order, over the slots of a wheel.
  void spread(Index first, Index wheel, unsigned level) {
    const Index last = timers_[first].previous;
    for (Index timer = first;;) {
      const Index next = timers_[timer].next;
      append(wheel, slot_of(ticks_of(timers_[timer].when), level), timer);
      if (timer == last) return;
      timer = next;
    }
  }

  void remove(Index timer) {
    const Place place = find_place(ticks_of(timers_[timer].when));
    const auto [key, when, next, previous] = timers_[timer];
    if (next == timer) return clear(place);
    timers_[previous].next = next;
    timers_[next].previous = previous;
    Index& first = wheels_[place.wheel()].slots[place.slot];
    if (first == timer) first = next;
  }

  // The slot holds nothing any more, nor do the wheels that held only it.
  void clear(Place place) {
    for (;; --place.level) {
      Wheel& wheel = wheels_[place.wheel()];
      wheel.used &= ~bit(place.slot);
      wheel.unfolded &= ~bit(place.slot);
      if (wheel.used != 0 || place.level == 0) return;
      wheels_.give_back(place.wheel());
      place.slot = slot_of(place.ticks, place.level - 1);
    }
  }

  Index find_earliest() const {
    Index at = root_;
    for (unsigned level = 0;; ++level) {
      const Wheel& wheel = wheels_[at];
      KAD_CHECK(wheel.used != 0);
      const auto slot = static_cast<unsigned>(std::countr_zero(wheel.used));
      at = wheel.slots[slot];
      const bool ties = level + 1 == kLevels;
      if ((wheel.unfolded & bit(slot)) == 0) return ties ? at : earliest_of(at);
    }
  }

  // Of a list that is not full; of equals the one set first.
  Index earliest_of(Index first) const {
    Index best = first;
    for (Index timer = timers_[first].next; timer != first; timer = timers_[timer].next) {
      if (timers_[timer].when < timers_[best].when) best = timer;
    }
    return best;
  }

  Pool<Timer> timers_;
  Pool<Wheel> wheels_;
  Index root_ = wheels_.take();
  std::unordered_map<TimerKey, Index> armed_;
  Index earliest_ = kNone;
};

TimerWheel::TimerWheel() : wheels_(std::make_unique<Wheels>()) {}
TimerWheel::~TimerWheel() = default;
TimerWheel::TimerWheel(TimerWheel&&) noexcept = default;
TimerWheel& TimerWheel::operator=(TimerWheel&&) noexcept = default;

void TimerWheel::set(TimerKey key, Time when) {
  wheels_->disarm(key);
  if (when != kNever) wheels_->arm(key, when);
}

void TimerWheel::cancel(TimerKey key) { wheels_->disarm(key); }

Time TimerWheel::next() const {
  const Timer* earliest = wheels_->earliest();
  return earliest ? earliest->when : kNever;
}

std::optional<TimerKey> TimerWheel::expire(Time now) {
  const Timer* earliest = wheels_->earliest();
  if (!earliest || earliest->when > now) return std::nullopt;
  const TimerKey key = earliest->key;
  wheels_->disarm(key);
  return key;
}

std::size_t TimerWheel::size() const { return wheels_->size(); }

}  // namespace kadmesh
