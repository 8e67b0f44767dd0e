#include "kad/region_query.h"

#include <doctest/doctest.h>

#include "asking.h"
#include "kad/replicate_query.h"
#include "kad/rows.h"

namespace kadmesh {
using namespace testing;

namespace {

constexpr std::uint32_t kPeople = 24;

// One who replicates what it has among people who all know each other.
struct Replicating : Asking {
  Replicating() : Asking(kPeople) {
    for (std::uint32_t i = 1; i <= kPeople; ++i) table.on_serves(peer(i), listens_at(i), now);
  }
  KadMessage everybody() const {
    KadMessage answer{KadType::find_node, {}, {}, {}, {}};
    for (std::uint32_t i = 1; i <= kPeople; ++i) answer.closer.push_back({peer(i), {home(i)}, {}});
    return answer;
  }
  // The part of the space that is asked for once it is known who is there.
  Near page_of_round(std::uint64_t from) {
    const KadOp op =
        queries.start(turn(), std::make_unique<ReplicateQuery>(view, from, turn(), at(10min)),
                      Purpose::replicate, at(10min));
    drain();
    const StoreRows some{value_row(config, turn(), kKey, bytes("v"))};
    queries.on_stored(turn(), op, StoreTag::value, some);
    drain();
    stores.clear();
    while (!requests.empty()) answer_all(everybody());
    REQUIRE(stores.size() == 1);
    return std::get<Near>(stores[0].request);
  }
};

}  // namespace

TEST_CASE("replicate: where nothing is kept nobody is asked anything") {
  Replicating r;
  const KadOp op =
      r.queries.start(r.turn(), std::make_unique<ReplicateQuery>(r.view, 0, r.turn(), at(10min)),
                      Purpose::replicate, at(10min));
  r.drain();
  r.queries.on_stored(r.turn(), op, StoreTag::value, StoreRows{});
  r.drain();
  REQUIRE(r.ended.size() == 1);
  CHECK(r.ended[0].swept.to_end);
  CHECK(r.requests.empty());
}

TEST_CASE("replicate: a round begins where the one before was cut short") {
  Replicating r;
  r.config.k = 2 * kPeople;  // the region is all of the space
  CHECK(r.page_of_round(12'345).from == 12'345);
}

TEST_CASE(
    "replicate: a round begins at the beginning of its part when it was cut short elsewhere") {
  Replicating r;
  r.config.k = 4;
  const std::uint64_t self = place_of(r.self.bytes());
  const std::uint64_t elsewhere = ~self;
  const Near page = r.page_of_round(elsewhere);
  CHECK(page.from <= self);
  CHECK(self <= page.to);
  CHECK(page.to - page.from < ~std::uint64_t{0} / 2 + 1);
  CHECK(page.from != elsewhere);
}

}  // namespace kadmesh
