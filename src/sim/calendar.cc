#include "sim/calendar.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace kadmesh {
namespace {

constexpr std::uint64_t bit(std::uint64_t slot) { return std::uint64_t{1} << slot; }

}  // namespace

// Times before the epoch keep their order, too.
Calendar::Ticks Calendar::ticks(Time time) {
  return static_cast<Ticks>(time.time_since_epoch().count()) ^ (Ticks{1} << 63);
}

Calendar::Calendar(Time start) : now_(start), base_(ticks(start)), limit_(base_) {
  next_.reserve(2 * kLongRun);
}

void Calendar::push(const Event& event) {
  KAD_CHECK(event.at >= now_);
  ++size_;
  if (event.at == now_) return today_.push_back(event);
  if (ticks(event.at) >= limit_) return file(event);
  insert(event);
  if (next_.size() - head_ > kLongRun) shorten();
}

// Behind its equals.
void Calendar::insert(const Event& event) {
  next_.push_back(event);
  std::size_t at = next_.size() - 1;
  for (; at > head_ && next_[at - 1].at > event.at; --at) next_[at] = next_[at - 1];
  next_[at] = event;
}

void Calendar::file(const Event& event) {
  const Ticks when = ticks(event.at);
  const Ticks differs = when ^ base_;
  const unsigned level =
      differs == 0 ? 0 : static_cast<unsigned>(std::bit_width(differs) - 1) / kBits;
  const auto number = (when >> (level * kBits)) % kSlots;
  Slot& slot = wheels_[level].slots[number];
  wheels_[level].used |= bit(number);
  if (slot.count == 0 || blocks_[slot.last].count == Block::kRoom) {
    const std::uint32_t fresh = blocks_.take();
    blocks_[fresh].count = 0;
    blocks_[fresh].next = Blocks::kNone;
    (slot.count == 0 ? slot.first : blocks_[slot.last].next) = fresh;
    slot.last = fresh;
  }
  Block& block = blocks_[slot.last];
  block.events[block.count++] = event;
  ++slot.count;
}

// The later ones of a run that has grown long go to the wheels; equals stay together.
void Calendar::shorten() {
  const auto begin = next_.begin() + static_cast<std::ptrdiff_t>(head_);
  const Time later = (begin + kRun)->at;
  const auto cut = std::lower_bound(begin, next_.end(), later,
                                    [](const Event& event, Time time) { return event.at < time; });
  if (cut == begin) return;
  limit_ = ticks(later);
  std::for_each(cut, next_.end(), [this](const Event& event) { file(event); });
  next_.erase(cut, next_.end());
}

template <class Visit>
void Calendar::empty(Slot& slot, Visit visit) {
  const Slot old = std::exchange(slot, {});
  for (std::uint32_t at = old.first; at != Blocks::kNone;) {
    const Block& block = blocks_[at];
    for (std::uint32_t i = 0; i < block.count; ++i) visit(block.events[i]);
    const std::uint32_t after = block.next;
    blocks_.give_back(at);
    at = after;
  }
}

// Takes the earliest slot, if it begins by `limit`, into the run or into the finer wheel.
// Everything in a finer wheel is earlier than anything in a coarser one.
bool Calendar::refill(Ticks limit) {
  for (unsigned level = 0; level < kLevels; ++level) {
    Wheel& wheel = wheels_[level];
    if (wheel.used == 0) continue;
    const auto number = static_cast<unsigned>(std::countr_zero(wheel.used));
    const unsigned shift = level * kBits;
    const Ticks above = shift + kBits >= 64 ? 0 : base_ >> (shift + kBits) << (shift + kBits);
    const Ticks begin = above | Ticks{number} << shift;
    if (begin > limit) return false;
    base_ = begin;
    wheel.used &= ~bit(number);
    Slot& slot = wheel.slots[number];
    if (level == 0 || slot.count <= kRun) {
      limit_ = begin + (Ticks{1} << shift);
      if (limit_ < begin) limit_ = ~Ticks{0};  // the last slot of all
      empty(slot, [this](const Event& event) { insert(event); });
    } else {
      limit_ = begin;
      empty(slot, [this](const Event& event) { file(event); });
    }
    return true;
  }
  return false;
}

CalendarEvent Calendar::take_first(std::vector<Event>& run, std::size_t& head) {
  const Event event = run[head++];
  if (head == run.size()) {
    run.clear();
    head = 0;
  } else if (head >= kLongRun && 2 * head >= run.size()) {
    run.erase(run.begin(), run.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
  return event;
}

std::optional<CalendarEvent> Calendar::pop(Time limit) {
  while (head_ == next_.size() && today_.empty())
    if (!refill(ticks(limit))) return now_ = std::max(now_, limit), std::nullopt;
  const bool today = !today_.empty() && (head_ == next_.size() || next_[head_].at > now_);
  if ((today ? now_ : next_[head_].at) > limit) return now_ = std::max(now_, limit), std::nullopt;
  --size_;
  if (today) return take_first(today_, today_head_);
  const Event event = take_first(next_, head_);
  now_ = event.at;
  return event;
}

}  // namespace kadmesh
