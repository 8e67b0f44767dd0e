#include <nlohmann/json.hpp>

#include "base/multibase.h"
#include "base/utf8.h"
#include "kadnode/json_text.h"
#include "kadnode/render.h"

namespace kadmesh::kadnode {
namespace {

using Json = nlohmann::ordered_json;

// --- pieces
void put_bytes(Json& out, const std::string& name, ByteView bytes) {
  if (is_utf8(as_text(bytes)))
    out[name] = std::string(as_text(bytes));
  else
    out[name + "_hex"] = to_hex(bytes);
}

void put_text(Json& out, const std::string& name, std::string_view text) {
  put_bytes(out, name, as_bytes(text));
}

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Json texts(const auto& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(item.text());
  return out;
}

Json addrs_of(const Contact& contact) {
  Json out = Json::array();
  for (const Dialable& addr : contact.addrs) out.push_back(addr.addr().text());
  return out;
}

Json contact(const Contact& who) { return {{"peer", who.peer.text()}, {"addrs", addrs_of(who)}}; }

Json error_object(std::string_view command, const Error& error) {
  Json out{{"code", name(error.code)}};
  put_text(out, "detail", printable(error.detail));
  if (auto what = hint(command, error); !what.empty()) out["hint"] = std::move(what);
  return out;
}

Json walk(const Walk& w) {
  return {{"asked", w.asked}, {"answered", w.answered}, {"failed", w.failed},
          {"hops", w.hops},   {"complete", w.complete}, {"took_ms", milliseconds(w.took)}};
}

Json bootstrap(const BootstrapStatus& status, std::optional<Now> now) {
  Json out{{"state", name(status.state)}, {"live", status.live}, {"attempts", status.attempts}};
  if (now && status.next_attempt != kNever)
    out["next_attempt_ms"] = milliseconds(status.next_attempt - now->mono);
  if (!status.last_failure.empty()) put_text(out, "last_failure", printable(status.last_failure));
  return out;
}

// --- answers
Json result(const IdAnswer& a) {
  Json out{{"id", a.id.text()}, {"addrs", texts(a.addrs)}};
  if (!a.kad_protocol.empty()) out["kad_protocol"] = a.kad_protocol;
  return out;
}

Json result(const ConnectReport& a) {
  return {{"peer", a.peer.text()}, {"addr", a.remote.text()}, {"already", a.already}};
}

Json connection(const NetworkAnswer::Connection& c, Now now) {
  Json out{{"peer", c.info.peer.text()},
           {"addr", c.info.remote.text()},
           {"direction", c.info.opened_by_us ? "outbound" : "inbound"},
           {"age_ms", milliseconds(now.mono - c.info.since)},
           {"streams", c.info.streams},
           {"rtt_ms", c.info.rtt > Duration::zero() ? Json(milliseconds(c.info.rtt)) : Json()}};
  if (!c.agent.empty()) put_text(out, "agent", c.agent);
  return out;
}

Json entry(const TableEntry& e, Now now) {
  Json out = contact(e.contact);
  out["standing"] = name(e.standing);
  out["connected"] = e.connected;
  out["failures"] = e.failures;
  out["age_ms"] = milliseconds(now.mono - e.since);
  if (e.last_answer != Time{}) out["answered_ms_ago"] = milliseconds(now.mono - e.last_answer);
  return out;
}

Json topic(const TopicView& t) {
  Json out = Json::object();
  put_text(out, "topic", t.topic);
  out["subscribed"] = t.subscribed;
  out["mesh"] = texts(t.mesh);
  out["fanout"] = texts(t.fanout);
  out["subscribers"] = texts(t.subscribers);
  return out;
}

Json table(const std::vector<TableEntry>& entries, Now now) {
  Json buckets = Json::array();
  for (const TableEntry& e : entries) {
    if (buckets.empty() || buckets.back()["bucket"] != e.bucket)
      buckets.push_back({{"bucket", e.bucket}, {"peers", Json::array()}});
    buckets.back()["peers"].push_back(entry(e, now));
  }
  return buckets;
}

Json result(const NetworkAnswer& a) {
  Json connections = Json::array(), topics = Json::array();
  for (const auto& c : a.connections) connections.push_back(connection(c, a.now));
  for (const TopicView& t : a.topics) topics.push_back(topic(t));
  return {{"id", a.self.text()},
          {"connections", std::move(connections)},
          {"table", table(a.table, a.now)},
          {"topics", std::move(topics)},
          {"bootstrap", bootstrap(a.bootstrap, a.now)}};
}

Json result(const PingAnswer& a) {
  Json rtts = Json::array();
  for (const Duration rtt : a.rtts) rtts.push_back(milliseconds(rtt));
  return {{"peer", a.peer.text()}, {"rtts_ms", std::move(rtts)}};
}

// A put or a provide that nobody has taken, and whether anybody was there to take it.
void put_pending(Json& out, bool pending, const Walk& walk) {
  out["pending"] = pending;
  if (!pending) return;
  const bool alone = walk.asked == 0;
  out["warning"] = {{"code", name(alone ? Errc::no_peers : Errc::timeout)},
                    {"detail", alone ? "no peer to give it to; kept here until one comes"
                                     : "no peer answered; kept here until one does"}};
}

Json result(const PutReport& a) {
  Json out = Json::object();
  put_bytes(out, "key", a.key);
  out["stored_locally"] = a.stored_locally;
  put_pending(out, a.pending, a.walk);
  out["contacted"] = a.contacted;
  out["acknowledged"] = a.acknowledged;
  out["closest"] = texts(a.closest);
  out["walk"] = walk(a.walk);
  return out;
}

Json result(const GetAnswer& a) {
  Json out = Json::object();
  put_bytes(out, "key", a.report.key);
  put_bytes(out, "value", a.report.value);
  out["size"] = a.report.value.size();
  out["copies"] = a.report.copies;
  out["local"] = a.report.local;
  if (!a.file.empty()) put_text(out, "file", a.file);
  out["walk"] = walk(a.report.walk);
  return out;
}

Json result(const ProvideReport& a) {
  Json out{{"key_hex", to_hex(a.key)}, {"cid", to_base(Base::base58, a.key)}};
  out["stored_locally"] = a.stored_locally;
  put_pending(out, a.pending, a.walk);
  out["contacted"] = a.contacted;
  out["closest"] = texts(a.closest);
  out["walk"] = walk(a.walk);
  return out;
}

Json result(const ProvidersReport& a) {
  Json providers = Json::array();
  for (const Contact& provider : a.providers) providers.push_back(contact(provider));
  return {{"key_hex", to_hex(a.key)},
          {"cid", to_base(Base::base58, a.key)},
          {"providers", std::move(providers)},
          {"walk", walk(a.walk)}};
}

Json result(const FindReport& a) {
  Json out = contact(a.found);
  out["connected"] = a.connected;
  out["walk"] = walk(a.walk);
  return out;
}

Json result(const ClosestReport& a) {
  Json closest = Json::array();
  for (const Contact& peer : a.closest) closest.push_back(contact(peer));
  return {{"key_hex", to_hex(a.target)}, {"closest", std::move(closest)}, {"walk", walk(a.walk)}};
}

Json result(const SubscribedAnswer& a) {
  Json out = Json::object();
  put_text(out, "topic", a.topic);
  out["subscribed"] = a.subscribed;
  return out;
}

std::string_view name(Sent sent) {
  switch (sent) {
    case Sent::queued:
      return "queued";
    case Sent::dropped_full:
      return "dropped_full";
    case Sent::no_stream:
      return "no_stream";
  }
  return "unknown";
}

Json result(const PublishAnswer& a) {
  Json peers = Json::array();
  for (const Receipt::Peer& p : a.receipt.peers)
    peers.push_back({{"peer", p.peer.text()}, {"sent", name(p.sent)}, {"mesh", p.mesh}});
  Json out = Json::object();
  put_text(out, "topic", a.topic);
  out["id_hex"] = to_hex(a.receipt.id);
  out["peers"] = std::move(peers);
  return out;
}

Json result(const BackfillReport& a) {
  Json out{{"peer", a.peer.text()}};
  put_text(out, "topic", a.topic);
  out.update({{"pages", a.pages},
              {"told", a.told},
              {"taken", a.taken},
              {"duplicates", a.duplicates},
              {"bytes", a.bytes},
              {"next_hex", to_hex(a.next)},
              {"complete", a.complete},
              {"gap", a.gap}});
  return out;
}

Json pace(const KadPace& pace) {
  return {{"answers", pace.answers},
          {"mean_ms", milliseconds(pace.mean)},
          {"deviation_ms", milliseconds(pace.deviation)},
          {"timeout_ms", milliseconds(pace.timeout)}};
}

Json outcomes(const Outcomes& ended) {
  Json failed = Json::object();
  for (std::size_t code = 0; code < kErrcs; ++code)
    if (ended.failed[code] > 0) failed[name(static_cast<Errc>(code))] = ended.failed[code];
  return {{"ok", ended.ok}, {"failed", std::move(failed)}};
}

Json histogram(const Histogram& h) {
  Json bounds = Json::array();
  for (std::size_t i = 0; i < Histogram::kBounds; ++i) bounds.push_back(Histogram::bound(i));
  return {{"bounds", std::move(bounds)}, {"counts", h.counts()}, {"sum", h.sum()}};
}

Json queries(const KadStats& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < kQueryTypes; ++i) {
    Json& type = out[name(static_cast<QueryType>(i))] = outcomes(s.queries[i].ended);
    type["took_ms"] = histogram(s.queries[i].took_ms);
    type["hops"] = s.queries[i].hops;
  }
  return out;
}

Json requests(const KadStats& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < kKadTypes; ++i) {
    Json& type = out[name(static_cast<KadType>(i))] = outcomes(s.requests[i].ended);
    type["sent"] = s.requests[i].sent;
    type["withdrawn"] = s.requests[i].withdrawn;
  }
  return out;
}

Json inbound(const InboundStats& s) {
  Json out = Json::object();
  for (std::size_t i = 0; i < kKadTypes; ++i)
    out[name(static_cast<KadType>(i))] = outcomes(s.ended[i]);
  out["unread"] = outcomes(s.unread);
  return out;
}

Json kad_stats(const StatsAnswer& a) {
  const KadStats& s = a.node.kad;
  Json buckets = Json::array();
  for (const auto& b : a.buckets)
    buckets.push_back({{"bucket", b.index},
                       {"servers", b.servers},
                       {"provisional", b.provisional},
                       {"connected", b.connected}});
  return {{"serving", a.node.serving},
          {"queries_running", s.queries_running},
          {"queries_started", s.queries_started},
          {"queries_ok", s.queries_ok},
          {"queries_failed", s.queries_failed},
          {"queries_timed_out", s.queries_timed_out},
          {"requests_outstanding", s.requests_outstanding},
          {"requests_sent", s.requests_sent},
          {"requests_failed", s.requests_failed},
          {"requests_served", s.requests_served},
          {"requests_refused", s.requests_refused},
          {"warm", pace(s.warm)},
          {"cold", pace(s.cold)},
          {"inbound_waiting", s.inbound_waiting},
          {"queries", queries(s)},
          {"requests", requests(s)},
          {"inbound", inbound(s.inbound)},
          {"pending_puts", s.pending_puts},
          {"pending_provides", s.pending_provides},
          {"republish_due", s.republish_due},
          {"republish_running", s.republish_running},
          {"table_live", s.table_live},
          {"buckets_total", s.buckets},
          {"buckets_live", s.buckets_live},
          {"table_servers", s.table_servers},
          {"table_provisional", s.table_provisional},
          {"buckets", std::move(buckets)}};
}

Json meshes(const std::vector<StatsAnswer::Mesh>& all) {
  Json out = Json::array();
  for (const auto& m : all) {
    Json& mesh = out.emplace_back(Json::object());
    put_text(mesh, "topic", m.topic);
    mesh["peers"] = m.peers;
    mesh["subscribers"] = m.subscribers;
  }
  return out;
}

Json gossip_stats(const StatsAnswer& a) {
  const GossipStats& s = a.node.gossip;
  Json out = {
      {"peers", s.peers},           {"topics", s.topics},         {"seen", s.seen},
      {"cached", s.cached},         {"validating", s.validating}, {"backoffs", s.backoffs},
      {"delivered", s.delivered},   {"duplicates", s.duplicates}, {"published", s.published},
      {"forwarded", s.forwarded},   {"rejected", s.rejected},     {"dropped", s.dropped},
      {"ihave_sent", s.ihave_sent}, {"iwant_sent", s.iwant_sent}, {"iwant_served", s.iwant_served},
      {"grafts", s.grafts},         {"prunes", s.prunes},         {"rpcs_in", s.rpcs_in},
      {"rpcs_out", s.rpcs_out}};
  out.update({{"ignored", s.ignored},
              {"unjudged", s.unjudged},
              {"outbox", s.outbox},
              {"asking", s.asking},
              {"dont_wants_sent", s.idontwant_sent},
              {"dont_wants_received", s.idontwant_got},
              {"messages_not_wanted", s.not_wanted},
              {"graylisted", s.graylisted},
              {"below_zero", s.below_zero},
              {"lowest_score", s.lowest_score}});
  out["meshes"] = meshes(a.meshes);
  return out;
}

Json backfill_stats(const BackfillStats& s) {
  return {{"kept", s.kept},
          {"kept_bytes", s.kept_bytes},
          {"served", s.served},
          {"served_messages", s.served_messages},
          {"served_bytes", s.served_bytes},
          {"refused", s.refused},
          {"rate_limited", s.rate_limited},
          {"pages", s.pages},
          {"told", s.told},
          {"taken", s.taken},
          {"failed", s.failed}};
}

Json swarm_stats(const NodeStats& s) {
  return {{"connected_peers", s.connected_peers},    {"known_peers", s.book_peers},
          {"connections", s.swarm.connections},      {"opening", s.swarm.opening},
          {"dial_jobs", s.swarm.dial_jobs},          {"streams", s.swarm.streams},
          {"buffered_bytes", s.swarm.buffered_bytes}};
}

Json result(const StatsAnswer& a) {
  return {{"id", a.self.text()},
          {"up_ms", milliseconds(a.up)},
          {"swarm", swarm_stats(a.node)},
          {"kad", kad_stats(a)},
          {"gossip", gossip_stats(a)},
          {"backfill", backfill_stats(a.node.backfill)},
          {"bootstrap", bootstrap(a.node.bootstrap, a.now)},
          {"store",
           {{"rows", a.stored_rows},
            {"bytes", a.stored_bytes},
            {"failed", a.node.store.failed},
            {"refused", a.node.store.refused},
            {"displaced", a.node.store.displaced}}}};
}

Json result(const WhyAnswer& a) {
  Json lines = Json::array();
  for (const std::string& line : a.lines) lines.push_back(printable(line));
  return {{"peer", a.peer.text()}, {"why", std::move(lines)}};
}

Json result(const HelpAnswer& a) { return {{"text", a.text}}; }
Json result(const QuitAnswer&) { return Json::object(); }

// --- events
Json event(const ReadyEvent& e) {
  Json out = {{"event", "ready"},
              {"id", e.id.text()},
              {"addrs", texts(e.addrs)},
              {"kad_protocol", e.kad_protocol},
              {"data_dir", printable(e.data_dir)}};
  if (e.metrics) out["metrics"] = e.metrics->text();
  return out;
}

Json event(const PeerConnected& e) {
  return {{"event", "connected"},
          {"peer", e.peer.text()},
          {"addr", e.remote.text()},
          {"direction", e.opened_by_us ? "outbound" : "inbound"}};
}

Json event(const PeerDisconnected& e) {
  return {{"event", "disconnected"}, {"peer", e.peer.text()}, {"cause", error_object({}, e.cause)}};
}

Json event(const IdentifiedEvent& e) {
  Json protocols = Json::array();
  for (const std::string& protocol : e.protocols) protocols.push_back(printable(protocol));
  Json out{{"event", "identified"}, {"peer", e.peer.text()}, {"pushed", e.pushed}};
  put_text(out, "agent", e.agent);
  out["protocols"] = std::move(protocols);
  return out;
}

Json event(const MessageEvent& e) {
  const GossipMessage& message = e.delivery.message;
  Json out{{"event", "message"}};
  put_text(out, "topic", message.topic);
  out["from"] = message.from ? Json(message.from->text()) : Json();
  out["received_from"] = e.delivery.received_from.text();
  out["id_hex"] = to_hex(e.delivery.id);
  put_bytes(out, "data", message.data);
  out["size"] = message.data.size();
  out["backfilled"] = e.delivery.backfilled;
  return out;
}

Json event(const BootstrapEvent& e) {
  Json out{{"event", "bootstrap"}};
  out.update(bootstrap(e.status, std::nullopt));
  return out;
}

Json event(const StepEvent& e) {
  const WalkStep& step = e.step;
  Json out{{"event", "step"}, {"what", name(step.what)}, {"at_ms", milliseconds(e.since)}};
  if (step.peer) out["peer"] = step.peer->text();
  if (step.peer) out["shared_bits"] = step.shared;
  if (step.from) out["from"] = step.from->text();
  if (!step.question.empty()) out["question"] = step.question;
  if (step.cause) out["cause"] = error_object({}, *step.cause);
  return out;
}

Json event(const DroppedEvent& e) { return {{"event", "dropped"}, {"count", e.count}}; }

}  // namespace

std::string json_text(std::string_view utf8) { return Json(utf8).dump(); }

std::string json_of(std::uint64_t seq, const Outcome& outcome) {
  Json out{
      {"seq", seq}, {"ok", outcome.answer.has_value()}, {"command", printable(outcome.command)}};
  if (outcome.answer)
    out["result"] = std::visit([](const auto& a) { return result(a); }, *outcome.answer);
  else
    out["error"] = error_object(outcome.command, outcome.answer.error());
  return out.dump();
}

std::string json_of(const Event& what) {
  return std::visit([](const auto& e) { return event(e); }, what).dump();
}

std::string json_of_failure(const Error& error) {
  return Json{{"event", "failed"}, {"error", error_object({}, error)}}.dump();
}

}  // namespace kadmesh::kadnode
