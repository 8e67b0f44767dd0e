// Backfill on real sockets, from a log in memory and from a store of the application's own.
#include "hosts.h"

namespace kadmesh {
namespace {

struct Readers : Hosts {
  std::unique_ptr<Host> keeper(Keep keep) {
    HostConfig config;
    config.node.backfill.keep = keep;
    return host(std::move(config));
  }
  Result<BackfillReport> backfill(Host& who, Host& from) {
    return run<BackfillReport>([&](auto token) { who.async_backfill(from.id(), "news", token); });
  }
  void read(Host& who, std::vector<std::string>& into) {
    REQUIRE(who.subscribe("news", [&into](const GossipDeliver& delivered) {
      CHECK(delivered.backfilled);
      into.emplace_back(as_text(delivered.message.data));
    }));
  }
  static Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

  std::vector<std::string> heard;
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Readers, "host: backfill brings what was published to nobody, once") {
  const auto alice = keeper(Keep::in_memory), bob = host();
  REQUIRE(alice->subscribe("news", nullptr));
  for (const char* words : {"one", "two"})
    REQUIRE(alice->publish("news", text(words)).value().peers.empty());
  read(*bob, heard);
  REQUIRE(connect(*bob, *alice));
  CHECK(backfill(*bob, *alice).value().taken == 2);
  CHECK(backfill(*bob, *alice).value().duplicates == 2);
  CHECK(run_until([&] { return heard.size() == 2; }));
  CHECK(heard == Words{"one", "two"});
}

TEST_CASE_FIXTURE(Readers, "host: an application keeps and tells from a store of its own") {
  const auto alice = keeper(Keep::by_application), bob = host();
  std::vector<Bytes> store;
  alice->set_backfill([&](const GossipKeep& kept) { store.push_back(kept.message); },
                      [&](const BackfillAsked& asked) {
                        CHECK(asked.peer == bob->id());
                        CHECK(alice->tell_backfill(asked.id, BackfillPage{.messages = store}));
                      });
  REQUIRE(alice->subscribe("news", nullptr));
  REQUIRE(alice->publish("news", text("one")));
  CHECK(run_until([&] { return store.size() == 1; }));
  read(*bob, heard);
  REQUIRE(connect(*bob, *alice));
  CHECK(backfill(*bob, *alice).value().complete);
  CHECK(run_until([&] { return heard == Words{"one"}; }));
}

}  // namespace kadmesh
