#include "kad/region.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/params.h"
#include "kad/random_key.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::size_t kK = 20;

// A network whose walks find whom they should.
struct Town {
  std::vector<Contact> people;
  Rng rng{1};

  explicit Town(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) people.push_back(contact(i));
  }

  std::vector<Contact> closest(const KadId& target) const {
    std::vector<Contact> by_distance = people;
    std::ranges::sort(by_distance, {},
                      [&](const Contact& each) { return distance(KadId::of(each.peer), target); });
    by_distance.erase(
        by_distance.begin() + static_cast<std::ptrdiff_t>(std::min(kK, by_distance.size())),
        by_distance.end());
    return by_distance;
  }
  // The region around a key, and how many walks that took.
  std::pair<Region, std::size_t> explore(const KadId& key) {
    Region region(kK);
    region.on_walk(key, closest(key));
    std::size_t walks = 1;
    for (; const auto gap = region.gap(); ++walks) {
      const KadId target = KadId::of(*random_key(rng, gap->of, gap->bits));
      region.on_walk(target, closest(target));
    }
    return {std::move(region), walks};
  }
};

KadId key(std::uint32_t number) { return KadId::of(to_bytes(as_bytes(std::to_string(number)))); }

std::vector<PeerId> names(const std::vector<Contact>& contacts) {
  std::vector<PeerId> names;
  for (const Contact& each : contacts) names.push_back(each.peer);
  return names;
}

}  // namespace

TEST_CASE("region: of every key in it the k closest are known, as if each had been walked to") {
  for (const std::uint32_t size : {1U, 4U, 19U, 20U, 21U, 40U, 100U, 500U, 3'000U}) {
    CAPTURE(size);
    Town town(size);
    const auto [region, walks] = town.explore(key(0));
    CHECK(region.prefix().contains(key(0)));
    std::size_t inside = 0;
    for (std::uint32_t number = 0; number < 2'000; ++number) {
      if (!region.prefix().contains(key(number))) continue;
      ++inside;
      REQUIRE(names(region.closest(key(number))) == names(town.closest(key(number))));
    }
    CHECK(inside > 2'000 * kK / (8 * size + 8 * kK));
    CHECK(walks <= 8);
  }
}

TEST_CASE("region: where all peers share a prefix, keys elsewhere have a region nevertheless") {
  Town town(0);
  for (std::uint32_t from = 0; town.people.size() < 4; ++from) {
    from = in_bucket(peer(0), 5, from);
    town.people.push_back(contact(from));
  }
  const KadId elsewhere = flipped(KadId::of(peer(0)), 0);
  const auto [region, walks] = town.explore(elsewhere);
  CHECK(region.prefix().contains(elsewhere));
  CHECK(region.closest(elsewhere).size() == 4);
}

TEST_CASE("H56: ids made to lie close to a key cost a bounded number of walks") {
  Town town(500);
  const KadId victim = key(0);
  for (std::uint32_t from = 1'000; town.people.size() < 530; ++from)
    if (common_prefix(KadId::of(peer(from)), victim) >= 12) town.people.push_back(contact(from));
  const auto [region, walks] = town.explore(victim);
  CHECK(region.prefix().bits >= 10);
  CHECK(walks <= kMostRegionWalks);
  CHECK(names(region.closest(victim)) == names(town.closest(victim)));
}

TEST_CASE("region: its places are those of its prefix") {
  const KadId id = key(0);
  const Prefix whole{id, 0}, half{id, 1}, one{id, 200};
  CHECK(whole.first_place() == 0);
  CHECK(whole.last_place() == ~std::uint64_t{0});
  CHECK(half.last_place() - half.first_place() == ~std::uint64_t{0} >> 1);
  CHECK(one.first_place() == one.last_place());
}

}  // namespace kadmesh
