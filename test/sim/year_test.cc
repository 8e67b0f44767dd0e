// A year of nodes' lives, a tenth of it for each of ten: what long uptime breaks.
#include "scene.h"

namespace kadmesh {
namespace {

struct Year : Scene {
  Year() : Scene(config()) {
    on_report([this](Index, const Report& report) {
      left += std::holds_alternative<PeerDisconnected>(report) ? 1U : 0U;
      heard += std::holds_alternative<MessageDelivered>(report) ? 1U : 0U;
      if (const auto* done = std::get_if<OpDone>(&report)) ended(done->result);
    });
    Scene::nodes(10);
    subscribe_all("news");
    run_for(60s);
  }
  static WorldConfig config() {
    WorldConfig config;
    config.keep_reports = false;
    config.check_every = 1024;
    return config;
  }
  // A message, and a value that is better than yesterday's; how many turns it took.
  std::uint64_t live(std::size_t day) {
    const std::uint64_t before = turns();
    const std::string text = "of day " + std::to_string(1000 + day);
    REQUIRE(publish(day % 10, "news", text));
    put(day % 10, "/v/day", text);
    run_for(23h);
    get((day + 5) % 10, "/v/day");
    run_for(1h);
    return turns() - before;
  }
  std::size_t kept() const {
    std::size_t rows = 0;
    for (Index i = 0; i < nodes(); ++i) rows += store(i).rows();
    return rows;
  }

  void ended(const Result<OpReport>& result) {
    if (!result || !std::holds_alternative<KadReport>(*result)) return;
    const auto& report = std::get<KadReport>(*result);
    if (const auto* put = std::get_if<PutReport>(&report)) taken += put->acknowledged;
    if (const auto* get = std::get_if<GetReport>(&report)) last_read = as_text(get->value);
  }

  std::size_t left = 0, heard = 0, taken = 0;
  std::string last_read;
};

}  // namespace

TEST_CASE("a year: no day differs from the third, and nothing grows") {
  Year w;
  w.live(1);
  w.live(2);
  const std::uint64_t usual = w.live(3);
  const std::size_t kept = w.kept();
  for (std::size_t day = 4; day <= 37; ++day) {
    CAPTURE(day);
    const std::uint64_t turns = w.live(day);
    CHECK(w.heard == day * 9);
    CHECK(w.taken == day * 9);
    CHECK(w.last_read == "of day " + std::to_string(1000 + day));
    CHECK(turns < usual + usual / 20);
    CHECK(turns > usual - usual / 20);
    CHECK(w.kept() <= kept + 10);
  }
  CHECK(w.left == 0);
  CHECK(w.quiesce().empty());
}

}  // namespace kadmesh
