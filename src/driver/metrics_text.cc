#include "driver/metrics_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <string_view>

#include "base/bytes.h"
#include "base/utf8.h"
#include "driver/host.h"

namespace kadmesh {
namespace {

constexpr Bootstrap kBootstraps[] = {Bootstrap::no_seeds, Bootstrap::dialing, Bootstrap::joined,
                                     Bootstrap::isolated};

// Thousandths as a decimal fraction: no locale, no rounding.
std::string thousandths(std::uint64_t count) {
  std::string fraction = std::to_string(count % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(count / 1000) + "." + fraction;
}

std::string seconds(Duration time) {
  return thousandths(static_cast<std::uint64_t>(std::max<Duration>(time, 0ms) / 1ms));
}

std::string decimal(double value) {
  std::array<char, 512> text;  // the largest double has 309 digits before its point
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, 3).ptr;
  return {text.begin(), end};
}

// A label's value is UTF-8; three of its characters mean something.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n')
      out += "\\n";
    else
      out.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
  }
  return out;
}

std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + escaped(value) + "\"";
}

// Peers choose topics, of any bytes; what is no text is written as kadnode writes it, so that no
// two topics are one series.
std::string topic_label(std::string_view topic) {
  return is_utf8(topic) ? label("topic", topic) : label("topic_hex", to_hex(as_bytes(topic)));
}

class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = (name.starts_with("gossipsub_") ? "" : "kadmesh_") + std::string(name);
    out_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " +
            std::string(type) + "\n";
  }
  void sample(std::string_view labels, std::string_view value, std::string_view suffix = "") {
    out_.append(name_).append(suffix);
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(value).append("\n");
  }
  void sample(std::string_view labels, std::uint64_t value, std::string_view suffix = "") {
    sample(labels, std::to_string(value), suffix);
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "gauge", help);
    sample("", value);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, "counter", help);
    sample("", value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string name_, out_;
};

// --- Kademlia
// Those that happened; `ok` always, so that a rate has something to begin from.
void say_outcomes(Exposition& out, std::string_view type, const Outcomes& ended) {
  const std::string of = label("type", type) + ",";
  out.sample(of + label("outcome", "ok"), ended.ok);
  for (std::size_t code = 0; code < kErrcs; ++code)
    if (ended.failed[code] > 0)
      out.sample(of + label("outcome", name(static_cast<Errc>(code))), ended.failed[code]);
}

// Of milliseconds.
void say_histogram(Exposition& out, const std::string& of, const Histogram& times) {
  const std::string more = of.empty() ? "" : of + ",";
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < Histogram::kBounds; ++i) {
    so_far += times.counts()[i];
    out.sample(more + label("le", thousandths(Histogram::bound(i))), so_far, "_bucket");
  }
  out.sample(more + label("le", "+Inf"), times.count(), "_bucket");
  out.sample(of, thousandths(times.sum()), "_sum");
  out.sample(of, times.count(), "_count");
}

void say_hops(Exposition& out, std::string_view type,
              const std::array<std::uint64_t, kHops>& hops) {
  const std::string of = label("type", type);
  std::uint64_t so_far = 0, sum = 0;
  for (std::size_t i = 0; i < kHops; ++i) {
    so_far += hops[i];
    sum += i * hops[i];
    const std::string bound = i + 1 < kHops ? std::to_string(i) : "+Inf";
    out.sample(of + "," + label("le", bound), so_far, "_bucket");
  }
  out.sample(of, sum, "_sum");
  out.sample(of, so_far, "_count");
}

template <class Say>
void each_query(const KadStats& kad, Say say) {
  for (std::size_t i = 0; i < kQueryTypes; ++i)
    say(name(static_cast<QueryType>(i)), kad.queries[i]);
}

void say_queries(Exposition& out, const KadStats& kad) {
  out.gauge("kad_queries_running", "Operations under way, the node's own among them.",
            kad.queries_running);
  out.family("kad_queries_total", "counter", "Users' operations that ended, by type and outcome.");
  each_query(kad, [&](auto type, const QueryStats& q) { say_outcomes(out, type, q.ended); });
  out.family("kad_query_duration_seconds", "histogram", "How long users' operations took.");
  each_query(kad, [&](auto type, const QueryStats& q) {
    say_histogram(out, label("type", type), q.took_ms);
  });
  out.family("kad_query_hops", "histogram", "Hops of the walks of those that ended well.");
  each_query(kad, [&](auto type, const QueryStats& q) { say_hops(out, type, q.hops); });
}

std::string_view type_name(std::size_t index) { return name(static_cast<KadType>(index)); }

void say_requests(Exposition& out, const KadStats& kad) {
  out.gauge("kad_requests_outstanding", "Requests to peers that are not answered yet.",
            kad.requests_outstanding);
  out.family("kad_requests_total", "counter", "Requests to peers, by type and what came of them.");
  for (std::size_t i = 0; i < kKadTypes; ++i) {
    const std::string_view type = type_name(i);
    say_outcomes(out, type, kad.requests[i].ended);
    out.sample(label("type", type) + "," + label("outcome", "withdrawn"),
               kad.requests[i].withdrawn);
  }
  out.family("kad_timeout_seconds", "gauge",
             "How long an answer of an unknown peer is waited for.");
  out.sample(label("reach", "warm"), seconds(kad.warm.timeout));
  out.sample(label("reach", "cold"), seconds(kad.cold.timeout));
}

void say_inbound(Exposition& out, const KadStats& kad) {
  out.gauge("kad_inbound_requests_waiting", "Requests of peers that wait for the store.",
            kad.inbound_waiting);
  out.family("kad_inbound_requests_total", "counter",
             "Requests of peers, by type and how they ended.");
  for (std::size_t i = 0; i < kKadTypes; ++i) say_outcomes(out, type_name(i), kad.inbound.ended[i]);
  say_outcomes(out, "unread", kad.inbound.unread);
}

void say_table(Exposition& out, const KadStats& kad) {
  out.gauge("kad_table_servers", "Servers in the routing table.", kad.table_servers);
  out.gauge("kad_table_live", "Those of them that are connected.", kad.table_live);
  out.gauge("kad_table_provisional", "Connected peers that may turn out to be servers.",
            kad.table_provisional);
  out.gauge("kad_buckets", "Buckets that hold a server.", kad.buckets);
  out.gauge("kad_buckets_live", "Buckets that hold a connected one.", kad.buckets_live);
}

void say_publishing(Exposition& out, const KadStats& kad) {
  out.family("kad_unpublished", "gauge", "What is to be published and has reached nobody yet.");
  out.sample(label("kind", "value"), kad.pending_puts);
  out.sample(label("kind", "provider"), kad.pending_provides);
  out.gauge("kad_republish_due", "What is due to be published again and waits, as far as known.",
            kad.republish_due);
  out.gauge("kad_republish_running", "Values and keys that are being published.",
            kad.republish_running);
}

void say_bootstrap(Exposition& out, const BootstrapStatus& status) {
  out.family("bootstrap_state", "gauge", "1 for the state that bootstrap is in.");
  for (const Bootstrap state : kBootstraps)
    out.sample(label("state", name(state)), std::uint64_t{status.state == state});
  out.gauge("bootstrap_live", "Connected peers that serve the DHT.", status.live);
  out.gauge("bootstrap_attempts", "Dials of bootstrap since the number of live peers changed.",
            status.attempts);
}

// --- all else
void say_swarm(Exposition& out, const NodeStats& node) {
  out.gauge("peers_connected", "Peers with a connection.", node.connected_peers);
  out.gauge("peers_known", "Peers in the address book.", node.book_peers);
  out.gauge("connections", "Connections that are up.", node.swarm.connections);
  out.gauge("streams", "Open streams.", node.swarm.streams);
  out.gauge("buffered_bytes", "Bytes that wait to be written.", node.swarm.buffered_bytes);
}

void say_store(Exposition& out, const Metrics& metrics) {
  out.gauge("store_rows", "Rows in the store.", metrics.stored_rows);
  out.gauge("store_bytes", "Bytes of their keys, members and values.", metrics.stored_bytes);
  const StoreStats& store = metrics.node.store;
  out.counter("store_failures_total", "Requests that the store could not do.", store.failed);
  out.counter("store_refused_rows_total", "Rows for which there was no room.", store.refused);
  out.counter("store_displaced_rows_total", "Rows that made room for others.", store.displaced);
}

void say_backfill(Exposition& out, const BackfillStats& backfill) {
  out.gauge("backfill_kept_messages", "Messages kept for peers that ask.", backfill.kept);
  out.gauge("backfill_kept_bytes", "What they weigh.", backfill.kept_bytes);
  out.family("backfill_questions_total", "counter", "Questions of peers.");
  out.sample(label("result", "served"), backfill.served);
  out.sample(label("result", "rate_limited"), backfill.rate_limited);
  out.sample(label("result", "refused"), backfill.refused - backfill.rate_limited);
  out.counter("backfill_told_messages_total", "Messages told to peers.", backfill.served_messages);
  out.counter("backfill_told_bytes_total", "Their bytes.", backfill.served_bytes);
  out.counter("backfill_taken_messages_total", "Messages of peers that were new here.",
              backfill.taken);
  out.counter("backfill_failed_total", "Operations that failed.", backfill.failed);
}

// --- GossipSub. What the draft of metrics for it names (libp2p specs, pull request 695) has its
// name.
using TopicCount = std::uint64_t TopicStats::*;

void say_topics(Exposition& out, const Metrics& metrics, std::string_view name,
                std::string_view help, TopicCount count) {
  out.family(name, "counter", help);
  for (const Metrics::Mesh& mesh : metrics.meshes)
    out.sample(topic_label(mesh.topic), mesh.stats.*count);
}

// By the draft's verdicts: what was not here before, and what became of it.
void say_received(Exposition& out, const Metrics::Mesh& mesh) {
  std::uint64_t rejected = 0, ignored = 0;
  for (std::size_t i = 0; i < kRefusals; ++i)
    (is_fault(static_cast<Refusal>(i)) ? rejected : ignored) += mesh.stats.refused[i];
  const std::string of = topic_label(mesh.topic) + ",";
  out.sample(of + label("validation_result", "accept"), mesh.stats.delivered);
  out.sample(of + label("validation_result", "reject"), rejected);
  out.sample(of + label("validation_result", "ignore"), ignored);
}

void say_refused(Exposition& out, const Metrics::Mesh& mesh) {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    const auto why = static_cast<Refusal>(i);
    if (is_fault(why) && mesh.stats.refused[i] > 0)
      out.sample(topic_label(mesh.topic) + "," + label("reason", text(why)), mesh.stats.refused[i]);
  }
}

void say_messages(Exposition& out, const Metrics& metrics) {
  out.family("gossipsub_message_received_total", "counter",
             "New messages that peers brought, by what became of them.");
  for (const Metrics::Mesh& mesh : metrics.meshes) say_received(out, mesh);
  out.family("gossipsub_message_rejected_total", "counter", "Messages that are invalid.");
  for (const Metrics::Mesh& mesh : metrics.meshes) say_refused(out, mesh);
  say_topics(out, metrics, "gossipsub_message_delivered_total", "Messages delivered here.",
             &TopicStats::delivered);
  say_topics(out, metrics, "gossipsub_message_duplicate_total", "Messages that came again.",
             &TopicStats::duplicates);
  say_topics(out, metrics, "gossipsub_message_published_total", "Messages published here.",
             &TopicStats::published);
}

void say_control(Exposition& out, const Metrics& metrics) {
  say_topics(out, metrics, "gossipsub_peer_graft_total", "GRAFTs sent.", &TopicStats::grafts);
  say_topics(out, metrics, "gossipsub_peer_prune_total", "PRUNEs sent.", &TopicStats::prunes);
  say_topics(out, metrics, "gossipsub_ihave_sent_total", "IHAVEs sent.", &TopicStats::ihave);
  say_topics(out, metrics, "gossipsub_iwant_sent_total", "IWANTs sent.", &TopicStats::iwant);
  say_topics(out, metrics, "gossipsub_idontwant_sent_total", "IDONTWANTs sent.",
             &TopicStats::idontwant);
}

void say_parts(Exposition& out, std::string_view name, std::string_view help,
               const RpcCounts& counts) {
  out.family(name, "counter", help);
  for (std::size_t i = 0; i < kRpcParts; ++i)
    out.sample(label("message_type", text(static_cast<RpcPart>(i))), counts[i]);
}

// The bounds that the draft recommends.
void say_scores(Exposition& out, const std::vector<double>& scores) {
  constexpr int kBounds[] = {-100, -10, -1, 0, 1, 10, 100};
  out.family("gossipsub_peer_score", "histogram", "Scores of connected peers at this moment.");
  for (const int bound : kBounds)
    out.sample(label("le", std::to_string(bound)),
               static_cast<std::uint64_t>(
                   std::ranges::count_if(scores, [&](double score) { return score <= bound; })),
               "_bucket");
  out.sample(label("le", "+Inf"), scores.size(), "_bucket");
  out.sample("", decimal(std::accumulate(scores.begin(), scores.end(), 0.0)), "_sum");
  out.sample("", scores.size(), "_count");
}

void say_penalties(Exposition& out, const GossipStats& gossip) {
  out.counter("gossipsub_backoff_violations_total", "GRAFTs of peers that should have waited.",
              gossip.penalties[static_cast<std::size_t>(Penalty::graft_backoff)]);
  out.family("gossipsub_score_penalty_total", "counter", "Penalties, by what they are for.");
  for (std::size_t i = 0; i < kPenalties; ++i)
    out.sample(label("penalty_type", text(static_cast<Penalty>(i))), gossip.penalties[i]);
  out.family("gossipsub_peer_throttled_total", "counter", "Peers that were kept from more.");
  out.sample(label("reason", "slow_peer"), gossip.slowed);
  out.sample(label("reason", "validation_queue_full"), gossip.unjudged);
  out.sample(label("reason", "graylisted"), gossip.graylisted);
}

void say_gossip(Exposition& out, const Metrics& metrics) {
  const GossipStats& gossip = metrics.node.gossip;
  out.gauge("gossipsub_peers_total", "Connected peers.", gossip.peers);
  out.gauge("gossip_topics", "Topics that we or peers subscribe to.", gossip.topics);
  out.family("gossipsub_mesh_peers_total", "gauge", "Peers in the mesh of a topic.");
  for (const Metrics::Mesh& mesh : metrics.meshes) out.sample(topic_label(mesh.topic), mesh.peers);
  out.family("gossip_subscribers", "gauge", "Connected peers that subscribe to a topic.");
  for (const Metrics::Mesh& mesh : metrics.meshes)
    out.sample(topic_label(mesh.topic), mesh.subscribers);
  say_messages(out, metrics);
  say_control(out, metrics);
  say_parts(out, "gossipsub_rpc_received_total", "Parts of RPCs that came.", gossip.parts_in);
  say_parts(out, "gossipsub_rpc_sent_total", "Parts of RPCs that were sent.", gossip.parts_out);
  say_scores(out, metrics.scores);
  say_penalties(out, gossip);
  out.family("gossip_delivery_delay_seconds", "histogram",
             "From a message's arrival to its delivery here.");
  say_histogram(out, "", gossip.delay_ms);
  out.counter("gossip_forwarded_messages_total", "Messages forwarded.", gossip.forwarded);
  out.counter("gossip_not_wanted_messages_total", "Messages not sent for peers had said IDONTWANT.",
              gossip.not_wanted);
  out.counter("gossip_dropped_frames_total", "Frames dropped for slow peers.", gossip.dropped);
}

}  // namespace

Metrics metrics_of(const Host& host, WallTime started) {
  const Node& node = host.node();
  Metrics metrics{node.stats(), started, host.stored_rows(), host.stored_bytes()};
  for (const TopicView& topic : node.gossip().topics())
    if (topic.subscribed)
      metrics.meshes.push_back(
          {topic.topic, topic.mesh.size(), topic.subscribers.size(), topic.stats});
  metrics.scores = node.gossip().scores();
  return metrics;
}

std::string metrics_text(const Metrics& metrics) {
  Exposition out;
  out.family("start_time_seconds", "gauge", "When the node was started, since the Unix epoch.");
  out.sample("", seconds(metrics.started.time_since_epoch()));
  out.gauge("kad_serving", "Whether this node serves the DHT.", metrics.node.serving);
  const KadStats& kad = metrics.node.kad;
  say_bootstrap(out, metrics.node.bootstrap);
  say_table(out, kad);
  say_queries(out, kad);
  say_requests(out, kad);
  say_inbound(out, kad);
  say_publishing(out, kad);
  say_swarm(out, metrics.node);
  say_store(out, metrics);
  say_gossip(out, metrics);
  say_backfill(out, metrics.node.backfill);
  return out.take();
}

}  // namespace kadmesh
