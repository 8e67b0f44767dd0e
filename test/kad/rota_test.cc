#include "kad/rota.h"

#include <doctest/doctest.h>

#include <set>

#include "kad/rows.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr WallTime kStart{1'700'000'000s};

Row provided(std::uint64_t place, WallTime delivered) {
  Row row = providing_row({1}, delivered);
  row.place = place;
  return row;
}

// From `delivered` on, when the row is due.
Duration wait(const Rota& rota, std::uint64_t place) {
  for (std::int64_t number = rota.latest(kStart) + 1;; ++number)
    if (rota.due(rota.moment(number), provided(place, kStart))) return rota.moment(number) - kStart;
}

}  // namespace

TEST_CASE("rota: what was never delivered is due, and what will have been") {
  const Rota rota(peer(0), 22h);
  CHECK(rota.due(kStart, provided(0, kNeverDelivered)));
  CHECK(rota.due(kStart, provided(0, kStart + 1s)));
  CHECK_FALSE(rota.due(kStart, provided(0, kStart)));
}

TEST_CASE("rota: every place comes within the interval, none soon, and the slices one by one") {
  const Rota rota(peer(0), 22h);
  std::set<Duration> waits;
  for (std::uint64_t slice = 0; slice < 64; ++slice) {
    const Duration first = wait(rota, slice << 58), last = wait(rota, ((slice + 1) << 58) - 1);
    CHECK(first == last);
    CHECK(first >= 2h);
    CHECK(first <= 22h);
    waits.insert(first);
  }
  CHECK(waits.size() == 64);
}

TEST_CASE("rota: the slices of one cycle are the whole space") {
  const Rota rota(peer(0), 22h);
  std::set<std::uint64_t> begins;
  for (std::int64_t number = 100; number < 100 + rota.slices(); ++number) {
    CHECK(begins.insert(rota.first_place(number)).second);
    CHECK(rota.last_place(number) - rota.first_place(number) == ~std::uint64_t{0} >> 6);
  }
  CHECK(begins.size() == 64);
}

TEST_CASE("rota: two nodes come to the same place at different times") {
  CHECK(wait(Rota(peer(0), 22h), 0) != wait(Rota(peer(1), 22h), 0));
}

TEST_CASE("rota: a short interval has fewer slices, down to one") {
  CHECK(Rota(peer(0), 22h).slices() == 64);
  CHECK(Rota(peer(0), 10s).slices() == 8);
  const Rota least(peer(0), 100ms);
  CHECK(least.slices() == 1);
  CHECK(least.first_place(7) == 0);
  CHECK(least.last_place(7) == ~std::uint64_t{0});
}

TEST_CASE("rota: it stands at the ends of the clock") {
  for (const Duration interval : {Duration(100ms), Duration(22h), Duration::max()}) {
    const Rota rota(peer(0), interval);
    for (const WallTime now : {WallTime::min(), WallTime{}, WallTime::max()}) {
      CHECK(rota.moment(rota.latest(now)) <= now);
      CHECK(rota.due(now, provided(0, kNeverDelivered)));
      CHECK_FALSE(rota.due(now, provided(~std::uint64_t{0}, after(now, -1ns))));
    }
  }
}

}  // namespace kadmesh
