#include "node/node.h"

#include <algorithm>
#include <utility>

#include "node/node_state.h"

namespace kadmesh {

namespace {
GossipConfig gossip_config(const NodeConfig& config) {
  GossipConfig gossip = config.gossip;
  if (!gossip.signatures) gossip.signatures = config.signatures;
  gossip.keeps = config.backfill.keep != Keep::nothing;
  return gossip;
}
}  // namespace

Node::State::State(const KeyPair& who, NodeConfig settings, Turn start)
    : identity(who),
      config(std::move(settings)),
      swarm(identity, config.swarm, start),
      requester(swarm),
      pinger(swarm),
      kad(identity.peer_id(), config.kad, start),
      gossip(identity, gossip_config(config), start),
      gossip_streams(swarm, gossip),
      backfill(gossip, config.backfill, start),
      backfill_streams(swarm, backfill),
      serving(config.kad.mode),
      kad_streams(swarm, kad, serving.now()),
      operations(swarm, pinger, kad, backfill, book) {
  for (const Multiaddr& addr : config.gossip.direct)
    book.learned(*addr.peer(), Dialable(addr, Source::configured), start.now.mono);
  if (config.ping) responder.emplace(swarm);
  if (config.identify)
    identify.emplace(swarm, identity, config.agent, config.protocol_version, config.signatures);
}

// --- what one input sets off
void Node::State::settle(Turn turn) {
  stirred = true;
  settle_streams(turn);
}

void Node::State::settle_streams(Turn turn) {
  while (step(turn)) {
  }
  if (std::exchange(stirred, false)) settle_others();
}

bool Node::State::step(Turn turn) {
  bool moved = false;
  while (auto event = swarm.poll_event()) on_swarm(turn, *event), moved = true;
  if (stirred) moved |= step_others(turn);
  while (auto action = gossip.poll())
    std::visit([&](auto& a) { on(turn, a); }, *action), moved = true;
  return moved;
}

bool Node::State::step_others(Turn turn) {
  bool moved = false;
  while (auto told = poll_identify()) on_told(turn, *told), moved = true;
  while (auto completed = requester.poll()) on_completed(turn, *completed), moved = true;
  while (auto pinged = pinger.poll()) operations.on_pinged(*pinged), moved = true;
  moved |= backfill_streams.step(turn);
  while (auto action = backfill.poll())
    std::visit([&](auto& a) { on(turn, a); }, *action), moved = true;
  while (auto action = kad.poll()) std::visit([&](auto& a) { on(turn, a); }, *action), moved = true;
  return moved;
}

void Node::State::settle_others() {
  const BootstrapStatus status = kad.bootstrap();
  operations.on_bootstrap(status);
  report_bootstrap(status);
  report_operations();
  others_timer = std::min({requester.next_timer(), pinger.next_timer(), kad_streams.next_timer(),
                           kad.next_timer(), operations.next_timer(), serving.next_timer(),
                           backfill.next_timer(), backfill_streams.next_timer()});
  if (responder) others_timer = std::min(others_timer, responder->next_timer());
  if (identify) others_timer = std::min(others_timer, identify->next_timer());
}

void Node::State::report_bootstrap(const BootstrapStatus& status) {
  if (status.state == last_bootstrap) return;
  last_bootstrap = status.state;
  report(BootstrapChanged{status});
}

// A stream that an operation opened is the user's from here on.
void Node::State::report_operations() {
  while (auto done = operations.poll()) {
    if (done->result)
      if (const auto* stream = std::get_if<StreamReport>(&*done->result))
        user_streams.insert(stream->key);
    report(*std::move(done));
  }
}

void Node::State::notice(Notice::Level level, std::string_view area, std::optional<PeerId> peer,
                         Error what) {
  report(Notice{level, area, peer, std::move(what)});
}

void Node::State::addrs_changed(Turn turn) {
  std::vector<Multiaddr> all;
  for (const auto& [id, addrs] : listening)
    for (const Multiaddr& addr : addrs)
      if (!std::ranges::count(all, addr)) all.push_back(addr);
  if (identify) identify->set_addrs(turn, all);
  serving.on_addrs(all);
  serve_or_not(turn);
  kad.on_own_addrs(turn, std::move(all));
}

void Node::State::serve_or_not(Turn turn) {
  if (kad_streams.serve(turn, serving.now())) protocols_changed(turn);
}

void Node::State::protocols_changed(Turn turn) {
  if (identify) identify->protocols_changed(turn);
}

Node::Node(const KeyPair& identity, NodeConfig config, Turn start)
    : state_(std::make_unique<State>(identity, std::move(config), start)) {
  state_->settle(start);
}

Node::~Node() = default;

// --- inputs
void Node::on_listening(Turn turn, ListenId id, std::vector<Multiaddr> addrs) {
  const auto at = state_->listening.find(id);
  if (at == state_->listening.end()) return;
  state_->report(Listening{id, addrs});
  at->second = std::move(addrs);
  state_->addrs_changed(turn);
  state_->settle(turn);
}

void Node::on_addrs_changed(Turn turn, ListenId id, std::vector<Multiaddr> addrs) {
  const auto at = state_->listening.find(id);
  if (at == state_->listening.end()) return;
  at->second = std::move(addrs);
  state_->addrs_changed(turn);
  state_->kad.on_network_changed(turn);
  state_->settle(turn);
}

void Node::on_listen_failed(Turn turn, ListenId id, const Error& cause) {
  state_->listening.erase(id);
  state_->report(ListenFailed{id, cause});
  state_->settle(turn);
}

ConnId Node::on_accepted(Turn turn, const Endpoint& local, const Endpoint& remote) {
  const ConnId id = state_->swarm.on_accepted(turn, local, remote);
  state_->settle(turn);
  return id;
}

void Node::on_dialed(Turn turn, ConnId id, const Endpoint& local) {
  state_->swarm.on_dialed(turn, id, local);
  state_->settle(turn);
}

void Node::on_dial_failed(Turn turn, ConnId id, const Error& cause) {
  state_->swarm.on_dial_failed(turn, id, cause);
  state_->settle(turn);
}

void Node::on_bytes(Turn turn, ConnId id, ByteView bytes) {
  state_->swarm.lend(turn, id, bytes);
  state_->settle_streams(turn);
  state_->swarm.keep();
}

Bytes Node::take_opened_form() { return state_->swarm.take_opened_form(); }

void Node::on_written(Turn turn, ConnId id, std::size_t count) {
  state_->swarm.on_written(turn, id, count);
  state_->settle_streams(turn);
}

void Node::on_closed(Turn turn, ConnId id, const Error& cause) {
  state_->swarm.on_closed(turn, id, cause);
  state_->settle(turn);
}

void Node::on_stored(Turn turn, StoreOpId id, const StoreResult& result) {
  const auto at = state_->storing.find(id);
  if (at == state_->storing.end()) return;
  const State::Storing storing = at->second;
  state_->storing.erase(at);
  if (auto trouble = state_->store_watch.on_stored(turn.now.mono, storing.saving, result))
    state_->notice(Notice::Level::warning, "store", std::nullopt, *std::move(trouble));
  state_->kad.on_stored(turn, storing.asked, result);
  state_->settle(turn);
}

void Node::on_timer(Turn turn) {
  State& s = *state_;
  const auto due = [&](const auto& part) { return part.next_timer() <= turn.now.mono; };
  if (due(s.swarm)) s.swarm.on_timer(turn);
  if (s.others_timer <= turn.now.mono) s.on_others_timer(turn);
  if (due(s.gossip_streams)) s.gossip_streams.on_timer(turn);
  if (due(s.gossip)) s.gossip.on_timer(turn);
  s.settle_streams(turn);
}

void Node::State::on_others_timer(Turn turn) {
  const auto due = [&](const auto& part) { return part.next_timer() <= turn.now.mono; };
  stirred = true;
  if (due(requester)) requester.on_timer(turn);
  if (due(pinger)) pinger.on_timer(turn);
  if (responder && due(*responder)) responder->on_timer(turn);
  if (identify && due(*identify)) identify->on_timer(turn);
  if (due(kad_streams)) kad_streams.on_timer(turn);
  if (due(kad)) kad.on_timer(turn);
  if (due(backfill_streams)) backfill_streams.on_timer(turn);
  if (due(backfill)) backfill.on_timer(turn);
  if (due(operations)) operations.on_timer(turn);
  if (due(serving)) serving.on_timer(turn.now.mono), serve_or_not(turn);
}

void Node::on_reachability(Turn turn, bool reachable) {
  state_->serving.on_told(turn.now.mono, reachable);
  state_->serve_or_not(turn);
  state_->settle(turn);
}

void Node::on_driver_notice(Turn turn, Error what) {
  state_->notice(Notice::Level::warning, "driver", std::nullopt, std::move(what));
  state_->settle(turn);
}

Time Node::next_timer() const {
  const State& s = *state_;
  if (s.closing && s.swarm.counters().connections == 0) return kNever;
  return std::min(
      {s.swarm.next_timer(), s.gossip_streams.next_timer(), s.gossip.next_timer(), s.others_timer});
}

// What the swarm wants written comes first: it is what peers wait for.
std::optional<NodeAction> Node::poll() {
  if (auto action = state_->swarm.poll_action())
    return std::visit([](auto& a) { return NodeAction(std::move(a)); }, *action);
  if (state_->actions.empty()) return std::nullopt;
  NodeAction action = std::move(state_->actions.front());
  state_->actions.pop_front();
  return action;
}

}  // namespace kadmesh
