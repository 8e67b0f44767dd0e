#include "sim/storm/storm.h"

#include <algorithm>

#include "sim/oracle.h"

namespace kadmesh {
namespace {

constexpr Duration kJoin = 15s, kTrouble = 60s, kRecovery = 5min;
constexpr Duration kLookAround = 1s;
// A GRAFT that was under way when the PRUNE left is nobody's fault.
constexpr Duration kCrossing = 5s;
constexpr Duration kPickyBackoff = 60s;
// What a fault did to a node may last so long.
constexpr Duration kAftermath = 2min;
constexpr std::size_t kTransfer = std::size_t{3} * 1024 * 1024;
const Topic kTopic = "storm";
const StoreTrouble kStoreTrouble{.latest = 20s, .late_ppm = 50'000, .io_ppm = 50'000};

Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }
Bytes key_of(std::uint64_t number) { return text("/v/" + std::to_string(number)); }
Bytes value_of(std::uint64_t number) { return text("value " + std::to_string(number)); }
bool is_good(const Bytes& data) { return !data.empty() && data.front() == 'g'; }

bool breaks_protocol(const Error& cause) {
  return cause.code == Errc::auth || cause.code == Errc::malformed || cause.code == Errc::protocol;
}

}  // namespace

// --- the stage
WorldConfig Storm::config(std::uint64_t seed) {
  Luck luck(derived(seed, "storm's links"));
  WorldConfig config;
  config.seed = seed;
  config.link.latency = PairLatency{Uniform{1ms, luck.up_to(80ms) + 1ms}};
  config.link.jitter = luck.up_to(10ms);
  config.link.loss_ppm = static_cast<std::uint32_t>(luck.below(3000));
  config.link.syn_loss_ppm = static_cast<std::uint32_t>(luck.below(10'000));
  config.link.most_segment = std::array<std::size_t, 3>{0, 97, 1400}[luck.below(3)];
  config.link.coalesced_ppm = static_cast<std::uint32_t>(luck.below(2) * 500'000);
  config.link.taken_at_once_ppm = static_cast<std::uint32_t>(luck.below(2) * 500'000);
  config.keep_reports = false;
  return config;
}

Storm::Storm(std::uint64_t seed)
    : world_(config(seed)), luck_(derived(seed, "storm")), troubled_(kNodes + 1, Time::min()) {
  world_.on_report([this](Index node, const Report& report) { on_report(node, report); });
  world_.on_turn([this](const TurnRecord& turn) {
    if (turn.kind == TurnKind::boot) on_boot(turn.node);
  });
}

// Small buckets and meshes, so that there is something to be displaced from.
NodeConfig Storm::node_config(Index node) const {
  NodeConfig config = world_.default_config(node);
  if (node > 1) config.kad.seeds.push_back(world_.addr(1));
  config.kad.k = 5;
  config.gossip.d = 4;
  config.gossip.d_lo = 3;
  config.gossip.d_hi = 5;
  config.gossip.d_out = 1;
  config.gossip.flood_publish = false;
  config.gossip.manual_validation = true;
  // Authors here send on purpose what is rejected, and are not to be shut out for it.
  config.gossip.scoring->params.default_topic->invalid_weight = 0;
  return config;
}

// It takes nobody into its mesh, and watches who comes back too early.
void Storm::add_picky_peer() {
  Adversary::Script script;
  script.on_pubsub = [](Adversary& self, const PeerId& peer) {
    gossip::Rpc hello;
    hello.subscriptions = {{true, kTopic}};
    self.say(peer, hello);
  };
  script.on_rpc = [this](Adversary& self, const PeerId& from, const gossip::Rpc& rpc) {
    if (rpc.graft.empty() || of_earlier_life_.contains(from)) return;
    const Time now = world_.now().mono;
    const auto before = pruned_.find(from);
    if (before != pruned_.end() && now > after(before->second, kCrossing) &&
        now < after(before->second, kPickyBackoff))
      wrong("a GRAFT " + std::to_string((now - before->second) / 1ms) + " ms after a PRUNE");
    gossip::Rpc answer;
    answer.prune = {{kTopic, 60}};
    self.say(from, answer);
    note_prune(from);
  };
  NodeConfig like = node_config(kNodes);
  like.kad.protocol = "/storm/picky/1.0.0";
  picky_ = std::make_unique<Adversary>(world_, std::move(script), like);
}

// It counts once the other side must have heard it: a while after it still has the connection by
// which it went, and nothing is cut.
void Storm::note_prune(const PeerId& peer) {
  const auto went = picky_->pubsub_connection(peer);
  if (!went) return;
  const Time at = world_.now().mono;
  world_.at(after(at, kCrossing), [this, peer, at, went] {
    if (has_other_end(peer, *went)) pruned_.insert_or_assign(peer, at);
  });
}

bool Storm::has_other_end(const PeerId& peer, const ConnectionInfo& ours) const {
  for (Index i = 0; i < kNodes; ++i) {
    if (world_.peer(i) != peer || !world_.up(i)) continue;
    if (world_.frozen(i) || excused(i)) return false;
    if (!world_.network().reachable(static_cast<HostId>(picky_->index()), static_cast<HostId>(i)))
      return false;
    return std::ranges::any_of(world_.node(i).connections(), [&](const ConnectionInfo& theirs) {
      return theirs.local == ours.remote && theirs.remote == ours.local;
    });
  }
  return false;
}

// --- the play
std::string Storm::play() {
  using Act = void (Storm::*)();
  for (const Act act :
       {&Storm::join, &Storm::transfer, &Storm::trouble, &Storm::require_recovery,
        &Storm::require_lookups, &Storm::require_reach, &Storm::transfer, &Storm::require_rest})
    if (wrong_.empty()) (this->*act)();
  return wrong_;
}

void Storm::join() {
  world_.nodes(kNodes, [this](Index i) { return node_config(i); });
  add_picky_peer();
  look_around();
  world_.run_for(kJoin);
}

void Storm::trouble() {
  faults_ = std::make_unique<Faults>(world_, FaultConfig{.spared = {picky_->index()}});
  faults_->on_fault([this](Time, Fault fault, Index node) { on_fault(fault, node); });
  trouble_ = true;
  servers_.clear();
  faults_->start();
  world_.trouble_stores(kStoreTrouble);
  work();
  world_.run_for(kTrouble);
  faults_->heal();
  world_.heal();
  world_.trouble_stores({});
}

void Storm::work() {
  world_.at(after(world_.now().mono, 200ms + luck_.up_to(1s)), [this] {
    if (recovered_) return;
    work_once();
    work();
  });
}

void Storm::work_once() {
  const Index who = luck_.below(kNodes);
  if (!world_.up(who) || world_.frozen(who)) return;
  switch (luck_.below(7)) {
    case 0:
      return void(put(who, luck_.below(50)));
    case 1:
      return void(get(who, luck_.below(50)));
    case 2:
      return void(find(who, luck_.below(kNodes)));
    case 3:
      return void(publish(who, false));
    case 4:
      return leave_and_join(who);
    case 5:
      return void(ping(who, luck_.below(kNodes)));
    default:
      return void(publish(who, true));
  }
}

template <class Command>
OpId Storm::start(Index who, Command command) {
  const Duration limit = 2s + luck_.up_to(8s);
  const OpId op = world_.start(who, command, limit);
  if (!ended_.contains({who, op})) open_[{who, op}] = after(world_.now().mono, limit);
  return op;
}

OpId Storm::put(Index who, std::uint64_t number) {
  return start(who, [&](Node& node, Turn turn, Time deadline) {
    return node.put(turn, key_of(number), value_of(number), deadline);
  });
}

OpId Storm::get(Index who, std::uint64_t number) {
  return start(who, [&](Node& node, Turn turn, Time deadline) {
    return node.get(turn, key_of(number), deadline);
  });
}

OpId Storm::ping(Index who, Index whom) {
  return start(who, [&](Node& node, Turn turn, Time deadline) {
    return node.ping(turn, world_.peer(whom), deadline);
  });
}

OpId Storm::find(Index who, Index whom) {
  return start(who, [&](Node& node, Turn turn, Time deadline) {
    return node.find_peer(turn, world_.peer(whom), deadline);
  });
}

Bytes Storm::publish(Index who, bool good) {
  Bytes data = text((good ? "g" : "b") + std::to_string(messages_++));
  data.resize(data.size() + luck_.below(3000), ' ');
  delivered_.try_emplace(data, world_.nodes());
  world_.command(who, [&](Node& node, Turn turn) { (void)node.publish(turn, kTopic, data); });
  return data;
}

void Storm::leave_and_join(Index who) {
  world_.command(who, [](Node& node, Turn turn) { node.unsubscribe(turn, kTopic); });
  world_.at(after(world_.now().mono, luck_.up_to(3s)), [this, who] { subscribe(who); });
}

void Storm::subscribe(Index who) {
  if (!world_.up(who)) return;
  world_.command(who, [](Node& node, Turn turn) { (void)node.subscribe(turn, kTopic); });
}

// --- what must always hold
void Storm::wrong(const std::string& what) {
  if (!wrong_.empty()) return;
  const auto at = world_.now().mono - world_.config().start.mono;
  wrong_ = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at).count()) +
           " ms: " + what;
}

std::string Storm::at(Index node) const { return "node " + std::to_string(node) + ": "; }

bool Storm::excused(Index node) const {
  return !recovered_ && after(troubled_[node], kAftermath) > world_.now().mono;
}

void Storm::on_boot(Index node) {
  std::erase_if(open_, [&](const auto& op) { return op.first.first == node; });
  std::erase_if(ended_, [&](const auto& op) { return op.first.first == node; });
  servers_.erase(node);
  for (auto& [data, counts] : delivered_)
    if (node < counts.size()) counts[node] = 0;
  if (node >= kNodes) return;
  if (met_.contains(world_.peer(node))) of_earlier_life_.insert(world_.peer(node));
  world_.at(world_.now().mono, [this, node] { subscribe(node); });
}

void Storm::on_fault(Fault fault, Index node) {
  if (fault == Fault::freeze || fault == Fault::slow || fault == Fault::drift)
    troubled_[node] = world_.now().mono;
  if (fault == Fault::kill || fault == Fault::crash) pruned_.erase(world_.peer(node));
}

void Storm::on_report(Index node, const Report& report) {
  if (!transfers_.empty()) transfers_.back()->on_report(node, report);
  if (node >= kNodes) return on_report_of_picky(report);
  if (const auto* done = std::get_if<OpDone>(&report)) on_done(node, *done);
  if (const auto* message = std::get_if<MessageToValidate>(&report)) on_validate(node, *message);
  if (const auto* message = std::get_if<MessageDelivered>(&report)) on_delivered(node, *message);
  if (const auto* left = std::get_if<PeerDisconnected>(&report))
    if (breaks_protocol(left->cause)) wrong(at(node) + "lost a peer: " + to_string(left->cause));
  if (const auto* notice = std::get_if<Notice>(&report)) on_notice(node, *notice);
}

// What costs no more than a stream is a breach all the same.
void Storm::on_notice(Index node, const Notice& notice) {
  if (!breaks_protocol(notice.what) || notice.peer == world_.peer(picky_->index())) return;
  wrong(at(node) + "notes, of " + std::string(notice.area) + ": " + to_string(notice.what));
}

void Storm::on_report_of_picky(const Report& report) {
  if (const auto* came = std::get_if<PeerConnected>(&report)) met_.insert(came->peer);
  const auto* left = std::get_if<PeerDisconnected>(&report);
  if (!left) return;
  met_.erase(left->peer);
  of_earlier_life_.erase(left->peer);
}

void Storm::on_done(Index node, const OpDone& done) {
  if (!ended_.try_emplace({node, done.op}, done.result.has_value()).second)
    wrong(at(node) + "an operation ended twice");
  const auto begun = open_.extract(std::pair(node, done.op));
  if (!begun.empty() && begun.mapped() < world_.now().mono && !excused(node))
    wrong(at(node) + "an operation ended after its deadline");
}

void Storm::on_validate(Index node, const MessageToValidate& message) {
  const GossipMessage& said = message.validation.message;
  const bool good = is_good(said.data);
  if (!good && said.from != message.validation.received_from)
    wrong(at(node) + "got a message from somebody whose application had rejected it");
  world_.command(node, [&](Node& n, Turn turn) {
    n.verdict(turn, message.validation.id, good ? Verdict::accept : Verdict::reject);
  });
}

void Storm::on_delivered(Index node, const MessageDelivered& message) {
  const Bytes& data = message.delivery.message.data;
  if (!is_good(data)) return wrong(at(node) + "was given a message that it had rejected");
  const auto counts = delivered_.find(data);
  if (counts == delivered_.end()) return wrong(at(node) + "got a message that nobody sent");
  if (++counts->second[node] > 1) wrong(at(node) + "got a message twice");
}

void Storm::look_around() {
  world_.at(after(world_.now().mono, kLookAround), [this] {
    for (Index i = 0; i < kNodes; ++i)
      if (world_.up(i) && !world_.frozen(i)) look_at(i);
    look_around();
  });
}

void Storm::look_at(Index node) {
  for (const auto& [op, deadline] : open_)
    if (op.first == node && after(deadline, 1s) < world_.now().mono && !excused(node))
      wrong(at(node) + "an operation did not end");
  if (!picky_->pubsub_peers().contains(world_.peer(node))) picky_->connect(node);
  if (!trouble_ || recovered_) check_table(node);
}

// Whoever serves, answers and stays connected is not displaced.
void Storm::check_table(Index node) {
  std::set<PeerId> now;
  for (const TableEntry& entry : world_.node(node).kad().table())
    if (entry.connected && entry.standing == Standing::server) now.insert(entry.contact.peer);
  std::set<PeerId> connected;
  for (const ConnectionInfo& info : world_.node(node).connections()) connected.insert(info.peer);
  for (const PeerId& peer : servers_[node])
    if (connected.contains(peer) && !now.contains(peer))
      wrong(at(node) + "a server that is connected left the table");
  servers_[node] = std::move(now);
}

// --- what must come
void Storm::require(bool held, const std::string& what) {
  if (!held) wrong(what);
}

void Storm::transfer() {
  transfers_.push_back(std::make_unique<Transfer>(world_, 2, 3, kTransfer));
  Transfer& it = *transfers_.back();
  const OpId met = world_.start(2, [&](Node& node, Turn turn, Time deadline) {
    return node.connect(turn, world_.addr(3), deadline);
  });
  world_.run_until([&] { return ended_.contains({2, met}); }, 15s);
  it.start();
  world_.run_until([&] { return it.complete() || !wrong_.empty(); }, 60s);
  require(!it.corrupt(), "a transfer came with other bytes");
  require(it.complete(), "a transfer stopped at byte " + std::to_string(it.received()) + " of " +
                             std::to_string(kTransfer));
}

bool Storm::recovered() const {
  for (Index i = 0; i < kNodes; ++i) {
    if (world_.node(i).stats().bootstrap.live < 3) return false;
    if (!in_mesh(i)) return false;
  }
  return true;
}

bool Storm::all_in_meshes() const {
  for (Index i = 0; i < kNodes; ++i)
    if (!in_mesh(i)) return false;
  return true;
}

bool Storm::in_mesh(Index node) const {
  return std::ranges::any_of(world_.node(node).gossip().topics(), [](const TopicView& view) {
    return view.topic == kTopic && view.subscribed && !view.mesh.empty();
  });
}

void Storm::require_recovery() {
  require(world_.run_until([&] { return recovered() || !wrong_.empty(); }, kRecovery),
          "healed, and yet not a network again");
  world_.run_for(kAftermath);
  recovered_ = true;
}

void Storm::require_lookups() {
  std::vector<std::pair<Index, OpId>> puts, others;
  for (std::uint64_t i = 0; i < 5; ++i) puts.emplace_back(i, put(i, 100 + i));
  await(puts, "a put");
  for (std::uint64_t i = 0; i < 5; ++i) {
    others.emplace_back(9 - i, get(9 - i, 100 + i));
    others.emplace_back(i, find(i, 9 - i));
  }
  await(others, "a get or a search");
}

void Storm::await(const std::vector<std::pair<Index, OpId>>& ops, const std::string& what) {
  world_.run_for(11s);
  for (const auto& op : ops) {
    const auto ended = ended_.find(op);
    require(ended != ended_.end(), at(op.first) + what + " did not end");
    if (ended != ended_.end()) require(ended->second, at(op.first) + what + " failed");
  }
}

void Storm::require_reach() {
  // Whoever was refused by all whose meshes were full waits for their backoffs.
  world_.run_until([this] { return all_in_meshes(); }, kPickyBackoff + 30s);
  for (Index i = 0; i < kNodes; ++i) require(in_mesh(i), at(i) + "is not subscribed, or alone");
  for (Index who = 0; who < kNodes; who += 3) {
    const Bytes data = publish(who, true);
    world_.run_for(10s);
    const oracle::Reach reach = oracle::reach(world_, kTopic, who, delivered_.at(data));
    require(reach.wrong.empty(), reach.wrong);
    require(reach.due == kNodes - 1, std::to_string(reach.due) + " were due a message");
  }
}

void Storm::require_rest() {
  world_.run_for(30s);
  require(oracle::addresses(world_).empty(), oracle::addresses(world_));
  require(oracle::connections(world_).empty(), oracle::connections(world_));
  require(world_.broken().empty(), world_.broken());
  const std::string left = world_.quiesce();
  require(left.empty(), left);
}

}  // namespace kadmesh
