#include <functional>

#include "router.h"

namespace kadmesh {
using namespace testing;

namespace {

std::string broken(const std::function<void(GossipConfig&)>& change) {
  GossipConfig config;
  change(config);
  const auto checked = check(config);
  return checked ? "none" : checked.error().detail;
}

}  // namespace

TEST_CASE("config: the defaults hold, and so does a mesh that is cut") {
  CHECK(check(GossipConfig{}));
  CHECK(broken([](auto& c) { c.d = c.d_lo = c.d_hi = c.d_out = 0; }) == "none");
  CHECK(broken([](auto& c) { c.d = c.d_lo = c.d_hi = 2, c.d_out = 1; }) == "none");
}

TEST_CASE("H47: a mesh whose bounds contradict each other is refused by name") {
  const auto says = [](const std::string& text, const std::string& name) {
    CHECK(text == "gossip: the configuration breaks " + name);
  };
  says(broken([](auto& c) { c.d_lo = 7; }), "d_lo <= d");
  says(broken([](auto& c) { c.d_hi = 0; }), "d <= d_hi");
  says(broken([](auto& c) { c.d_hi = static_cast<std::size_t>(-1); }), "d_hi <= 1000");
  says(broken([](auto& c) { c.d_lazy = static_cast<std::size_t>(-1); }), "d_lazy <= 1000");
  says(broken([](auto& c) { c.d_lo = c.d_out = 2; }), "d_out < d_lo");
  says(broken([](auto& c) { c.d_out = 4; }), "d_out <= d / 2");
  says(broken([](auto& c) { c.gossip_factor_percent = 101; }), "gossip_factor_percent <= 100");
}

TEST_CASE("H47: windows, times and sizes that cannot work are refused by name") {
  const auto says = [](const std::string& text, const std::string& name) {
    CHECK(text == "gossip: the configuration breaks " + name);
  };
  says(broken([](auto& c) { c.history_windows = 0; }), "history_windows >= 1");
  says(broken([](auto& c) { c.history_windows = 1'001; }), "history_windows <= 1000");
  says(broken([](auto& c) { c.gossip_windows = 6; }), "gossip_windows <= history_windows");
  says(broken([](auto& c) { c.heartbeat = 0s; }), "10 ms <= heartbeat <= 1 h");
  says(broken([](auto& c) { c.heartbeat = Duration::max(); }), "10 ms <= heartbeat <= 1 h");
  says(broken([](auto& c) { c.heartbeat_initial_delay = -1s; }), "heartbeat_initial_delay >= 0");
  says(broken([](auto& c) { c.fanout_ttl = 0s; }), "fanout_ttl > 0");
  says(broken([](auto& c) { c.seen_ttl = 5s; }), "seen_ttl > history_windows * heartbeat");
  says(broken([](auto& c) { c.prune_backoff = 999ms; }), "1 s <= prune_backoff <= 1 h");
  says(broken([](auto& c) { c.unsubscribe_backoff = 2h; }), "1 s <= unsubscribe_backoff <= 1 h");
  says(broken([](auto& c) { c.most_message = 0; }), "1 <= most_message <= 1 MiB");
}

TEST_CASE("H47: a protocol that we do not speak is refused by name") {
  GossipConfig config;
  config.protocols = {"/meshsub/1.1.0", "/meshsub/9.9.9"};
  const auto held = check(config);
  REQUIRE(!held);
  CHECK(held.error().detail.find("/meshsub/1.0.0 to /meshsub/1.3.0") != std::string::npos);
  config.protocols.clear();
  CHECK(check(config));
}

TEST_CASE("H47: a message id that all anonymous messages would share is refused") {
  const std::string wanted =
      "gossip: the configuration breaks message_id is made of the data under strict_no_sign";
  for (MessageId (*function)(const MessageView&) : {go_message_id, rust_message_id, js_message_id})
    CHECK(broken([&](auto& c) {
            c.policy = SignaturePolicy::strict_no_sign;
            c.message_id = function;
          }) == wanted);
  CHECK(broken([](auto& c) {
          c.policy = SignaturePolicy::strict_no_sign;
          c.message_id = sha256_message_id;
        }) == "none");
  CHECK(broken([](auto& c) { c.message_id = nullptr; }) ==
        "gossip: the configuration breaks message_id is set");
}

}  // namespace kadmesh
