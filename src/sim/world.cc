#include "sim/world.h"

#include <algorithm>

#include "base/check.h"
#include "sim/luck.h"
#include "store/memory_store.h"

namespace kadmesh {
namespace {

WorldConfig simple(std::uint64_t seed, Duration latency) {
  WorldConfig config;
  config.seed = seed;
  config.link.latency = PairLatency{Always{latency}};
  return config;
}

}  // namespace

World::World(std::uint64_t seed, Duration latency) : World(simple(seed, latency)) {}

World::World(WorldConfig config)
    : config_(std::move(config)),
      store_trouble_(config_.store_trouble),
      calendar_(config_.start.mono),
      clock_(config_.start.mono, config_.start),
      network_(config_.seed, config_.link, config_.addresses, calendar_, *this) {
  if (!config_.make_store)
    config_.make_store = [](std::size_t, StoreFate) {
      return std::make_unique<MemoryStore>(StoreLimits{});
    };
}

World::~World() = default;

// --- nodes
World::Index World::add(NodeConfig config, const NodeOptions& options) {
  const Index index = members_.size();
  KAD_CHECK(network_.add_host(options.host) == index);
  Rng luck(derived_key(config_.seed, "identity", index));
  KeyPair identity = options.identity ? *options.identity : KeyPair::make(luck);
  members_.push_back(std::make_unique<Member>(
      std::move(config), std::move(identity), Rng(derived_key(config_.seed, "node", index)),
      derived(config_.seed, "store", index),
      NodeClock(calendar_.now(), options.clock.value_or(now()))));
  Member& member = *members_.back();
  member.clock.set_drift(calendar_.now(), options.drift_ppb);
  if (options.forwarded)
    if (const auto outer = network_.forward(host(index), kPort, *options.forwarded))
      member.outer = *outer;
  member.store = config_.make_store(index, StoreFate::lost);
  boot(index);
  return index;
}

void World::boot(Index index) {
  Member& member = *members_.at(index);
  ++member.life;
  const TurnScope scope(*this, index, TurnKind::boot);
  member.node = std::make_unique<Node>(member.identity, member.config, turn_of(index));
}

World::Index World::add_listening(NodeConfig config, const NodeOptions& options) {
  const Index index = add(std::move(config), options);
  listen(index);
  return index;
}

World::Index World::nodes(std::size_t count) {
  return nodes(count, [this](Index index) { return default_config(index); });
}

World::Index World::nodes(std::size_t count, const std::function<NodeConfig(Index)>& config) {
  const Index first = members_.size();
  for (std::size_t i = 0; i < count; ++i) add_listening(config(members_.size()));
  return first;
}

NodeConfig World::default_config(Index node) const {
  NodeConfig config;
  config.kad.protocol = "/sim/kad/1.0.0";
  config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
  if (node > 0) config.kad.seeds = {addr(0)};
  return config;
}

void World::listen(Index node) {
  members_.at(node)->listens = true;
  command(node, [&](Node& n, Turn t) { return n.listen(t, network_.address(host(node), kPort)); });
}

Multiaddr World::bare_addr(Index node) const {
  return Multiaddr::tcp(members_.at(node)->outer.value_or(network_.address(host(node), kPort)));
}

Multiaddr World::addr(Index node) const {
  return bare_addr(node).with_peer(members_.at(node)->identity.peer_id());
}

Node& World::running(Index node) {
  KAD_CHECK(up(node));
  return *members_[node]->node;
}

// --- time
void World::post(Time when, Kind kind, Index node, std::uint64_t what) {
  calendar_.push({std::max(when, calendar_.now()), static_cast<std::uint32_t>(kind),
                  static_cast<std::uint32_t>(node), what});
}

void World::at(Time when, std::function<void()> run) {
  const auto call = calls_.take();
  calls_[call] = std::move(run);
  post(when, Kind::call, call, 0);
}

bool World::step(Time limit) {
  const auto event = calendar_.pop(limit);
  if (!event) return false;
  ++events_;
  const auto node = process_of(*event);
  if (!node || awake(host(*node)) || stale(*event))
    dispatch(*event);
  else
    put_off(*node, *event);
  return true;
}

void World::run_for(Duration time) {
  const Time limit = after(calendar_.now(), time);
  while (step(limit)) {
  }
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Time end = after(calendar_.now(), limit);
  while (!done())
    if (!step(end)) return done();
  return true;
}

// Whose turn an event would be; none if it is the kernel's or ours.
std::optional<World::Index> World::process_of(const CalendarEvent& event) const {
  if (Network::handles(event)) {
    if (!Network::for_process(event)) return std::nullopt;
    return network_.host_of(event);
  }
  const auto kind = static_cast<Kind>(event.kind);
  if (kind == Kind::timer || kind == Kind::stored) return event.which;
  return std::nullopt;
}

void World::dispatch(const CalendarEvent& event) {
  Network::handles(event) ? network_.handle(event) : dispatch_own(event);
}

void World::dispatch_own(const CalendarEvent& event) {
  switch (static_cast<Kind>(event.kind)) {
    case Kind::timer:
      return on_timer(event);
    case Kind::stored:
      return on_stored(event);
    case Kind::resume:
      if (members_[event.which]->life != event.what) return;
      members_[event.which]->resuming = false;
      return resume(event.which);
    case Kind::call: {
      const auto run = std::move(calls_[event.which]);
      calls_[event.which] = nullptr;
      calls_.give_back(event.which);
      return run();
    }
  }
}

// --- processes that do not run
bool World::awake(HostId host) const {
  const Member& member = *members_[host];
  return !member.frozen && member.cost.turn == Duration::zero() &&
         member.busy_until <= calendar_.now() && member.backlog.empty();
}

// Nobody waits for it any more, and it takes no turn.
bool World::stale(const CalendarEvent& event) const {
  if (Network::handles(event)) return network_.stale(event);
  const Member& member = *members_[event.which];
  if (static_cast<Kind>(event.kind) == Kind::stored) return member.life != event.what >> 32;
  return member.life != event.what || member.armed > calendar_.now();
}

void World::put_off(Index node, const CalendarEvent& event) {
  if (members_[node]->backlog.empty()) spend_turn(node);
  members_[node]->backlog.push_back(event);
  resume_soon(node);
}

void World::spend_turn(Index node) {
  Member& member = *members_[node];
  member.busy_until = after(std::max(member.busy_until, calendar_.now()), member.cost.turn);
}

void World::resume_soon(Index node) {
  Member& member = *members_[node];
  if (member.frozen || std::exchange(member.resuming, true)) return;
  post(member.busy_until, Kind::resume, node, member.life);
}

CalendarEvent World::next_of_backlog(Index node) {
  Member& member = *members_[node];
  const CalendarEvent event = member.backlog[member.backlog_head++];
  if (member.backlog_head == member.backlog.size()) {
    member.backlog.clear();
    member.backlog_head = 0;
  }
  return event;
}

// What has waited, in the order in which it came, until the node is busy again.
void World::resume(Index node) {
  Member& member = *members_[node];
  while (!member.frozen && member.backlog_head < member.backlog.size()) {
    if (member.busy_until > calendar_.now()) return resume_soon(node);
    const CalendarEvent event = next_of_backlog(node);
    const bool nothing = stale(event);
    dispatch(event);
    if (!nothing && !member.backlog.empty()) spend_turn(node);
  }
}

void World::freeze(Index node) { members_.at(node)->frozen = true; }

void World::thaw(Index node) {
  members_.at(node)->frozen = false;
  if (!members_[node]->backlog.empty()) resume_soon(node);
}

void World::on_timer(const CalendarEvent& event) {
  Member& member = *members_[event.which];
  if (!member.alive || member.life != event.what || member.armed > calendar_.now()) return;
  member.armed = kNever;
  if (member.node->next_timer() > now(event.which).mono) return arm_timer(event.which);
  const TurnScope scope(*this, event.which, TurnKind::timer);
  member.node->on_timer(turn_of(event.which));
}

// --- trouble
void World::end_process(Index node) {
  Member& member = *members_.at(node);
  member.alive = member.frozen = member.resuming = false;
  // Those before are done with.
  for (std::size_t i = member.backlog_head; i < member.backlog.size(); ++i)
    if (member.backlog[i].kind == static_cast<std::uint32_t>(Kind::stored))
      stored_.give_back(static_cast<std::uint32_t>(member.backlog[i].what));
  member.backlog.clear();
  member.backlog_head = 0;
  member.busy_until = member.store_answers = Time::min();
  member.armed = kNever;
  member.sockets.clear();
  member.listeners.clear();
  ++member.life;
}

void World::kill(Index node) {
  network_.reset_all(host(node));
  end_process(node);
}

void World::crash(Index node) {
  network_.vanish(host(node));
  end_process(node);
}

void World::restart(Index node, StoreFate store) {
  Member& member = *members_.at(node);
  KAD_CHECK(!member.settling);  // its node is being called
  if (member.alive) kill(node);
  if (network_.dark(host(node))) network_.power_up(host(node));
  if (store != StoreFate::kept) {
    member.store.reset();
    member.store = config_.make_store(node, store);
  }
  member.alive = true;
  member.reports.clear();
  member.ended.clear();
  boot(node);
  if (member.listens) listen(node);
}

void World::drift_clock(Index node, std::int32_t ppb) {
  members_.at(node)->clock.set_drift(calendar_.now(), ppb);
  if (!up(node)) return;
  members_[node]->armed = kNever;  // it was set by the old clock
  arm_timer(node);
}

void World::partition(const std::vector<std::vector<Index>>& groups) {
  std::vector<std::vector<HostId>> hosts(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const Index node : groups[i]) hosts[i].push_back(host(node));
  network_.partition(hosts);
}

void World::cut(Index a, Index b) {
  network_.cut(host(a), host(b));
  network_.cut(host(b), host(a));
  network_.reset_between(host(a), host(b), "the network is cut");
}

void World::cut_way(Index from, Index to) { network_.cut(host(from), host(to)); }

void World::heal(Index a, Index b) {
  network_.heal(host(a), host(b));
  network_.heal(host(b), host(a));
}

void World::stall(Index a, Index b, Duration pause) { network_.stall(host(a), host(b), pause); }

// --- results
const OpDone* World::result(Index node, OpId op) const {
  const Member& member = *members_.at(node);
  const auto at = member.ended.find(op);
  return at == member.ended.end() ? nullptr
                                  : &std::get<OpDone>(member.reports.at(at->second.second));
}

Time World::ended_at(Index node, OpId op) const {
  const Member& member = *members_.at(node);
  const auto at = member.ended.find(op);
  return at == member.ended.end() ? kNever : at->second.first;
}

std::string World::check_invariants() const {
  if (!broken_.empty()) return broken_;
  for (Index i = 0; i < members_.size(); ++i)
    if (members_[i]->alive)
      if (std::string broken = members_[i]->node->check_invariants(); !broken.empty())
        return "seed " + std::to_string(config_.seed) + ", node " + std::to_string(i) + ": " +
               broken;
  return {};
}

std::string World::quiesce(Duration patience) {
  heal();
  for (Index i = 0; i < members_.size(); ++i) {
    if (members_[i]->frozen) thaw(i);
    if (up(i)) command(i, [](Node& node, Turn turn) { node.shutdown(turn); });
  }
  run_for(patience);
  for (Index i = 0; i < members_.size(); ++i) {
    if (!up(i)) continue;
    std::string left = node(i).leftovers();
    const Swarm::Counters swarm = node(i).stats().swarm;
    if (left.empty() &&
        swarm.connections + swarm.opening + swarm.dial_jobs + swarm.streams + swarm.buffered_bytes >
            0)
      left = "counters of the swarm";
    if (left.empty() && node(i).next_timer() != kNever) left = "a timer";
    if (!left.empty())
      return "seed " + std::to_string(config_.seed) + ", node " + std::to_string(i) + ": " + left;
  }
  if (network_.live() == 0) return broken_;
  return "seed " + std::to_string(config_.seed) + ", network: " + std::to_string(network_.live()) +
         " connections";
}

}  // namespace kadmesh
