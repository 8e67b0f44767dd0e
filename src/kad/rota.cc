#include "kad/rota.h"

#include "kad/params.h"
#include "kad/rows.h"

namespace kadmesh {
namespace {

constexpr std::int64_t kElevenths = 11;
constexpr unsigned kPlaceBits = 64;

// Slices whose moments are no closer than kLeastRotaStep.
unsigned bits_for(Duration cycle) {
  unsigned bits = kRotaBits;
  while (bits > 0 && cycle / (std::int64_t{1} << bits) < kLeastRotaStep) --bits;
  return bits;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Rota::Rota(const PeerId& self, Duration interval) : grace_(interval / kElevenths) {
  const Duration cycle = interval - grace_;
  bits_ = bits_for(cycle);
  step_ = std::max(cycle / slices(), Duration(1));
  const auto draw = static_cast<std::int64_t>(place_of(self.bytes()) >> 1);
  offset_ = Duration(draw) % (step_ * slices());
}

std::int64_t Rota::latest(WallTime now) const {
  return floor_div(after(now, -offset_).time_since_epoch().count(), step_.count());
}

WallTime Rota::moment(std::int64_t number) const {
  if (number > Duration::max() / step_) return WallTime::max();
  if (number < Duration::min() / step_) return WallTime::min();
  return after(WallTime(number * step_), offset_);
}

std::uint64_t Rota::slice_of(std::int64_t number) const {
  return static_cast<std::uint64_t>(number - floor_div(number, slices()) * slices());
}

std::uint64_t Rota::first_place(std::int64_t number) const {
  return bits_ == 0 ? 0 : slice_of(number) << (kPlaceBits - bits_);
}

std::uint64_t Rota::last_place(std::int64_t number) const {
  return first_place(number) + (~std::uint64_t{0} >> bits_);
}

std::int64_t Rota::latest_of(std::uint64_t place, WallTime now) const {
  const std::int64_t number = latest(now);
  const std::uint64_t slice = bits_ == 0 ? 0 : place >> (kPlaceBits - bits_);
  const auto since = static_cast<std::int64_t>(slice_of(number)) - static_cast<std::int64_t>(slice);
  return number - (since < 0 ? since + slices() : since);
}

bool Rota::due(WallTime now, const Row& row) const {
  if (row.received == kNeverDelivered || row.received > now) return true;
  return after(row.received, grace_) <= moment(latest_of(row.place, now));
}

}  // namespace kadmesh
