#include "kadsim/settings.h"

#include <algorithm>
#include <array>

#include "kad/policies.h"
#include "kadsim/scores.h"

namespace kadmesh::kadsim {
namespace {

// A setting beyond this stands for "unlimited", and keeps every sum of them far from overflow.
constexpr std::size_t kMostSetting = 1'000'000'000;

template <class Config, class Read>
void section(std::string_view file, Fields& fields, std::string_view key, Config& config, Read read,
             std::string_view inside = "") {
  const Table* table = fields.table(key);
  if (!table) return;
  Fields part(file, *table, std::string(inside).append(key), fields.value(key)->line);
  read(part, config);
  fields.join(part.done());
}

template <class Policy>
void read_named(Fields& fields, std::string_view key, std::shared_ptr<const Policy>& into) {
  const auto all = policies<Policy>();
  fields.choose(key, into, std::span(all));
}

void read_policies(Fields& fields, KadPolicies& policies) {
  read_named(fields, "metric", policies.metric);
  read_named(fields, "termination", policies.termination);
  read_named(fields, "ordering", policies.ordering);
  read_named(fields, "eviction", policies.eviction);
  read_named(fields, "replacement", policies.replacement);
}

void read_diversity(Fields& fields, DiversityLimits& diversity) {
  fields.read("of_bucket", diversity.of_bucket, 0, 1000);
  fields.read("of_table", diversity.of_table, 0, 1000);
  std::vector<std::string> exempt;
  fields.read("exempt", exempt);
  for (const std::string& text : exempt) {
    const auto range = SubnetRange::from_text(text);
    if (!range) return fields.wrong("exempt", range.error().detail);
    diversity.exempt.push_back(*range);
  }
}

void read_scope(Fields& fields, Scope& scope) {
  static constexpr auto kScopes =
      std::to_array<std::pair<std::string_view, Scope>>({{"automatic", Scope::automatic},
                                                         {"any", Scope::any},
                                                         {"wan", Scope::wan},
                                                         {"lan", Scope::lan}});
  fields.choose("scope", scope, std::span<const std::pair<std::string_view, Scope>>(kScopes));
}

void read_kad(std::string_view file, Fields& fields, KadConfig& kad) {
  fields.read("protocol", kad.protocol);
  constexpr std::array kModes{std::pair(std::string_view("client"), KadMode::client),
                              std::pair(std::string_view("server"), KadMode::server),
                              std::pair(std::string_view("automatic"), KadMode::automatic)};
  fields.choose("mode", kad.mode, std::span<const std::pair<std::string_view, KadMode>>(kModes));
  fields.read("k", kad.k, 1, 1000);
  fields.read("alpha", kad.alpha, 1, 1000);
  fields.read("beta", kad.beta, 1, 1000);
  fields.read("kept_of_bucket", kad.kept_of_bucket, 0, 1000);
  fields.read("paths", kad.paths, 1, 16);
  fields.read("request_timeout", kad.request_timeout);
  fields.read("adaptive", kad.adaptive);
  fields.read("reuse_streams", kad.reuse_streams);
  fields.read("quality", kad.quality);
  fields.read("health_interval", kad.health_interval);
  fields.read("refresh_interval", kad.refresh_interval);
  fields.read("record_ttl", kad.record_ttl);
  fields.read("provider_ttl", kad.provider_ttl);
  fields.read("republish_interval", kad.republish_interval);
  fields.read("replicate_interval", kad.replicate_interval);
  std::uint64_t most = kad.most_value;
  fields.read_bytes("most_value", most);
  kad.most_value = static_cast<std::size_t>(most);
  read_scope(fields, kad.scope);
  section(file, fields, "policy", kad.policies, read_policies, "kad.");
  section(file, fields, "diversity", kad.diversity, read_diversity, "kad.");
}

void read_policy(Fields& fields, GossipConfig& gossip) {
  bool sign = gossip.policy == SignaturePolicy::strict_sign;
  fields.read("sign", sign);
  gossip.policy = sign ? SignaturePolicy::strict_sign : SignaturePolicy::strict_no_sign;
  // Without an author only the data tells messages apart.
  gossip.message_id = sign ? go_message_id : sha256_message_id;
}

// As one that speaks no later version than that.
void read_versions(Fields& fields, GossipConfig& gossip) {
  std::string newest;
  fields.read("newest", newest);
  if (newest.empty()) return;
  const auto at = std::ranges::find(gossip.protocols, "/meshsub/" + newest + ".0");
  if (at == gossip.protocols.end())
    return fields.wrong("newest", "the versions are 1.0, 1.1, 1.2 and 1.3");
  gossip.protocols.erase(gossip.protocols.begin(), at);
}

void read_gossip(std::string_view file, Fields& fields, GossipConfig& gossip) {
  bool spoken = true;
  fields.read("enabled", spoken);
  if (!spoken) gossip.protocols.clear();
  for (const auto& [key, into] :
       {std::pair("d", &gossip.d), std::pair("d_lo", &gossip.d_lo), std::pair("d_hi", &gossip.d_hi),
        std::pair("d_lazy", &gossip.d_lazy), std::pair("d_out", &gossip.d_out),
        std::pair("d_score", &gossip.d_score), std::pair("outbox", &gossip.outbox),
        std::pair("opportunistic_beats", &gossip.opportunistic_beats),
        std::pair("opportunistic_peers", &gossip.opportunistic_peers)})
    fields.read(key, *into, 0, 1000);
  fields.read("gossip_factor_percent", gossip.gossip_factor_percent, 0, 100);
  fields.read("history_windows", gossip.history_windows, 1, 1000);
  fields.read("gossip_windows", gossip.gossip_windows, 1, 1000);
  for (const auto& [key, into] :
       {std::pair("heartbeat", &gossip.heartbeat),
        std::pair("heartbeat_initial_delay", &gossip.heartbeat_initial_delay),
        std::pair("fanout_ttl", &gossip.fanout_ttl), std::pair("seen_ttl", &gossip.seen_ttl),
        std::pair("prune_backoff", &gossip.prune_backoff),
        std::pair("unsubscribe_backoff", &gossip.unsubscribe_backoff)})
    fields.read(key, *into);
  fields.read("flood_publish", gossip.flood_publish);
  read_versions(fields, gossip);
  std::uint64_t least = gossip.idontwant_size;
  fields.read_bytes("idontwant_size", least);
  gossip.idontwant_size = static_cast<std::size_t>(least);
  fields.read("exchange_peers", gossip.exchange_peers, 0, 64);
  std::uint64_t most = gossip.most_message;
  fields.read_bytes("most_message", most);
  gossip.most_message = static_cast<std::size_t>(most);
  read_policy(fields, gossip);
  read_scores(file, fields, gossip.scoring);
}

void read_backfill(Fields& fields, BackfillConfig& backfill) {
  static constexpr auto kKeeps = std::to_array<std::pair<std::string_view, Keep>>(
      {{"nothing", Keep::nothing}, {"in_memory", Keep::in_memory}});
  fields.choose("keep", backfill.keep, std::span<const std::pair<std::string_view, Keep>>(kKeeps));
  fields.read("topic_messages", backfill.topic_messages, 1, kMostSetting);
  fields.read("age", backfill.age);
}

void read_swarm(Fields& fields, SwarmConfig& swarm) {
  fields.read("open_timeout", swarm.open_timeout);
  fields.read("idle_timeout", swarm.idle_timeout);
  fields.read("stream_timeout", swarm.stream_timeout);
  fields.read("early_muxer", swarm.early_muxer);
  SwarmLimits& limits = swarm.limits;
  fields.read("connections", limits.connections, 1, kMostSetting);
  fields.read("connections_per_peer", limits.connections_per_peer, 1, kMostSetting);
  fields.read("opening_inbound", limits.opening_inbound, 1, kMostSetting);
  fields.read("dial_jobs", limits.dial_jobs, 1, kMostSetting);
  fields.read("dialing", limits.dialing, 1, kMostSetting);
}

}  // namespace

NodeConfig lab_config() {
  NodeConfig config;
  config.kad.protocol = kLabProtocol;
  config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  return config;
}

void read_settings(std::string_view file, Fields& fields, NodeConfig& config) {
  section(file, fields, "kad", config.kad,
          [&](Fields& kad, KadConfig& into) { read_kad(file, kad, into); });
  section(file, fields, "gossip", config.gossip,
          [&](Fields& gossip, GossipConfig& into) { read_gossip(file, gossip, into); });
  section(file, fields, "backfill", config.backfill, read_backfill);
  section(file, fields, "swarm", config.swarm, read_swarm);
  fields.read("identify", config.identify);
  fields.read("ping", config.ping);
  if (fields.good() && fields.has("gossip")) fields.check("gossip", check(config.gossip));
}

}  // namespace kadmesh::kadsim
