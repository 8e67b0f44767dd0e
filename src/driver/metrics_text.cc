#include "driver/metrics_text.h"

#include <array>
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
    name_ = "kadmesh_" + std::string(name);
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

void say_took(Exposition& out, std::string_view type, const Histogram& took_ms) {
  const std::string of = label("type", type);
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < Histogram::kBounds; ++i) {
    so_far += took_ms.counts()[i];
    out.sample(of + "," + label("le", thousandths(Histogram::bound(i))), so_far, "_bucket");
  }
  out.sample(of + "," + label("le", "+Inf"), took_ms.count(), "_bucket");
  out.sample(of, thousandths(took_ms.sum()), "_sum");
  out.sample(of, took_ms.count(), "_count");
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
  each_query(kad, [&](auto type, const QueryStats& q) { say_took(out, type, q.took_ms); });
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

void say_gossip(Exposition& out, const Metrics& metrics) {
  const GossipStats& gossip = metrics.node.gossip;
  out.gauge("gossip_peers", "Peers that speak GossipSub.", gossip.peers);
  out.gauge("gossip_topics", "Topics that we or peers subscribe to.", gossip.topics);
  out.counter("gossip_delivered_messages_total", "Messages delivered here.", gossip.delivered);
  out.counter("gossip_duplicate_messages_total", "Messages that came again.", gossip.duplicates);
  out.counter("gossip_published_messages_total", "Messages published here.", gossip.published);
  out.counter("gossip_forwarded_messages_total", "Messages forwarded.", gossip.forwarded);
  out.counter("gossip_rejected_messages_total", "Messages that are invalid.", gossip.rejected);
  out.counter("gossip_dropped_frames_total", "Frames dropped for slow peers.", gossip.dropped);
  out.family("gossip_mesh_peers", "gauge", "Peers in the mesh of a topic.");
  for (const Metrics::Mesh& mesh : metrics.meshes) out.sample(topic_label(mesh.topic), mesh.peers);
}

}  // namespace

Metrics metrics_of(const Host& host, WallTime started) {
  const Node& node = host.node();
  Metrics metrics{node.stats(), started, host.stored_rows(), host.stored_bytes()};
  for (const TopicView& topic : node.gossip().topics())
    if (topic.subscribed)
      metrics.meshes.push_back({topic.topic, topic.mesh.size(), topic.subscribers.size()});
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
