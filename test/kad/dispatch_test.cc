#include "kad/dispatch.h"

#include <doctest/doctest.h>

#include "kad/params.h"
#include "people.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr Time kNow = Time(1h);

std::vector<Contact> people(std::uint32_t from, std::uint32_t to) {
  std::vector<Contact> people;
  for (std::uint32_t number = from; number < to; ++number) people.push_back(contact(number));
  return people;
}

}  // namespace

TEST_CASE("dispatch: each peer is sent one message at a time, different peers at once") {
  Dispatch dispatch;
  dispatch.add(people(0, 2));
  dispatch.add(people(0, 2));
  REQUIRE(dispatch.next(kNow));
  REQUIRE(dispatch.next(kNow));
  CHECK_FALSE(dispatch.next(kNow));
  CHECK(dispatch.on_taken(kNow, peer(0)));
  const auto second = dispatch.next(kNow);
  REQUIRE(second);
  CHECK(second->to.peer == peer(0));
  CHECK(second->message == 1);
}

TEST_CASE("dispatch: a message is settled once everybody has answered, and taken if one took it") {
  Dispatch dispatch;
  dispatch.add(people(0, 3));
  while (dispatch.next(kNow)) {
  }
  dispatch.on_failure(kNow, peer(0));
  dispatch.on_taken(kNow, peer(1));
  CHECK_FALSE(dispatch.poll());
  CHECK_FALSE(dispatch.done());
  dispatch.on_failure(kNow, peer(2));
  const auto settled = dispatch.poll();
  REQUIRE(settled);
  CHECK(settled->taken);
  CHECK(dispatch.done());
}

TEST_CASE("dispatch: a message for nobody is settled at once, and was not taken") {
  Dispatch dispatch;
  dispatch.add({});
  const auto settled = dispatch.poll();
  REQUIRE(settled);
  CHECK_FALSE(settled->taken);
}

TEST_CASE("dispatch: whoever fails again and again is left out, of what comes later as well") {
  Dispatch dispatch;
  for (std::size_t i = 0; i < kMostFailures + 2; ++i) dispatch.add(people(0, 1));
  for (std::size_t i = 0; i < kMostFailures; ++i) {
    REQUIRE(dispatch.next(kNow));
    dispatch.on_failure(kNow, peer(0));
  }
  CHECK_FALSE(dispatch.next(kNow));
  std::size_t settled = 0;
  while (const auto each = dispatch.poll()) {
    CHECK_FALSE(each->taken);
    ++settled;
  }
  CHECK(settled == kMostFailures + 2);
  dispatch.clear();
  dispatch.add(people(0, 1));
  CHECK_FALSE(dispatch.next(kNow));
}

TEST_CASE("dispatch: an answer between two failures is a new beginning") {
  Dispatch dispatch;
  for (std::size_t i = 0; i < 2 * kMostFailures; ++i) dispatch.add(people(0, 1));
  for (std::size_t i = 0; i < 2 * kMostFailures; ++i) {
    REQUIRE(dispatch.next(kNow));
    if (i % kMostFailures == 1)
      dispatch.on_taken(kNow, peer(0));
    else
      dispatch.on_failure(kNow, peer(0));
  }
}

TEST_CASE("dispatch: who will not take something has not failed") {
  Dispatch dispatch;
  for (std::size_t i = 0; i < 2 * kMostFailures; ++i) dispatch.add(people(0, 1));
  for (std::size_t i = 0; i < 2 * kMostFailures; ++i) {
    REQUIRE(dispatch.next(kNow));
    dispatch.on_refused(kNow, peer(0));
  }
  while (const auto settled = dispatch.poll()) CHECK_FALSE(settled->taken);
}

TEST_CASE("dispatch: whoever is slow each time is left out, with what it took taken") {
  Dispatch dispatch;
  for (std::size_t i = 0; i < 2 * kMostFailures; ++i) dispatch.add(people(0, 1));
  Time now = kNow;
  for (std::size_t i = 0; i < kMostFailures; ++i) {
    REQUIRE(dispatch.next(now));
    now += Dispatch::kSlow;
    dispatch.on_taken(now, peer(0));
  }
  CHECK_FALSE(dispatch.next(now));
  std::size_t taken = 0;
  while (const auto settled = dispatch.poll()) taken += settled->taken ? 1U : 0U;
  CHECK(taken == kMostFailures);
}

TEST_CASE("dispatch: not more than a few peers are sent something at once") {
  Dispatch dispatch;
  dispatch.add(people(0, static_cast<std::uint32_t>(kMostSending) + 1));
  const auto first = dispatch.next(kNow);
  REQUIRE(first);
  for (std::size_t i = 1; i < kMostSending; ++i) REQUIRE(dispatch.next(kNow));
  CHECK_FALSE(dispatch.next(kNow));
  dispatch.on_taken(kNow, first->to.peer);
  CHECK(dispatch.next(kNow));
}

TEST_CASE("dispatch: late and invented answers change nothing") {
  Dispatch dispatch;
  dispatch.add(people(0, 1));
  CHECK_FALSE(dispatch.on_taken(kNow, peer(0)));
  REQUIRE(dispatch.next(kNow));
  CHECK(dispatch.sending(peer(0)) == 0);
  CHECK_FALSE(dispatch.on_taken(kNow, peer(1)));
  dispatch.expire();
  CHECK_FALSE(dispatch.on_taken(kNow, peer(0)));
  const auto settled = dispatch.poll();
  REQUIRE(settled);
  CHECK_FALSE(settled->taken);
  CHECK(dispatch.done());
}

}  // namespace kadmesh
