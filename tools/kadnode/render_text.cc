#include <fmt/format.h>

#include <iterator>

#include "base/multibase.h"
#include "base/utf8.h"
#include "kadnode/render.h"

namespace kadmesh::kadnode {
namespace {

// --- pieces
template <class... Arguments>
void say(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

std::string lasting(Duration time) {
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  if (ms < 10) return fmt::format("{:.1f} ms", ms);
  if (ms < 10'000) return fmt::format("{:.0f} ms", ms);
  return fmt::format("{:.1f} s", ms / 1000);
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string joined(const std::vector<PeerId>& peers) {
  std::string out;
  for (const PeerId& peer : peers) out.append(out.empty() ? "" : " ").append(peer.text());
  return out.empty() ? "nobody" : out;
}

std::string walked(const Walk& walk) {
  return fmt::format("asked {}, answered {}, {} in {}{}", walk.asked, walk.answered,
                     counted(walk.hops, "hop"), lasting(walk.took),
                     walk.complete ? "" : ", incomplete");
}

std::string alone(const Walk& walk) {
  return walk.asked == 0 ? "no_peers: nobody is there" : "timeout: nobody answered";
}

void say_contact(std::string& out, const Contact& contact) {
  say(out, "\n{}", contact.peer.text());
  for (const Dialable& addr : contact.addrs) say(out, "\n  {}", addr.addr().text());
}

std::string bootstrap(const BootstrapStatus& status) {
  std::string out = fmt::format("{}, {}", name(status.state), counted(status.live, "live peer"));
  if (!status.last_failure.empty() && status.live == 0)
    say(out, "; last failure: {}", printable(status.last_failure));
  return out;
}

// --- answers
std::string text(const IdAnswer& a) {
  std::string out = a.id.text();
  for (const Multiaddr& addr : a.addrs) say(out, "\n{}", addr.text());
  return out;
}

std::string text(const ConnectReport& a) {
  return fmt::format("{} {} at {}", a.already ? "already connected to" : "connected to",
                     a.peer.text(), a.remote.text());
}

void say_connections(std::string& out, const NetworkAnswer& a) {
  say(out, "\nconnections: {}", a.connections.size());
  for (const auto& [info, agent] : a.connections)
    say(out, "\n  {} {} {}, {}{}, {}", info.peer.text(), info.opened_by_us ? "to" : "from",
        info.remote.text(), counted(info.streams, "stream"),
        info.rtt > Duration::zero() ? ", rtt " + lasting(info.rtt) : "",
        agent.empty() ? "not identified" : printable(agent));
}

void say_table(std::string& out, const std::vector<TableEntry>& table) {
  say(out, "\nrouting table: {}", counted(table.size(), "peer"));
  const TableEntry* last = nullptr;
  for (const TableEntry& e : table) {
    if (!last || last->bucket != e.bucket) say(out, "\n  bucket {}", e.bucket);
    last = &e;
    say(out, "\n    {} {}{}{}", e.contact.peer.text(), name(e.standing),
        e.connected ? ", connected" : "",
        e.failures > 0 ? ", " + counted(e.failures, "failure") : "");
  }
}

void say_topics(std::string& out, const std::vector<TopicView>& topics) {
  say(out, "\ntopics: {}", topics.size());
  for (const TopicView& t : topics) {
    say(out, "\n  {}{}", printable(t.topic), t.subscribed ? "" : " (not subscribed here)");
    if (t.subscribed) say(out, "\n    mesh: {}", joined(t.mesh));
    if (!t.fanout.empty()) say(out, "\n    fanout: {}", joined(t.fanout));
    say(out, "\n    subscribers: {}", joined(t.subscribers));
  }
}

std::string text(const NetworkAnswer& a) {
  std::string out = fmt::format("node {}: {}", a.self.text(), bootstrap(a.bootstrap));
  say_connections(out, a);
  say_table(out, a.table);
  say_topics(out, a.topics);
  return out;
}

std::string text(const PingAnswer& a) {
  std::string out = a.peer.text() + ":";
  for (const Duration rtt : a.rtts) say(out, " {}", lasting(rtt));
  return out;
}

std::string text(const PutReport& a) {
  if (a.pending) return "kept here, to be delivered later: " + alone(a.walk);
  return fmt::format("stored at {} of {}{} ({})", a.acknowledged, counted(a.contacted, "peer"),
                     a.stored_locally ? " and here" : "", walked(a.walk));
}

std::string text(const GetAnswer& a) {
  std::string out = printable(as_text(a.report.value));
  if (!a.file.empty())
    out =
        fmt::format("{} written to {}", counted(a.report.value.size(), "byte"), printable(a.file));
  say(out, "\n({}{}; {})",
      a.report.copies == 1 ? "1 copy" : fmt::format("{} copies", a.report.copies),
      a.report.local ? " and here" : "", walked(a.report.walk));
  return out;
}

std::string text(const ProvideReport& a) {
  const std::string cid = to_base(Base::base58, a.key);
  if (a.pending) return "to be announced later: " + cid + ": " + alone(a.walk);
  return fmt::format("announced {} to {} ({})", cid, counted(a.contacted, "peer"), walked(a.walk));
}

std::string text(const ProvidersReport& a) {
  std::string out = fmt::format("{} of {} ({})", counted(a.providers.size(), "provider"),
                                to_base(Base::base58, a.key), walked(a.walk));
  for (const Contact& provider : a.providers) say_contact(out, provider);
  return out;
}

std::string text(const ClosestReport& a) {
  std::string out =
      fmt::format("{} ({})", counted(a.closest.size(), "closest peer"), walked(a.walk));
  for (const Contact& peer : a.closest) say_contact(out, peer);
  return out;
}

std::string text(const FindReport& a) {
  std::string out = a.connected ? "found, connected" : "found";
  say(out, " ({})", walked(a.walk));
  say_contact(out, a.found);
  return out;
}

std::string text(const SubscribedAnswer& a) {
  return (a.subscribed ? "subscribed to " : "no longer subscribed to ") + printable(a.topic);
}

std::string text(const PublishAnswer& a) {
  if (a.receipt.peers.empty()) return "sent to nobody yet; kept for peers that ask (--backfill)";
  std::size_t queued = 0;
  for (const Receipt::Peer& p : a.receipt.peers) queued += p.sent == Sent::queued;
  return fmt::format("sent to {} of {}", queued, counted(a.receipt.peers.size(), "peer"));
}

std::string text(const BackfillReport& a) {
  std::string out = fmt::format("{} of {} are new, {} were known", a.taken,
                                counted(a.told, "message"), a.duplicates);
  if (a.gap) out += "; older ones are no longer kept there";
  if (!a.complete) say(out, "; there are more, behind {}", to_hex(a.next));
  return out;
}

std::string paced(const KadPace& pace) {
  if (pace.answers == 0) return fmt::format("none yet, waited for {}", lasting(pace.timeout));
  return fmt::format("in {}, give or take {}, waited for {}", lasting(pace.mean),
                     lasting(pace.deviation), lasting(pace.timeout));
}

std::string text(const StatsAnswer& a) {
  const KadStats& kad = a.node.kad;
  const GossipStats& gossip = a.node.gossip;
  std::string out = fmt::format("node {}, up {}", a.self.text(), lasting(a.up));
  say(out, "\nbootstrap: {}", bootstrap(a.node.bootstrap));
  say(out, "\nmode: {} of the DHT", a.node.serving ? "server" : "client");
  say(out, "\nswarm: {} connected, {} known, {}, {}, {} buffered",
      counted(a.node.connected_peers, "peer"), a.node.book_peers,
      counted(a.node.swarm.connections, "connection"), counted(a.node.swarm.streams, "stream"),
      counted(a.node.swarm.buffered_bytes, "byte"));
  say(out, "\ntable: {}, {} of them connected, {} provisional, in {}",
      counted(kad.table_servers, "server"), kad.table_live, kad.table_provisional,
      counted(a.buckets.size(), "bucket"));
  say(out, "\nqueries: {} running; {} started, {} ok, {} failed, {} timed out", kad.queries_running,
      kad.queries_started, kad.queries_ok, kad.queries_failed, kad.queries_timed_out);
  say(out, "\nrequests: {} outstanding; {} sent, {} failed, {} served, {} refused",
      kad.requests_outstanding, kad.requests_sent, kad.requests_failed, kad.requests_served,
      kad.requests_refused);
  say(out, "\nanswers: {}; after a dial {}", paced(kad.warm), paced(kad.cold));
  const StoreStats& store = a.node.store;
  say(out, "\nstore: {}, {}; {} failed, {} refused, {} displaced", counted(a.stored_rows, "row"),
      counted(a.stored_bytes, "byte"), store.failed, store.refused, store.displaced);
  say(out, "\npublishing: {} reached nobody yet, {} due again, {} under way",
      counted(kad.pending_puts + kad.pending_provides, "announcement"), kad.republish_due,
      kad.republish_running);
  say(out, "\ngossip: {}, {}; {} delivered, {} duplicates, {} published, {} forwarded, {} rejected",
      counted(gossip.peers, "peer"), counted(gossip.topics, "topic"), gossip.delivered,
      gossip.duplicates, gossip.published, gossip.forwarded, gossip.rejected);
  say(out, "\n  IDONTWANT: {} sent, {} received, {} spared; scores: {} below zero, lowest {:.2f}",
      gossip.idontwant_sent, gossip.idontwant_got, counted(gossip.not_wanted, "message"),
      gossip.below_zero, gossip.lowest_score);
  for (const auto& m : a.meshes)
    say(out, "\n  {}: {} in the mesh of {}", printable(m.topic), m.peers,
        counted(m.subscribers, "subscriber"));
  return out;
}

std::string text(const WhyAnswer& a) {
  std::string out;
  for (const std::string& line : a.lines) {
    std::string_view rest = line;  // a line a topic
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out.append(out.empty() ? "" : "\n").append(printable(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

std::string text(const HelpAnswer& a) { return a.text; }
std::string text(const QuitAnswer&) { return "bye"; }

// --- events
std::string text(const ReadyEvent& e) {
  std::string out = "node " + e.id.text();
  if (e.addrs.empty()) out += "; listens nowhere";
  for (const Multiaddr& addr : e.addrs) say(out, "\n  {}", addr.text());
  if (e.metrics) say(out, "\nmetrics at {}", e.metrics->text());
  return out;
}

std::string text(const PeerConnected& e) {
  return fmt::format("connected: {} {} {}", e.peer.text(), e.opened_by_us ? "at" : "from",
                     e.remote.text());
}

std::string text(const PeerDisconnected& e) {
  return fmt::format("disconnected: {}: {}", e.peer.text(), printable(to_string(e.cause)));
}

std::string text(const IdentifiedEvent& e) {
  return fmt::format("identified: {} is {}", e.peer.text(), printable(e.agent));
}

std::string text(const MessageEvent& e) {
  const GossipMessage& message = e.delivery.message;
  return fmt::format(
      "[{}]{} {}: {}", printable(message.topic), e.delivery.backfilled ? " (before)" : "",
      message.from ? message.from->text() : "anonymous", printable(as_text(message.data)));
}

std::string text(const BootstrapEvent& e) { return "bootstrap: " + bootstrap(e.status); }

std::string text(const StepEvent& e) {
  const WalkStep& step = e.step;
  std::string out = fmt::format("{:>9} {:<9}", lasting(e.since), name(step.what));
  if (step.peer) say(out, " {} ({} bits)", step.peer->text(), step.shared);
  if (!step.question.empty()) say(out, " {}", step.question);
  if (step.from) say(out, " from {}", step.from->text());
  if (step.cause) say(out, ": {}", printable(to_string(*step.cause)));
  return out;
}

std::string text(const DroppedEvent& e) {
  return fmt::format("{} not shown: the output was not read", counted(e.count, "event"));
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const auto byte = static_cast<unsigned char>(bytes[0]);
    // C1 controls are two bytes in UTF-8; terminals obey them like the others.
    const bool control =
        byte < 0x20 || byte == 0x7f ||
        (length == 2 && byte == 0xc2 && static_cast<unsigned char>(bytes[1]) < 0xa0);
    if (length > 0 && !control) {
      out.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    } else {
      say(out, "\\x{:02x}", byte);
      bytes.remove_prefix(1);
    }
  }
  return out;
}

std::string text_of(const Outcome& outcome) {
  if (outcome.answer) return std::visit([](const auto& a) { return text(a); }, *outcome.answer);
  const Error& error = outcome.answer.error();
  std::string out = printable(outcome.command) + ": " + printable(to_string(error));
  if (const auto what = hint(outcome.command, error); !what.empty()) out += " (" + what + ")";
  return out;
}

std::string text_of(const Event& event) {
  return std::visit([](const auto& e) { return text(e); }, event);
}

}  // namespace kadmesh::kadnode
