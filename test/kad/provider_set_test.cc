#include "kad/provider_set.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "kad/params.h"

namespace kadmesh {
namespace {

Bytes member_of(std::size_t number) {
  return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

// The providers of one key; who is admitted is kept, a second after whoever came before.
struct Key {
  ProviderPolicy policy = ProviderPolicy::fair;
  std::vector<Row> kept;
  std::uint16_t next = 0;

  Bytes comes(std::uint64_t charge) {
    const Bytes member = member_of(next++);
    const auto displaced = admit(policy, kept, member, charge);
    if (!displaced) return {};
    REQUIRE(displaced->size() <= 1);
    const Bytes gone = displaced->empty() ? Bytes() : displaced->front();
    std::erase_if(kept, [&](const Row& row) { return row.member == gone; });
    kept.push_back(
        {Kind::provider, {1}, member, {}, WallTime(next * 1s), WallTime::max(), 0, charge});
    return gone;
  }
  std::size_t of(std::uint64_t charge) const {
    return static_cast<std::size_t>(std::ranges::count(kept, charge, &Row::charge));
  }
};

constexpr std::uint64_t kSybils = 1;

TEST_CASE("H56: 64 Sybils of one network do not keep a provider out, and lose their newest") {
  Key key;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(kSybils);
  CHECK(key.comes(2) == member_of(kMostProvidersOfKey - 1));
  CHECK(key.comes(3) == member_of(kMostProvidersOfKey - 2));
  CHECK(key.kept.size() == kMostProvidersOfKey);
  CHECK(key.of(2) == 1);
}

TEST_CASE("H56: 64 Sybils of one network flush no provider of another") {
  Key key;
  for (std::uint64_t honest = 2; honest < 12; ++honest) key.comes(honest);
  for (std::size_t i = 0; i < 2 * kMostProvidersOfKey; ++i) key.comes(kSybils);
  for (std::uint64_t honest = 2; honest < 12; ++honest) CHECK(key.of(honest) == 1);
  CHECK(key.of(kSybils) == kMostProvidersOfKey - 10);
}

TEST_CASE("H56: networks come to even shares of a key and stay there") {
  Key key;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(1);
  for (int round = 0; round < 100; ++round)
    for (const std::uint64_t charge : {2u, 1u, 3u, 4u}) key.comes(charge);
  for (const std::uint64_t charge : {1u, 2u, 3u, 4u}) CHECK(key.of(charge) == 16);
}

TEST_CASE("providers: each of its own network, who was first stays") {
  Key key;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(100 + i);
  CHECK_FALSE(admit(key.policy, key.kept, member_of(200), 7));
  CHECK(admit(key.policy, key.kept, member_of(5), 105)->empty());  // tells of itself again
}

TEST_CASE("providers: ourselves nobody displaces") {
  Key key;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(0);
  CHECK_FALSE(admit(key.policy, key.kept, member_of(200), 7));
}

TEST_CASE(
    "providers: whoever is admitted displaces all that are beyond, but neither us nor itself") {
  Key key;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(i < 60 ? 0 : kSybils);
  const auto add = [&](std::uint16_t number, std::uint64_t charge) {
    key.kept.push_back({Kind::provider,
                        {1},
                        member_of(number),
                        {},
                        WallTime(number * 1s),
                        WallTime::max(),
                        0,
                        charge});
  };
  add(100, kSybils), add(101, kSybils), add(102, 3);
  CHECK(admit(key.policy, key.kept, member_of(102), 3) ==
        std::vector{member_of(101), member_of(100), member_of(63)});
  CHECK(admit(key.policy, key.kept, member_of(200), 4)->size() == 4);
  // Also where none has more than another.
  for (Row& row : key.kept) row.charge = row.charge == 0 ? 0 : row.member.back();
  CHECK(admit(key.policy, key.kept, member_of(5), 0)->size() == 3);
  std::erase_if(key.kept, [](const Row& row) { return row.charge != 0; });
  for (std::uint16_t i = 300; i < 310; ++i) add(i, 0);
  CHECK(admit(key.policy, key.kept, member_of(5), 0)->empty());
  CHECK_FALSE(admit(key.policy, key.kept, member_of(200), 4));
}

TEST_CASE("providers: first come, first kept, for who wants that") {
  Key key;
  key.policy = ProviderPolicy::first_come;
  for (std::size_t i = 0; i < kMostProvidersOfKey; ++i) key.comes(kSybils);
  CHECK(admit(key.policy, key.kept, member_of(200), 2).error().code == Errc::limit);
}

}  // namespace
}  // namespace kadmesh
