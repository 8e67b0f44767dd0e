// What will happen, in the order of (time, order of entry). Events are small values; nothing is
// allocated for one once the calendar has grown to its size.
//
// A wheel of wheels, 64 slots each, one for every value of 6 bits of a time, filed by the highest
// digit in which an event differs from where the calendar stands (`base_`); before them a short
// sorted run of what comes next:
//
//   next_ [ 3 5 5 9 |limit_      slots of the finest wheel in use, then of the coarser ones
//          pop here               taken into next_ when few, spread over the finer wheel when many
//
// What is entered for this very moment waits in `today_`: all that was entered before for the same
// moment is in next_, and comes first.
//
// An event moves down once per digit at most, to the next run sooner when it is nearly alone: the
// cost does not grow with how many are pending. Whatever keeps its order within a slot keeps the
// order of entry among equal times, so no sequence number is stored.
//
// It is the clock, too: the time of what was popped last, or the limit up to which there was
// nothing. It never goes back, and an event must not lie before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "sim/slab.h"

namespace kadmesh {

struct CalendarEvent {
  Time at;
  std::uint32_t kind;  // the caller's, as are the two others
  std::uint32_t which;
  std::uint64_t what;
};

class Calendar {
 public:
  explicit Calendar(Time start = Time{});

  Time now() const { return now_; }
  void push(const CalendarEvent& event);
  // The next event that is not later than `limit`; without one, it is `limit` now.
  std::optional<CalendarEvent> pop(Time limit);
  // What comes next, if that is known already: whoever needs memory for it can ask for it early.
  const CalendarEvent* peek() const { return head_ < next_.size() ? &next_[head_] : nullptr; }
  std::size_t size() const { return size_; }

 private:
  using Ticks = std::uint64_t;
  using Event = CalendarEvent;

  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kSlots = std::size_t{1} << kBits;
  static constexpr unsigned kLevels = 11;
  // Sorted by insertion: more are cheaper to spread over the finer wheel.
  static constexpr std::size_t kRun = 64;
  // Of next_: what is later goes back to the wheels, or insertion would move too much.
  static constexpr std::size_t kLongRun = 4 * kRun;

  struct Block {
    static constexpr std::size_t kRoom = 16;
    std::array<Event, kRoom> events;
    std::uint32_t count, next;
  };
  using Blocks = Slab<Block, 5>;
  struct Slot {
    std::uint32_t first = Blocks::kNone, last = Blocks::kNone;
    std::uint32_t count = 0;
  };
  struct Wheel {
    std::uint64_t used = 0;  // a bit for each slot that holds anything
    std::array<Slot, kSlots> slots;
  };

  static Ticks ticks(Time time);
  void insert(const Event& event);
  void file(const Event& event);
  void shorten();
  bool refill(Ticks limit);
  static Event take_first(std::vector<Event>& run, std::size_t& head);
  template <class Visit>
  void empty(Slot& slot, Visit visit);

  Time now_;
  Ticks base_;   // no event in the wheels is before it
  Ticks limit_;  // what is before it belongs into next_
  std::vector<Event> next_;
  std::size_t head_ = 0;  // of next_: what is before it has been popped
  std::vector<Event> today_;
  std::size_t today_head_ = 0;
  std::size_t size_ = 0;
  std::array<Wheel, kLevels> wheels_;
  Blocks blocks_;
};

}  // namespace kadmesh
