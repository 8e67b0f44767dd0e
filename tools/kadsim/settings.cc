#include "kadsim/settings.h"

namespace kadmesh::kadsim {
namespace {

// A setting beyond this stands for "unlimited", and keeps every sum of them far from overflow.
constexpr std::size_t kMostSetting = 1'000'000'000;

void read_kad(Fields& fields, KadConfig& kad) {
  fields.read("protocol", kad.protocol);
  fields.read("server", kad.server);
  fields.read("k", kad.k, 1, 1000);
  fields.read("alpha", kad.alpha, 1, 1000);
  fields.read("beta", kad.beta, 1, 1000);
  fields.read("request_timeout", kad.request_timeout);
  fields.read("health_interval", kad.health_interval);
  fields.read("refresh_interval", kad.refresh_interval);
  fields.read("record_ttl", kad.record_ttl);
  fields.read("provider_ttl", kad.provider_ttl);
  fields.read("republish_interval", kad.republish_interval);
  std::uint64_t most = kad.most_value;
  fields.read_bytes("most_value", most);
  kad.most_value = static_cast<std::size_t>(most);
}

void read_policy(Fields& fields, GossipConfig& gossip) {
  bool sign = gossip.policy == SignaturePolicy::strict_sign;
  fields.read("sign", sign);
  gossip.policy = sign ? SignaturePolicy::strict_sign : SignaturePolicy::strict_no_sign;
  // Without an author only the data tells messages apart.
  gossip.message_id = sign ? go_message_id : sha256_message_id;
}

void read_gossip(Fields& fields, GossipConfig& gossip) {
  for (const auto& [key, into] :
       {std::pair("d", &gossip.d), std::pair("d_lo", &gossip.d_lo), std::pair("d_hi", &gossip.d_hi),
        std::pair("d_lazy", &gossip.d_lazy), std::pair("d_out", &gossip.d_out)})
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
  std::uint64_t most = gossip.most_message;
  fields.read_bytes("most_message", most);
  gossip.most_message = static_cast<std::size_t>(most);
  read_policy(fields, gossip);
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

template <class Config>
void section(std::string_view file, Fields& fields, std::string_view key, Config& config,
             void (*read)(Fields&, Config&)) {
  const Table* table = fields.table(key);
  if (!table) return;
  Fields part(file, *table, std::string(key), fields.value(key)->line);
  read(part, config);
  fields.join(part.done());
}

}  // namespace

NodeConfig lab_config() {
  NodeConfig config;
  config.kad.protocol = kLabProtocol;
  config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  return config;
}

void read_settings(std::string_view file, Fields& fields, NodeConfig& config) {
  section(file, fields, "kad", config.kad, read_kad);
  section(file, fields, "gossip", config.gossip, read_gossip);
  section(file, fields, "swarm", config.swarm, read_swarm);
  fields.read("identify", config.identify);
  fields.read("ping", config.ping);
  if (fields.good() && fields.has("gossip")) fields.check("gossip", check(config.gossip));
}

}  // namespace kadmesh::kadsim
