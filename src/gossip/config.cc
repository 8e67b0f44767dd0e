// What a GossipConfig must hold (gossipsub-v1.1.md "Parameters"; rust and go demand the same).
#include "gossip/config.h"

#include <algorithm>
#include <array>
#include <span>

#include "gossip/constraint.h"
#include "gossip/params.h"
#include "gossip/version.h"

namespace kadmesh {
namespace {

// What is made of author and number alone gives all anonymous messages the same id, so that only
// the first would ever arrive.
bool tells_anonymous_apart(const MessageIdFunction& function) {
  const Bytes one{1}, two{2};
  return function({{}, one, {}, {}, "t"}) != function({{}, two, {}, {}, "t"});
}

// A backoff travels in whole seconds, 0 meaning the default, and peers cap it.
bool tellable(Duration backoff) { return backoff >= 1s && backoff <= gossip::kMostBackoff; }

// Of every topic's messages.
bool all_ids(const GossipConfig& config, auto&& good) {
  return good(config.message_id) && std::ranges::all_of(config.message_ids, [&](const auto& entry) {
           return good(entry.second);
         });
}

bool names_its_peer(const Multiaddr& addr) { return addr.peer().has_value(); }

bool spoken(std::string_view protocol) { return gossip::version_of(protocol).has_value(); }

}  // namespace

Result<void> check(const GossipConfig& c) {
  constexpr std::size_t kMostOutbox = 10'000;
  constexpr std::size_t kMostD = 1'000;        // sums of these never overflow
  constexpr std::size_t kMostWindows = 1'000;  // of which a heartbeat makes one
  constexpr Duration kLeastHeartbeat = 10ms, kMostHeartbeat = 1h;
  // Of values that are refused below, any product will do that does not overflow.
  const Duration cached = std::clamp(c.heartbeat, kLeastHeartbeat, kMostHeartbeat) *
                          static_cast<std::int64_t>(std::min(c.history_windows, kMostWindows));
  const std::array constraints{
      gossip::Constraint{c.d_lo <= c.d, "d_lo <= d"},
      gossip::Constraint{c.d <= c.d_hi, "d <= d_hi"},
      gossip::Constraint{c.d_hi <= kMostD, "d_hi <= 1000"},
      gossip::Constraint{c.d_lazy <= kMostD, "d_lazy <= 1000"},
      gossip::Constraint{c.d_out == 0 || c.d_out < c.d_lo, "d_out < d_lo"},
      gossip::Constraint{c.d_out <= c.d / 2, "d_out <= d / 2"},
      gossip::Constraint{c.outbox <= kMostOutbox, "outbox <= 10000"},
      gossip::Constraint{c.outbox_ttl > 0s, "outbox_ttl > 0"},
      gossip::Constraint{c.gossip_factor_percent <= 100, "gossip_factor_percent <= 100"},
      gossip::Constraint{c.history_windows >= 1, "history_windows >= 1"},
      gossip::Constraint{c.history_windows <= kMostWindows, "history_windows <= 1000"},
      gossip::Constraint{c.gossip_windows <= c.history_windows,
                         "gossip_windows <= history_windows"},
      gossip::Constraint{c.heartbeat >= kLeastHeartbeat && c.heartbeat <= kMostHeartbeat,
                         "10 ms <= heartbeat <= 1 h"},
      gossip::Constraint{c.heartbeat_initial_delay >= 0s, "heartbeat_initial_delay >= 0"},
      gossip::Constraint{c.fanout_ttl > 0s, "fanout_ttl > 0"},
      gossip::Constraint{c.seen_ttl > cached, "seen_ttl > history_windows * heartbeat"},
      gossip::Constraint{tellable(c.prune_backoff), "1 s <= prune_backoff <= 1 h"},
      gossip::Constraint{tellable(c.unsubscribe_backoff), "1 s <= unsubscribe_backoff <= 1 h"},
      gossip::Constraint{c.most_message >= 1 && c.most_message <= 1024 * 1024,
                         "1 <= most_message <= 1 MiB"},
      gossip::Constraint{std::ranges::all_of(c.protocols, spoken),
                         "protocols are /meshsub/1.0.0 to /meshsub/1.3.0 and /floodsub/1.0.0"},
      gossip::Constraint{c.opportunistic_beats >= 1, "opportunistic_beats >= 1"},
      gossip::Constraint{c.opportunistic_peers <= kMostD, "opportunistic_peers <= 1000"},
      gossip::Constraint{std::ranges::all_of(c.direct, names_its_peer),
                         "direct addresses have /p2p"},
      gossip::Constraint{c.direct_recheck >= 1s, "direct_recheck >= 1 s"},
      gossip::Constraint{c.exchange_peers <= gossip::kMostExchanged, "exchange_peers <= 64"},
      gossip::Constraint{all_ids(c, [](const auto& id) { return id != nullptr; }),
                         "message_id is set"},
      gossip::Constraint{
          c.policy == SignaturePolicy::strict_sign ||
              all_ids(c, [](const auto& id) { return !id || tells_anonymous_apart(id); }),
          "message_id is made of the data under strict_no_sign"},
  };
  RETURN_IF_ERROR(gossip::first_broken(constraints, "the configuration breaks"));
  if (!c.scoring) return {};
  RETURN_IF_ERROR(check(c.scoring->params));
  return check(c.scoring->thresholds);
}

}  // namespace kadmesh
