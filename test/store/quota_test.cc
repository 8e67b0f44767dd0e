// Who gives way when what peers want kept is full: one rule, told of both stores.
#include "store/quota.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"
#include "folder.h"
#include "store/memory_store.h"
#include "store/row_bounds.h"
#include "store/sqlite_store.h"

namespace kadmesh {
namespace {

constexpr WallTime kNow = WallTime(1'000'000s);
constexpr std::uint64_t kHome = 0x5a5a'0000'1111'ffff;
// Seventy rows for peers, be they all of one.
constexpr StoreLimits kSmall{.rows = 80, .bytes = 80'000, .charge_share = 1};

std::uint64_t from_home(const Row& row) { return row.place ^ kHome; }

// A row of its own at each place.
Row row(std::uint64_t charge, std::uint64_t place, std::size_t size = 8) {
  Row out;
  out.kind = Kind::value;
  for (unsigned shift = 64; shift > 0; shift -= 8)
    out.key.push_back(static_cast<std::uint8_t>(place >> (shift - 8)));
  out.value = Bytes(size, 1);
  out.received = kNow;
  out.place = place;
  out.charge = charge;
  return out;
}

struct Shop {
  explicit Shop(Store& of) : store(of) {}
  StoreResult save(Row what, WallTime now = kNow) {
    return store.run(now, {Save{std::move(what), kHome}}).front();
  }
  StoreRows all() { return *store.run(kNow, {Near{Kind::value, 0, ~0ull, {}, {}, 1000}}).front(); }
  StoreRows of(std::uint64_t charge) {
    StoreRows rows = all();
    std::erase_if(rows, [&](const Row& r) { return r.charge != charge; });
    return rows;
  }
  Store& store;
};

template <class Story>
void with_both(StoreLimits limits, Story story) {
  SUBCASE("memory") {
    MemoryStore store(limits);
    story(Shop(store));
  }
  SUBCASE("sqlite") {
    const Folder folder;
    const auto store = SqliteStore::open(folder.path / "store.db", limits);
    REQUIRE(store.has_value());
    story(Shop(**store));
  }
}

}  // namespace

TEST_CASE("H56: one network displaces only itself, however many rows it sends and however near") {
  with_both(kSmall, [](Shop shop) {
    Rng luck(1);
    for (std::uint64_t honest = 2; honest < 9; ++honest)
      for (int i = 0; i < 5; ++i) REQUIRE(shop.save(row(honest, luck.next())));
    REQUIRE(shop.save(row(0, luck.next())));
    std::vector<std::uint64_t> sent;
    for (int i = 0; i < 500; ++i) {
      sent.push_back(kHome ^ (luck.next() >> 20));
      (void)shop.save(row(1, sent.back()));
    }
    for (std::uint64_t honest = 2; honest < 9; ++honest) CHECK(shop.of(honest).size() == 5);
    CHECK(shop.of(0).size() == 1);
    const StoreRows left = shop.of(1);
    CHECK(left.size() == 70 - 36);
    // The nearest that it sent.
    std::ranges::sort(sent, {}, [](std::uint64_t place) { return place ^ kHome; });
    for (const Row& kept : left) CHECK(from_home(kept) <= (sent[left.size() - 1] ^ kHome));
  });
}

TEST_CASE("H56: who has little takes what is farthest of who has most, down to an even share") {
  with_both(kSmall, [](Shop shop) {
    Rng luck(2);
    for (int i = 0; i < 70; ++i) REQUIRE(shop.save(row(1, luck.next())));
    for (int i = 0; i < 40; ++i) {
      const auto before = shop.of(1);
      const auto gone = shop.save(row(2, luck.next()));
      if (!gone || gone->front().charge != 1) continue;
      REQUIRE(gone->size() == 1);
      CHECK(from_home(gone->front()) ==
            from_home(*std::ranges::max_element(before, {}, from_home)));
      CHECK(gone->front().value.empty());
    }
    CHECK(shop.of(1).size() == 35);
    CHECK(shop.of(2).size() == 35);
  });
}

TEST_CASE("H65: a store without any room refuses") {
  with_both({.rows = 0, .bytes = 0}, [](Shop shop) {
    CHECK(shop.save(row(1, 7)).error().code == Errc::limit);
    CHECK(shop.save(row(0, 7)).error().code == Errc::limit);
    CHECK(shop.all().empty());
  });
}

TEST_CASE("H65: a store that is full of what is ours has no room for peers") {
  with_both({.rows = 1, .bytes = 100}, [](Shop shop) {
    REQUIRE(shop.save(row(0, 7)));
    CHECK(shop.save(row(1, kHome)).error().code == Errc::limit);
    CHECK(shop.of(0).size() == 1);
  });
}

TEST_CASE("quota: many small rows weigh as much as the few large ones whose room they take") {
  with_both(kSmall, [](Shop shop) {
    Rng luck(3);
    REQUIRE(shop.save(row(1, luck.next(), 4000)));
    for (int i = 0; i < 69; ++i) REQUIRE(shop.save(row(2, luck.next(), 0)));
    const auto gone = shop.save(row(3, luck.next()));
    REQUIRE(gone.has_value());
    CHECK(gone->front().charge == 2);
  });
}

TEST_CASE("quota: a large row takes the place of as many small ones as it needs") {
  with_both({.rows = 80, .bytes = 8'000, .charge_share = 1}, [](Shop shop) {
    Rng luck(4);
    while (shop.all().size() < 70) REQUIRE(shop.save(row(1, luck.next(), 90)));
    const auto gone = shop.save(row(2, luck.next(), 1000));
    REQUIRE(gone.has_value());
    CHECK(gone->size() > 8);
    CHECK(shop.store.bytes() <= 7'000);
    CHECK(shop.of(2).size() == 1);
  });
}

TEST_CASE("quota: where nobody is to give way, the comer is refused") {
  StoreLimits limits = kSmall;
  limits.when_full = WhenFull::refuse;
  with_both(limits, [](Shop shop) {
    for (std::uint64_t i = 0; i < 70; ++i) REQUIRE(shop.save(row(1, ~kHome - i)));
    CHECK(shop.save(row(2, kHome)).error().code == Errc::limit);
    CHECK(shop.of(1).size() == 70);
  });
}

TEST_CASE("H56: one network has no more than its part, even where there is room") {
  StoreLimits limits = kSmall;
  limits.charge_share = 4;
  with_both(limits, [](Shop shop) {
    Rng luck(6);
    std::vector<std::uint64_t> sent;
    for (int i = 0; i < 100; ++i) {
      sent.push_back(luck.next());
      (void)shop.save(row(1, sent.back()));
    }
    const StoreRows left = shop.of(1);
    CHECK(left.size() == 20);
    std::ranges::sort(sent, {}, [](std::uint64_t place) { return place ^ kHome; });
    for (const Row& kept : left) CHECK(from_home(kept) <= (sent[19] ^ kHome));
    CHECK(shop.save(left.front()));  // what it has it may say again
    REQUIRE(shop.save(row(2, luck.next())));
    CHECK(shop.of(1).size() == 20);
    for (int i = 0; i < 40; ++i) REQUIRE(shop.save(row(0, luck.next())));
  });
}

TEST_CASE("H65: a row larger than its charge's part is refused, and another's stay") {
  with_both({.rows = 80, .bytes = 8'000}, [](Shop shop) {
    REQUIRE(shop.save(row(2, 5)));
    CHECK(shop.save(row(1, 7, 3'000)).error().code == Errc::limit);
    CHECK(shop.all().size() == 1);
  });
}

TEST_CASE("quota: what has expired gives its room before anybody's does, a part at a time") {
  with_both({.rows = 800, .bytes = 800'000, .charge_share = 1}, [](Shop shop) {
    Rng luck(7);
    for (int i = 0; i < 600; ++i) {
      Row brief = row(2, luck.next());
      brief.expires = kNow + 1h;
      REQUIRE(shop.save(brief));
    }
    for (int i = 0; i < 100; ++i) REQUIRE(shop.save(row(1, luck.next())));
    REQUIRE(shop.save(row(3, luck.next()), kNow + 59min)->size() == 1);
    const auto gone = shop.save(row(3, luck.next()), kNow + 1h);
    REQUIRE(gone.has_value());
    CHECK(gone->empty());
    CHECK(shop.of(1).size() == 100);
    CHECK(shop.store.rows() == 700 - kMostSwept + 1);
  });
}

TEST_CASE("H56: a comer that is refused has displaced nobody, and not what it was to replace") {
  with_both({.rows = 80, .bytes = 8'000, .charge_share = 1}, [](Shop shop) {
    const Row old = row(1, ~kHome, 500);  // the farthest of all
    REQUIRE(shop.save(old));
    for (std::uint64_t i = 1; i <= 4; ++i) REQUIRE(shop.save(row(1, kHome + i, 1'400)));
    const StoreRows before = shop.all();
    const std::size_t bytes = shop.store.bytes();
    // Its charge has nothing to give, and the other gives but one row before it is light enough.
    CHECK(shop.save(row(2, ~kHome, 3'000)).error().code == Errc::limit);
    CHECK(shop.all() == before);
    CHECK(shop.store.bytes() == bytes);
  });
}

// The naive rule: of all rows, looked at one by one.
struct Model {
  explicit Model(std::size_t charge_share) : share(charge_share) {}

  std::size_t weight(std::uint64_t charge) const {
    std::size_t sum = 0;
    for (const Row& r : rows) sum += r.charge == charge ? size_of(r) + 1000 : 0;
    return sum;
  }
  bool fits(const Row& row) const {
    std::size_t count = 1, bytes = size_of(row);
    const Row* old = nullptr;
    for (const Row& r : rows)
      if (r.key == row.key)
        old = &r;
      else
        ++count, bytes += size_of(r);
    const bool own = row.charge == 0 || (old && size_of(row) <= size_of(*old));
    return own ? count <= 80 && bytes <= 80'000 : count <= 70 && bytes <= 70'000;
  }
  bool in_share(const Row& row) const {
    std::size_t count = 1, bytes = size_of(row);
    for (const Row& r : rows) {
      if (r.charge != row.charge) continue;
      if (r.key == row.key && size_of(row) <= size_of(r)) return true;
      if (r.key != row.key) ++count, bytes += size_of(r);
    }
    return row.charge == 0 || share == 1 || (count <= 80 / share && bytes <= 80'000 / share);
  }
  bool save(const Row& row) {
    const StoreRows before = rows;
    if (displace(row)) return true;
    rows = before;
    return false;
  }
  bool displace(const Row& row) {
    while (!in_share(row) || !fits(row)) {
      std::pair<std::size_t, std::uint64_t> heaviest{};
      for (const Row& r : rows)
        if (r.charge != 0) heaviest = std::max(heaviest, {weight(r.charge), r.charge});
      if (row.charge == 0 || heaviest.second == 0) return false;
      std::uint64_t from = heaviest.second;
      const std::size_t least = weight(row.charge) + 2 * (size_of(row) + 1000);
      if (!in_share(row) || weight(from) < least) from = row.charge;
      const auto rank = [&](const Row& r) { return std::pair(r.charge == from, from_home(r)); };
      const auto far = std::ranges::max_element(rows, {}, rank);
      if (far == rows.end() || far->charge != from) return false;
      if (from == row.charge && from_home(*far) <= from_home(row)) return false;
      rows.erase(far);
    }
    std::erase_if(rows, [&](const Row& r) { return r.key == row.key; });
    rows.push_back(row);
    return true;
  }
  std::size_t share;
  StoreRows rows;
};

void check_against_model(std::size_t share) {
  StoreLimits limits = kSmall;
  limits.charge_share = share;
  with_both(limits, [&](Shop shop) {
    Rng luck(5);
    Model model(share);
    std::size_t refused = 0, displaced = 0;
    for (int step = 0; step < 1500; ++step) {
      // Few places, so that rows are replaced, also by who is charged otherwise.
      const std::uint64_t place = luck.below(150) * 0x0123'4567'89ab'cdef;
      const Row next = row(luck.below(6), place, luck.below(3) * 1500);
      const std::size_t before = model.rows.size();
      const auto saved = shop.save(next);
      REQUIRE(saved.has_value() == model.save(next));
      refused += !saved;
      displaced += saved && !saved->empty();
      std::ranges::sort(model.rows, {}, [](const Row& r) { return std::pair(r.place, r.key); });
      REQUIRE(shop.all() == model.rows);
      if (luck.below(10) == 0 && before > 0) {
        const Row gone = model.rows[luck.below(model.rows.size())];
        shop.store.run(kNow, {Erase{Kind::value, gone.key, {}}});
        std::erase(model.rows, gone);
      }
    }
    CHECK(refused > 20);
    CHECK(displaced > 20);
  });
}

TEST_CASE("quota: both stores do as the naive rule does, row by row") { check_against_model(1); }
TEST_CASE("quota: so they do where each charge has a part") { check_against_model(4); }

}  // namespace kadmesh
