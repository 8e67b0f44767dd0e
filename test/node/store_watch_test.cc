#include "node/store_watch.h"

#include "sim/world.h"
#include "store/memory_store.h"
#include "town.h"

namespace kadmesh {
namespace {

StoreResult failed(Errc code) { return fail(code, "trouble"); }

}  // namespace

TEST_CASE("store watch: trouble is told of at once, and then once a minute with how much it was") {
  StoreWatch watch;
  const auto told = [&](Duration at) {
    const auto error = watch.on_stored(Time(at), true, failed(Errc::io));
    return error ? error->detail : std::string();
  };
  CHECK(told(0s) == "trouble");
  CHECK(told(1s).empty());
  CHECK(told(59s).empty());
  CHECK(told(60s) == "trouble; and 2 times before this");
  CHECK(told(200s) == "trouble");
  CHECK(watch.stats().failed == 5);
}

TEST_CASE("store watch: a full disk is told of although rows are refused for want of room") {
  StoreWatch watch;
  CHECK(watch.on_stored(Time{}, true, failed(Errc::limit)).value().code == Errc::limit);
  CHECK(watch.on_stored(Time{}, true, failed(Errc::io)).value().code == Errc::io);
  CHECK(watch.stats().refused == 1);
  CHECK(watch.stats().failed == 1);
}

TEST_CASE("store watch: that a writer was overtaken by another is no trouble") {
  StoreWatch watch;
  CHECK_FALSE(watch.on_stored(Time{}, true, failed(Errc::refused)));
  CHECK(watch.stats().failed == 0);
}

TEST_CASE("store watch: what a save displaced is counted, what a load brings is not") {
  StoreWatch watch;
  CHECK_FALSE(watch.on_stored(Time{}, true, StoreRows(3)));
  CHECK_FALSE(watch.on_stored(Time{}, false, StoreRows(5)));
  CHECK(watch.stats().displaced == 3);
}

TEST_CASE("node: a disk that fails is a notice a minute and a number, whatever is asked of it") {
  Town town;
  const auto alice = town.citizen();
  town.trouble_stores({.io_ppm = 1'000'000});
  for (int i = 0; i < 100; ++i) {
    town.get(alice, "/v/" + std::to_string(i));
    town.run_for(1s);
  }
  const auto notices = std::ranges::count_if(town.reports(alice), [](const Report& report) {
    const auto* notice = std::get_if<Notice>(&report);
    return notice && notice->area == "store";
  });
  CHECK(notices == 2);
  CHECK(town.node(alice).stats().store.failed >= 100);
}

}  // namespace kadmesh
