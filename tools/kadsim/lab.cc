#include "kadsim/lab.h"

#include <algorithm>

#include "base/signature_memo.h"
#include "kad/key.h"
#include "kadsim/outcome.h"
#include "kadsim/quantities.h"
#include "sim/luck.h"

namespace kadmesh::kadsim {
namespace {

WorldConfig world_config(const Scenario& scenario, std::uint64_t seed) {
  WorldConfig config;
  config.seed = seed;
  config.link = scenario.wires.link;
  config.addresses = scenario.wires.addresses;
  config.keep_reports = false;  // they are heard as they come
  config.check_every = scenario.check_every;
  return config;
}

Bytes bytes_of(std::string_view text) { return to_bytes(as_bytes(text)); }

std::string text_of(const MessageId& id) { return std::string(as_text(id)); }

// The last role that names it decides; null when none does.
std::vector<const Role*> roles_of(const Scenario& scenario) {
  std::vector<const Role*> out(scenario.population.count);
  for (const Role& role : scenario.roles)
    for (const NodeIndex node : named(role.who)) out[node] = &role;
  return out;
}

void add_counters(Lab::Counters& sum, const Node& node) {
  const NodeStats stats = node.stats();
  sum.duplicates += stats.gossip.duplicates;
  sum.heard.kad_requests += stats.heard.kad_requests;
  sum.heard.kad_answers += stats.heard.kad_answers;
  sum.heard.gossip += stats.heard.gossip;
}

}  // namespace

Lab::Lab(const Scenario& scenario, std::uint64_t seed, std::function<void(const TurnRecord&)> watch,
         std::function<void(NodeIndex)> on_boot)
    : scenario_(scenario),
      world_(world_config(scenario, seed)),
      begin_(world_.now().mono),
      messages_(scenario.population.count),
      index_(scenario.population.count),
      number_(scenario.population.count),
      noted_up_(scenario.population.count),
      noted_frozen_(scenario.population.count),
      started_(scenario.population.count),
      up_since_(scenario.population.count),
      watch_(std::move(watch)),
      on_boot_(std::move(on_boot)),
      seeds_(named(scenario.join.seeds)),
      roles_(roles_of(scenario)),
      signatures_(scenario.message_level ? std::make_shared<SignatureMemo>() : nullptr) {
  add_all();
  world_.on_report([this](World::Index index, const Report& report) { hear(index, report); });
  world_.on_turn([this](const TurnRecord& record) {
    if (record.kind == TurnKind::boot && record.node < number_.size()) booted(record);
    if (watch_) watch_(record);
  });
}

// --- nodes
void Lab::add_all() {
  for (const NodeIndex seed : seeds_) add(seed);
  for (NodeIndex node = 0; node < scenario_.population.count; ++node)
    if (!std::ranges::binary_search(seeds_, node)) add(node);
}

NodeConfig Lab::at_level(NodeConfig config) const {
  config.signatures = signatures_;
  if (scenario_.message_level) config.swarm.security = Security::plain;
  return config;
}

// Whoever wants to be known hangs up on nobody.
NodeConfig Lab::adversary_config() const {
  NodeConfig config = at_level(scenario_.config);
  config.swarm.idle_timeout = scenario_.duration + kAftermath;
  return config;
}

NodeConfig Lab::config_of(NodeIndex node) const {
  NodeConfig config = at_level(roles_[node] ? roles_[node]->config : scenario_.config);
  const std::size_t known = world_.nodes();
  for (const NodeIndex seed : seeds_)
    if (seed != node && index_[seed] < known && number_[index_[seed]] == seed)
      config.kad.seeds.push_back(world_.addr(index_[seed]));
  return config;
}

NodeOptions Lab::options_of(NodeIndex node) {
  const Role* role = roles_[node];
  NodeOptions options{.host = role ? role->host : scenario_.host};
  const std::optional<NatConfig>& nat = role ? role->nat : scenario_.nat;
  // Each behind a box of its own, as at home.
  if (nat) options.host.nat = world_.add_nat(*nat);
  return options;
}

// It is there, so that others know its address, and does not run.
void Lab::add(NodeIndex node) {
  const bool listens = !roles_[node] || roles_[node]->listens;
  NodeConfig config = config_of(node);
  const NodeOptions options = options_of(node);
  const World::Index index = listens ? world_.add_listening(std::move(config), options)
                                     : world_.add(std::move(config), options);
  index_[node] = index;
  number_[index] = node;
  by_id_[id(node)] = node;
  world_.kill(index);
}

void Lab::start(NodeIndex node) {
  if (started_[node]) return restart(node, true);
  started_[node] = true;
  world_.restart(index_[node], StoreFate::lost);
}

void Lab::kill(NodeIndex node) {
  if (!running(node)) return;
  note_down(node);
  world_.kill(index_[node]);
}

void Lab::restart(NodeIndex node, bool keep_store) {
  if (running(node)) return;
  if (!started_[node]) return start(node);
  world_.restart(index_[node], keep_store ? StoreFate::kept : StoreFate::lost);
}

void Lab::freeze(NodeIndex node) {
  if (!ready(node)) return;
  world_.freeze(index_[node]);
  note_frozen(node);
}

void Lab::thaw(NodeIndex node) {
  if (!running(node) || !world_.frozen(index_[node])) return;
  world_.thaw(index_[node]);
  note_frozen(node);
}

// --- the books
void Lab::note_down(NodeIndex node) {
  if (!noted_up_[node]) return;
  noted_up_[node] = noted_frozen_[node] = false;
  add_counters(past_, this->node(node));
  ledger_.lost(node);
  ledger_.thawed(node, now());
  messages_.down(node, now());
}

void Lab::note_up(NodeIndex node) {
  noted_up_[node] = true;
  up_since_[node] = now();
  messages_.down(node, now());  // it may have been away in between
  messages_.born(node);
}

// As it is now, if the books have it otherwise.
void Lab::note_frozen(NodeIndex node) {
  const bool frozen = world_.frozen(index_[node]);
  if (!noted_up_[node] || noted_frozen_[node] == frozen) return;
  noted_frozen_[node] = frozen;
  if (frozen) {
    ledger_.froze(node, now());
    messages_.down(node, now());
  } else {
    ledger_.thawed(node, now());
    messages_.up(node);
  }
}

// Its last life, if nobody told of its end, ended between two looks.
void Lab::booted(const TurnRecord& record) {
  const NodeIndex node = number_.at(record.node);
  if (noted_up_[node]) {
    ledger_.lost(node);
    noted_up_[node] = false;
  }
  note_up(node);
  // What its application does when it starts is not part of this turn.
  world_.at(world_.now().mono, [this, node] {
    for (const std::string& topic : messages_.topics_of(node)) subscribe(node, topic);
    on_boot_(node);
  });
}

void Lab::catch_up() {
  if (!troubled_) return;
  for (NodeIndex node = 0; node < noted_up_.size(); ++node) catch_up(node);
}

void Lab::catch_up(NodeIndex node) {
  if (noted_up_[node] && !running(node)) note_down(node);
  note_frozen(node);
}

std::vector<NodeIndex> Lab::ready() const {
  std::vector<NodeIndex> out;
  for (NodeIndex node = 0; node < noted_up_.size(); ++node)
    if (ready(node)) out.push_back(node);
  return out;
}

std::vector<NodeIndex> Lab::down() const {
  std::vector<NodeIndex> out;
  for (NodeIndex node = 0; node < noted_up_.size(); ++node)
    if (!running(node)) out.push_back(node);
  return out;
}

std::vector<NodeIndex> Lab::frozen() const {
  std::vector<NodeIndex> out;
  for (NodeIndex node = 0; node < noted_up_.size(); ++node)
    if (running(node) && world_.frozen(index_[node])) out.push_back(node);
  return out;
}

std::pair<std::uint64_t, std::uint64_t> Lab::captured(NodeIndex node) const {
  std::uint64_t servers = 0, theirs = 0;
  for (const TableEntry& entry : this->node(node).kad().table()) {
    if (entry.standing != Standing::server) continue;
    ++servers;
    if (!number(entry.contact.peer)) ++theirs;
  }
  return {servers, theirs};
}

Lab::Counters Lab::counters() const {
  Counters sum = past_;
  for (NodeIndex node = 0; node < noted_up_.size(); ++node)
    if (noted_up_[node]) add_counters(sum, this->node(node));
  return sum;
}

// --- what nodes say
void Lab::hear(World::Index index, const Report& report) {
  if (index >= number_.size()) return;
  const NodeIndex node = number_[index];
  // What it had begun when it was shut down is lost with it, as if it had been killed.
  if (!noted_up_[node]) return;
  note_frozen(node);  // thawed by whoever froze it
  if (const auto* done = std::get_if<OpDone>(&report)) hear_end(node, *done);
  if (const auto* message = std::get_if<MessageDelivered>(&report))
    hear_message(node, message->delivery);
  if (const auto* left = std::get_if<PeerDisconnected>(&report))
    blame(node, left->peer, left->cause);
  if (const auto* notice = std::get_if<Notice>(&report); notice && notice->peer)
    blame(node, *notice->peer, notice->what);
}

void Lab::hear_end(NodeIndex node, const OpDone& done) {
  Outcome outcome = outcome_of(done);
  if (const auto* kad = done.result ? std::get_if<KadReport>(&*done.result) : nullptr)
    if (const auto* closest = std::get_if<ClosestReport>(kad))
      outcome.exact = exact(node, *closest);
  ledger_.ended({node, static_cast<std::uint64_t>(done.op)}, now(), std::move(outcome));
}

// Nobody is missing who was there all the while: nearer than the farthest of k, or anybody at all
// where there are fewer. None where nobody had to be found.
std::optional<bool> Lab::exact(NodeIndex asker, const ClosestReport& report) const {
  const KadConfig& kad = node(asker).config().kad;
  const KadId target = KadId::of(report.target);
  const auto away = [&](const PeerId& peer) { return distance(KadId::of(peer), target); };
  const bool full = report.closest.size() >= kad.k;
  const Duration joined = now() - report.walk.took - kJoining;
  std::optional<bool> exact;
  for (NodeIndex other = 0; other < noted_up_.size(); ++other) {
    if (other == asker || !ready(other) || up_since_[other] > joined) continue;
    if (!node(other).serving() || node(other).config().kad.protocol != kad.protocol) continue;
    if (full && away(id(other)) > away(report.closest.back().peer)) continue;
    if (std::ranges::find(report.closest, id(other), &Contact::peer) == report.closest.end())
      return false;
    exact = true;
  }
  return exact;
}

std::optional<NodeIndex> Lab::number(const PeerId& peer) const {
  const auto found = by_id_.find(peer);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

void Lab::hear_message(NodeIndex node, const GossipDeliver& delivery) {
  const GossipMessage& message = delivery.message;
  Messages::Arrival arrival{text_of(delivery.id), message.topic, std::nullopt,
                            digest_of(message.data), number(delivery.received_from)};
  if (message.from) arrival.author = number(*message.from).value_or(Messages::kStranger);
  messages_.delivered(arrival, node, now());
}

// All of them are ours, and do nothing of that kind.
void Lab::blame(NodeIndex node, const PeerId& peer, const Error& cause) {
  const bool breach =
      cause.code == Errc::auth || cause.code == Errc::malformed || cause.code == Errc::protocol;
  const auto whom = number(peer);
  if (!breach || !whom || !breach_.empty()) return;
  breach_ = scenario_.population.name(node) + " says of " + scenario_.population.name(*whom) +
            " at " + to_text(now()) + ": " + to_string(cause);
}

// --- commands
template <class Begin>
void Lab::begin(Verb verb, const std::string& label, NodeIndex node, Duration limit, Begin run) {
  if (!ready(node)) return;
  const std::size_t record = ledger_.begin(verb, label, node, now(), limit);
  const OpId op = world_.start(index_[node], run, limit);
  ledger_.known_as(record, static_cast<std::uint64_t>(op));
}

void Lab::connect(NodeIndex node, NodeIndex to, const std::string& label, bool bare,
                  Duration limit) {
  if (node == to) return;
  const Multiaddr addr = bare ? world_.bare_addr(index_[to]) : world_.addr(index_[to]);
  begin(Verb::connect, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.connect(t, addr, by); });
}

void Lab::disconnect(NodeIndex node, NodeIndex from) {
  if (!ready(node)) return;
  world_.command(index_[node], [&](Node& n, Turn t) { n.disconnect(t, id(from)); });
}

void Lab::ping(NodeIndex node, NodeIndex to, const std::string& label, Duration limit) {
  if (node == to) return;
  begin(Verb::ping, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.ping(t, id(to), by); });
}

void Lab::await_ready(NodeIndex node, std::size_t live, const std::string& label, Duration limit) {
  begin(Verb::ready, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.await_ready(t, live, by); });
}

void Lab::put(NodeIndex node, std::string_view key, Bytes value, const std::string& label,
              Duration limit) {
  begin(Verb::put, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.put(t, bytes_of(key), std::move(value), by); });
}

void Lab::get(NodeIndex node, std::string_view key, const std::string& label, Duration limit) {
  begin(Verb::get, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.get(t, bytes_of(key), by); });
}

void Lab::provide(NodeIndex node, std::string_view key, const std::string& label, Duration limit) {
  begin(Verb::provide, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.provide(t, bytes_of(key), by); });
}

void Lab::find_providers(NodeIndex node, std::string_view key, const std::string& label,
                         Duration limit) {
  begin(Verb::find_providers, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.find_providers(t, bytes_of(key), 0, by); });
}

void Lab::find(NodeIndex node, NodeIndex whom, const std::string& label, Duration limit) {
  if (node == whom) return;
  begin(Verb::find, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.find_peer(t, id(whom), by); });
}

void Lab::closest(NodeIndex node, std::string_view key, const std::string& label, Duration limit) {
  begin(Verb::closest, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.find_closest(t, bytes_of(key), by); });
}

void Lab::subscribe(NodeIndex node, const std::string& topic) {
  if (!ready(node)) return;
  const auto done =
      world_.command(index_[node], [&](Node& n, Turn t) { return n.subscribe(t, topic); });
  if (done) messages_.subscribed(topic, node);
}

void Lab::unsubscribe(NodeIndex node, const std::string& topic) {
  if (!ready(node)) return;
  world_.command(index_[node], [&](Node& n, Turn t) { n.unsubscribe(t, topic); });
  messages_.unsubscribed(topic, node, now());
}

void Lab::publish(NodeIndex node, const std::string& topic, Bytes data, const std::string& label) {
  if (!ready(node)) return;
  const std::uint64_t digest = digest_of(data);
  const std::size_t record = ledger_.begin(Verb::publish, label, node, now(), Duration::zero());
  const auto receipt = world_.command(
      index_[node], [&](Node& n, Turn t) { return n.publish(t, topic, std::move(data)); });
  ledger_.end(record, now(), receipt ? Outcome() : outcome_of(receipt.error()));
  if (receipt) messages_.published({text_of(receipt->id), topic, label, node, digest}, now());
}

void Lab::backfill(NodeIndex node, NodeIndex from, const std::string& topic,
                   const std::string& label, Duration limit) {
  begin(Verb::backfill, label, node, limit,
        [&](Node& n, Turn t, Time by) { return n.backfill(t, id(from), topic, by); });
}

}  // namespace kadmesh::kadsim
