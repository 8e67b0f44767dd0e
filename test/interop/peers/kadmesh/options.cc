#include "options.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

namespace kadmesh::peer {
namespace {

struct Options {
  std::string listen = "/ip4/127.0.0.1/tcp/0", kad_protocol = "/kadmesh/kad/1.0.0";
  std::string kad_mode = "server", seed, gossip_id, gossip_sign = "strict";
  std::string gossip_scores, gossip_trace;
  bool no_early_muxer = false, bare = false, gullible = false;
  int gossip_d = -1, gossip_hold = 0, gossip_rpc = 0;
};

MessageIdFunction id_function(const std::string& name, bool anonymous) {
  if (name == "rust") return rust_message_id;
  if (name == "js") return js_message_id;
  if (name == "sha256" || (name.empty() && anonymous)) return sha256_message_id;
  return go_message_id;  // and py
}

TopicScoreParams topic_scores(const nlohmann::json& told) {
  TopicScoreParams params;  // P1, P3 and P3b are off
  params.weight = told.at("weight");
  params.first_deliveries_weight = told.at("first_deliveries_weight");
  params.first_deliveries_decay = told.at("first_deliveries_decay");
  params.first_deliveries_cap = told.at("first_deliveries_cap");
  params.invalid_weight = told.at("invalid_weight");
  params.invalid_decay = told.at("invalid_decay");
  return params;
}

ScoreThresholds thresholds(const nlohmann::json& told) {
  return {.gossip = told.at("gossip"),
          .publish = told.at("publish"),
          .graylist = told.at("graylist"),
          .accept_px = told.at("accept_px"),
          .opportunistic_graft = told.at("opportunistic_graft")};
}

// Loopback is allowed as it is: colocation_allowed says nothing new.
Scoring scoring(const nlohmann::json& told) {
  ScoreParams params;
  params.topics[told.at("topic")] = topic_scores(told);
  params.default_topic.reset();
  params.topic_score_cap = told.at("topic_score_cap");
  params.application_weight = told.at("application_weight");
  params.colocation_weight = told.at("colocation_weight");
  params.colocation_threshold = told.at("colocation_threshold");
  params.behaviour_weight = told.at("behaviour_weight");
  params.behaviour_threshold = told.at("behaviour_threshold");
  params.behaviour_decay = told.at("behaviour_decay");
  params.decay_interval = std::chrono::seconds(told.at("decay_interval").get<int>());
  params.decay_to_zero = told.at("decay_to_zero");
  params.retain = std::chrono::seconds(told.at("retain").get<int>());
  return {std::move(params), thresholds(told)};
}

Scoring scoring_of(const std::string& path) {
  std::ifstream file(path);
  try {
    return scoring(nlohmann::json::parse(file));
  } catch (const nlohmann::json::exception& error) {
    std::fprintf(stderr, "--gossip-scores: %s\n", error.what());
    std::exit(2);
  }
}

GossipConfig gossip_config(const Options& options) {
  GossipConfig config;
  const bool anonymous = options.gossip_sign == "none";
  if (anonymous) config.policy = SignaturePolicy::strict_no_sign;
  config.message_id = id_function(options.gossip_id, anonymous);
  config.manual_validation = options.gossip_hold > 0;
  if (!options.gossip_scores.empty()) config.scoring = scoring_of(options.gossip_scores);
  if (options.gossip_d < 0) return config;
  config.d = config.d_lo = config.d_hi = static_cast<std::size_t>(options.gossip_d);
  config.d_out = 0;
  config.flood_publish = false;
  return config;
}

KeyPair identity(const std::string& seed) {
  const auto bytes = from_hex(seed);
  Ed25519Seed key{};
  if (!bytes || bytes->size() != key.size()) {
    std::fprintf(stderr, "--seed takes 64 hex digits\n");
    std::exit(2);
  }
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return KeyPair::from_seed(key);
}

HostConfig host_config(const Options& options) {
  HostConfig config;
  const auto listen = Multiaddr::from_text(options.listen);
  if (!listen) {
    std::fprintf(stderr, "--listen: %s\n", to_string(listen.error()).c_str());
    std::exit(2);
  }
  config.listen = {*listen};
  if (!options.seed.empty()) config.identity = identity(options.seed);
  config.node.identify = config.node.ping = !options.bare;
  config.node.swarm.early_muxer = !options.no_early_muxer;
  // A scene pauses for longer than a node at home would keep an unused connection.
  config.node.swarm.idle_timeout = 5min;
  config.node.kad.protocol = options.kad_protocol;
  config.node.kad.mode = options.kad_mode == "server" ? KadMode::server : KadMode::client;
  const auto any_value = std::make_shared<PassThroughValidator>();
  config.node.kad.validators.set("v", any_value);
  if (options.gullible) config.node.kad.validators.set("ipns", any_value);
  config.node.gossip = gossip_config(options);
  if (!options.gossip_trace.empty()) config.gossip_trace = options.gossip_trace;
  return config;
}

}  // namespace

Settings parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("kadmesh test peer");
  app.add_option("--listen", options.listen);
  app.add_option("--kad-protocol", options.kad_protocol);
  app.add_option("--kad-mode", options.kad_mode)->check(CLI::IsMember({"server", "client"}));
  app.add_flag("--gullible", options.gullible);
  app.add_option("--seed", options.seed);
  app.add_flag("--no-early-muxer", options.no_early_muxer);
  app.add_flag("--bare", options.bare);
  app.add_option("--gossip-id", options.gossip_id)
      ->check(CLI::IsMember({"go", "rust", "js", "py", "sha256"}));
  app.add_option("--gossip-sign", options.gossip_sign)->check(CLI::IsMember({"strict", "none"}));
  app.add_option("--gossip-d", options.gossip_d)->check(CLI::NonNegativeNumber);
  app.add_option("--gossip-trace", options.gossip_trace);
  app.add_option("--gossip-hold", options.gossip_hold)->check(CLI::NonNegativeNumber);
  app.add_option("--gossip-rpc", options.gossip_rpc);  // we take those of 1 MiB as we are
  app.add_option("--gossip-scores", options.gossip_scores);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return {host_config(options), std::chrono::milliseconds(options.gossip_hold)};
}

}  // namespace kadmesh::peer
