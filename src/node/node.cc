#include "node/node.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/check.h"
#include "node/address_book.h"
#include "node/gossip_streams.h"
#include "node/identify.h"
#include "node/kad_streams.h"
#include "node/operations.h"
#include "node/stream_event.h"
#include "transport/ping.h"
#include "transport/request.h"

namespace kadmesh {
namespace {

// go answers with up to 20 peers of 8 KiB each, and could send 4 MiB; no honest answer comes near.
constexpr std::size_t kMostKadReply = 512 * 1024;

template <class... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};

}  // namespace

struct Node::State {
  State(const KeyPair& who, NodeConfig settings, Turn start)
      : identity(who),
        config(std::move(settings)),
        swarm(identity, config.swarm, start),
        requester(swarm),
        pinger(swarm),
        kad(identity.peer_id(), config.kad, start),
        gossip(identity, config.gossip, start),
        gossip_streams(swarm, gossip),
        kad_streams(swarm, kad),
        operations(swarm, pinger, kad, book) {
    if (config.ping) responder.emplace(swarm);
    if (config.identify)
      identify.emplace(swarm, identity, config.agent, config.protocol_version, start.now.mono);
  }

  const KeyPair identity;
  const NodeConfig config;
  AddressBook book;
  Swarm swarm;
  Requester requester;
  Pinger pinger;
  std::optional<PingResponder> responder;
  std::optional<Identify> identify;
  Kad kad;
  Gossip gossip;
  GossipStreams gossip_streams;
  KadStreams kad_streams;
  Operations operations;

  bool closing = false;  // shut down: cores may ask, nothing starts
  std::uint64_t next_listen = 1, next_store = 1;
  std::map<ListenId, std::vector<Multiaddr>> listening;
  std::map<DialId, Multiaddr> seed_dials;
  std::map<RequestId, KadRequestId> requests;
  std::map<KadRequestId, RequestId> kad_requests;
  std::map<StoreOpId, KadStoreId> storing;
  std::set<std::string, std::less<>> user_protocols;
  std::set<StreamKey> user_streams;
  Bootstrap last_bootstrap = Bootstrap::no_seeds;
  std::deque<NodeAction> actions;

  void report(Report what) { actions.emplace_back(std::move(what)); }

  // --- the hook and its mirror
  void on_established(Turn turn, const Established& e) {
    std::optional<Dialable> dialed;
    if (e.opened_by_us) dialed.emplace(e.remote, Source::dialed);
    if (dialed) book.learned(e.peer, *dialed, turn.now.mono);
    if (e.first) {
      kad.on_connected(turn, e.peer, dialed);
      gossip.on_connected(turn, e.peer, e.opened_by_us);
      gossip_streams.on_connected(turn, e.peer);
    }
    if (identify)
      identify->ask(turn, e);
    else if (e.first)
      kad.on_unidentified(turn, e.peer);
    if (e.first) report(PeerConnected{e.peer, e.remote, e.opened_by_us});
  }

  void on_disconnected(Turn turn, const Disconnected& d) {
    if (!d.last) return;
    if (identify) identify->forget(d.peer);
    gossip_streams.on_disconnected(d.peer);
    gossip.on_disconnected(turn, d.peer);
    kad.on_disconnected(turn, d.peer);
    report(PeerDisconnected{d.peer, d.cause});
  }

  // --- events of the swarm, each to its owner
  void on_swarm(Turn turn, const SwarmEvent& event) {
    if (const auto* e = std::get_if<Established>(&event)) return on_established(turn, *e);
    if (const auto* d = std::get_if<Disconnected>(&event)) return on_disconnected(turn, *d);
    if (const auto* dial = std::get_if<DialFinished>(&event))
      if (on_seed_dialed(turn, *dial)) return;
    if (requester.on_event(turn, event) || pinger.on_event(turn, event) ||
        gossip_streams.on_event(turn, event) || kad_streams.on_event(turn, event) ||
        (identify && identify->on_event(turn, event)) ||
        (responder && responder->on_event(turn, event)) || on_user_stream(event))
      return;
    operations.on_event(turn, event);
    report_operations();  // a stream's opening before what happens on it
  }

  bool on_seed_dialed(Turn turn, const DialFinished& dial) {
    const auto at = seed_dials.find(dial.id);
    if (at == seed_dials.end()) return false;
    const Multiaddr seed = at->second;
    seed_dials.erase(at);
    if (!dial.result) {
      notice(Notice::Level::warning, "kad", std::nullopt,
             {dial.result.error().code, "seed " + seed.text() + ": " + dial.result.error().detail});
      kad.on_seed_dialed(turn, seed, std::unexpected(dial.result.error()));
      return true;
    }
    Result<PeerId> reached = fail(Errc::closed, "the connection ended as soon as it was made");
    for (const ConnectionInfo& connection : swarm.connections())
      if (connection.id == *dial.result) reached = connection.peer;
    kad.on_seed_dialed(turn, seed, std::move(reached));
    return true;
  }

  bool on_user_stream(const SwarmEvent& event) {
    const auto key = stream_of(event);
    if (!key) return false;
    if (const auto* stream = std::get_if<StreamOpened>(&event)) {
      if (stream->opened_by_us || !user_protocols.contains(stream->protocol)) return false;
      user_streams.insert(*key);
      report(StreamIncoming{*key, stream->peer, stream->protocol});
      return true;
    }
    if (!user_streams.contains(*key)) return false;
    std::visit(Overload{[&](const StreamReadable& e) { report(StreamEvent(e)); },
                        [&](const StreamWritable& e) { report(StreamEvent(e)); },
                        [&](const StreamFinished& e) { report(StreamEvent(e)); },
                        [&](const StreamReset& e) {
                          user_streams.erase(e.key);
                          report(StreamEvent(e));
                        },
                        [](const auto&) {}},
               event);
    return true;
  }

  // --- what identify learned
  void on_told(Turn turn, const Identify::Told& told) {
    if (!told.result) {
      notice(Notice::Level::debug, "identify", told.peer, told.result.error());
      if (!told.pushed && swarm.connected(told.peer) && !identify->info(told.peer))
        kad.on_unidentified(turn, told.peer);
      return;
    }
    const PeerInfo* info = identify->info(told.peer);
    if (!info) return;  // the peer left in the same turn
    book.announced(told.peer, info->addrs, turn.now.mono);
    kad.on_identified(turn, told.peer, info->serves(config.kad.protocol), book.of(told.peer));
    if (std::ranges::any_of(Gossip::protocols(), [&](const auto& p) { return info->serves(p); }))
      gossip_streams.retry(turn, told.peer);
    report(PeerIdentified{told.peer, told.pushed});
  }

  // --- what Kademlia wants
  void on_kad(Turn turn, KadAction action) {
    std::visit(
        Overload{[&](KadRequest& a) { ask(turn, std::move(a)); },
                 [&](KadCancel& a) { withdraw(turn, a.id); },
                 [&](KadReply& a) { kad_streams.reply(turn, a); },
                 [&](KadRefuse& a) { refuse(turn, a); }, [&](KadStore& a) { store(std::move(a)); },
                 [&](KadDial& a) { dial_seed(turn, a); },
                 [&](KadProvider& a) { on_provider(std::move(a)); },
                 [&](KadDone& a) { operations.on_kad_done(turn, a); },
                 [&](KadHold& a) { hold(a.peer, a.hold); }},
        action);
  }

  static Error shut() { return {Errc::closed, "the node is shut down"}; }

  void ask(Turn turn, KadRequest request) {
    if (closing) return kad.on_request_failed(turn, request.id, shut());
    std::vector<Multiaddr> addrs;
    addrs.reserve(request.to.addrs.size());
    for (const Dialable& addr : request.to.addrs) addrs.push_back(addr.addr());
    for (const Multiaddr& addr : book.dial_order(request.to.peer))
      if (!std::ranges::count(addrs, addr)) addrs.push_back(addr);
    const RequestId id = requester.ask(turn, Request{request.to.peer,
                                                     std::move(addrs),
                                                     {config.kad.protocol},
                                                     std::move(request.message),
                                                     request.expects_reply,
                                                     kMostKadReply,
                                                     request.deadline});
    requests.emplace(id, request.id);
    kad_requests.emplace(request.id, id);
  }

  void withdraw(Turn turn, KadRequestId id) {
    const auto at = kad_requests.find(id);
    if (at == kad_requests.end()) return;
    requester.cancel(turn, at->second);
    requests.erase(at->second);
    kad_requests.erase(at);
  }

  void refuse(Turn turn, const KadRefuse& refusal) {
    notice(Notice::Level::debug, "kad", std::nullopt, refusal.why);
    kad_streams.refuse(turn, refusal);
  }

  void store(KadStore action) {
    const StoreOpId id{next_store++};
    storing.emplace(id, action.id);
    actions.emplace_back(StoreOp{id, std::move(action.request)});
  }

  void dial_seed(Turn turn, const KadDial& dial) {
    if (closing) return kad.on_seed_dialed(turn, dial.seed, std::unexpected(shut()));
    seed_dials.emplace(swarm.dial(turn, dial.seed.peer(), {&dial.seed, 1}, dial.deadline),
                       dial.seed);
  }

  void on_provider(KadProvider found) {
    if (const auto op = operations.of(found.op))
      report(ProviderFound{*op, std::move(found.provider)});
  }

  void on_completed(Turn turn, const Completed& completed) {
    const auto at = requests.find(completed.id);
    if (at == requests.end()) return;
    const KadRequestId id = at->second;
    requests.erase(at);
    kad_requests.erase(id);
    if (completed.reply)
      kad.on_reply(turn, id, *completed.reply);
    else
      kad.on_request_failed(turn, id, completed.reply.error());
  }

  // --- what gossip wants
  void on_gossip(Turn turn, GossipAction action) {
    std::visit(Overload{[&](GossipSend& a) { gossip_streams.send(turn, a); },
                        [&](GossipValidate& a) { report(MessageToValidate{std::move(a)}); },
                        [&](GossipDeliver& a) { report(MessageDelivered{std::move(a)}); },
                        [&](GossipHold& a) { hold(a.peer, a.hold); },
                        [&](GossipFault& a) {
                          notice(Notice::Level::info, "gossip", a.peer, a.why);
                          gossip_streams.fault(turn, a);
                        },
                        [&](GossipSlow& a) {
                          notice(Notice::Level::info, "gossip", a.peer,
                                 {Errc::limit, "the peer takes no more: frames are dropped"});
                        }},
               action);
  }

  void hold(const PeerId& peer, bool held) { held ? swarm.hold(peer) : swarm.unhold(peer); }

  void notice(Notice::Level level, std::string_view area, std::optional<PeerId> peer, Error what) {
    report(Notice{level, area, peer, std::move(what)});
  }

  // Lets everything that this input set off happen, until all is quiet.
  void settle(Turn turn) {
    while (step(turn)) {
    }
    const BootstrapStatus status = kad.bootstrap(turn.now.mono);
    operations.on_bootstrap(turn, status);
    if (status.state != last_bootstrap) {
      last_bootstrap = status.state;
      report(BootstrapChanged{status});
    }
    report_operations();
  }

  void report_operations() {
    while (auto done = operations.poll()) on_done(*std::move(done));
  }

  bool step(Turn turn) {
    bool moved = false;
    while (auto event = swarm.poll_event()) on_swarm(turn, *event), moved = true;
    while (auto told = poll_identify()) on_told(turn, *told), moved = true;
    while (auto completed = requester.poll()) on_completed(turn, *completed), moved = true;
    while (auto pinged = pinger.poll()) operations.on_pinged(*pinged), moved = true;
    while (auto action = kad.poll()) on_kad(turn, *std::move(action)), moved = true;
    while (auto action = gossip.poll()) on_gossip(turn, *std::move(action)), moved = true;
    return moved;
  }

  std::optional<Identify::Told> poll_identify() {
    return identify ? identify->poll() : std::nullopt;
  }

  // A stream that an operation opened is the user's from here on.
  void on_done(OpDone done) {
    if (done.result)
      if (const auto* stream = std::get_if<StreamReport>(&*done.result))
        user_streams.insert(stream->key);
    report(std::move(done));
  }

  // --- addresses
  void addrs_changed(Turn turn) {
    std::vector<Multiaddr> all;
    for (const auto& [id, addrs] : listening)
      for (const Multiaddr& addr : addrs)
        if (!std::ranges::count(all, addr)) all.push_back(addr);
    if (identify) identify->set_addrs(turn, all);
    kad.on_own_addrs(turn, std::move(all));
  }

  void protocols_changed(Turn turn) {
    if (identify) identify->protocols_changed(turn);
  }
};

Node::Node(const KeyPair& identity, NodeConfig config, Turn start)
    : state_(std::make_unique<State>(identity, std::move(config), start)) {
  state_->settle(start);
}

Node::~Node() = default;

// --- inputs
void Node::on_listening(Turn turn, ListenId id, std::vector<Multiaddr> addrs) {
  state_->report(Listening{id, addrs});
  on_addrs_changed(turn, id, std::move(addrs));
}

void Node::on_addrs_changed(Turn turn, ListenId id, std::vector<Multiaddr> addrs) {
  state_->listening[id] = std::move(addrs);
  state_->addrs_changed(turn);
  state_->settle(turn);
}

void Node::on_listen_failed(Turn turn, ListenId id, const Error& cause) {
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
  state_->swarm.on_bytes(turn, id, bytes);
  state_->settle(turn);
}

void Node::on_written(Turn turn, ConnId id, std::size_t count) {
  state_->swarm.on_written(turn, id, count);
  state_->settle(turn);
}

void Node::on_closed(Turn turn, ConnId id, const Error& cause) {
  state_->swarm.on_closed(turn, id, cause);
  state_->settle(turn);
}

void Node::on_stored(Turn turn, StoreOpId id, const StoreResult& result) {
  const auto at = state_->storing.find(id);
  if (at == state_->storing.end()) return;
  const KadStoreId asked = at->second;
  state_->storing.erase(at);
  if (!result) state_->notice(Notice::Level::warning, "store", std::nullopt, result.error());
  state_->kad.on_stored(turn, asked, result);
  state_->settle(turn);
}

void Node::on_timer(Turn turn) {
  State& s = *state_;
  const auto due = [&](const auto& part) { return part.next_timer() <= turn.now.mono; };
  if (due(s.swarm)) s.swarm.on_timer(turn);
  if (due(s.requester)) s.requester.on_timer(turn);
  if (due(s.pinger)) s.pinger.on_timer(turn);
  if (s.responder && due(*s.responder)) s.responder->on_timer(turn);
  if (s.identify && due(*s.identify)) s.identify->on_timer(turn);
  if (due(s.kad_streams)) s.kad_streams.on_timer(turn);
  if (due(s.gossip_streams)) s.gossip_streams.on_timer(turn);
  if (due(s.kad)) s.kad.on_timer(turn);
  if (due(s.gossip)) s.gossip.on_timer(turn);
  if (due(s.operations)) s.operations.on_timer(turn);
  s.settle(turn);
}

void Node::on_driver_notice(Turn turn, Error what) {
  state_->notice(Notice::Level::warning, "driver", std::nullopt, std::move(what));
  state_->settle(turn);
}

Time Node::next_timer() const {
  const State& s = *state_;
  if (s.closing && s.swarm.counters().connections == 0) return kNever;
  Time next = std::min({s.swarm.next_timer(), s.requester.next_timer(), s.pinger.next_timer(),
                        s.kad_streams.next_timer(), s.gossip_streams.next_timer(),
                        s.kad.next_timer(), s.gossip.next_timer(), s.operations.next_timer()});
  if (s.responder) next = std::min(next, s.responder->next_timer());
  if (s.identify) next = std::min(next, s.identify->next_timer());
  return next;
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

// --- commands
ListenId Node::listen(Turn turn, const Endpoint& at) {
  const ListenId id{state_->next_listen++};
  if (state_->closing) return on_listen_failed(turn, id, State::shut()), id;
  state_->actions.emplace_back(ListenPipe{id, at});
  state_->settle(turn);
  return id;
}

void Node::stop_listening(Turn turn, ListenId id) {
  if (state_->listening.erase(id) == 0) return;
  state_->actions.emplace_back(StopListening{id});
  state_->addrs_changed(turn);
  state_->settle(turn);
}

OpId Node::connect(Turn turn, const Multiaddr& addr, Time deadline) {
  if (const auto peer = addr.peer())
    state_->book.learned(*peer, Dialable(addr, Source::configured), turn.now.mono);
  const OpId op = state_->operations.connect(turn, addr, deadline);
  state_->settle(turn);
  return op;
}

OpId Node::connect(Turn turn, const PeerId& peer, Time deadline) {
  const OpId op = state_->operations.connect(turn, peer, deadline);
  state_->settle(turn);
  return op;
}

void Node::disconnect(Turn turn, const PeerId& peer) {
  for (const ConnectionInfo& connection : state_->swarm.connections(peer))
    state_->swarm.close(turn, connection.id, {Errc::closed, "disconnected here"});
  state_->settle(turn);
}

OpId Node::ping(Turn turn, const PeerId& peer, Time deadline) {
  const OpId op = state_->operations.ping(turn, peer, deadline);
  state_->settle(turn);
  return op;
}

OpId Node::put(Turn turn, Bytes key, Bytes value, Time deadline) {
  const OpId op =
      state_->operations.adopt(state_->kad.put(turn, std::move(key), std::move(value), deadline));
  state_->settle(turn);
  return op;
}

OpId Node::get(Turn turn, Bytes key, Time deadline) {
  const OpId op = state_->operations.adopt(state_->kad.get(turn, std::move(key), deadline));
  state_->settle(turn);
  return op;
}

OpId Node::provide(Turn turn, Bytes multihash, Time deadline) {
  const OpId op =
      state_->operations.adopt(state_->kad.provide(turn, std::move(multihash), deadline));
  state_->settle(turn);
  return op;
}

OpId Node::find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline) {
  const OpId op = state_->operations.adopt(
      state_->kad.find_providers(turn, std::move(multihash), most, deadline));
  state_->settle(turn);
  return op;
}

OpId Node::find_peer(Turn turn, const PeerId& peer, Time deadline) {
  const OpId op = state_->operations.adopt(state_->kad.find_peer(turn, peer, deadline));
  state_->settle(turn);
  return op;
}

OpId Node::await_ready(Turn turn, std::size_t live, Time deadline) {
  const OpId op = state_->operations.await_ready(turn, live, deadline);
  state_->settle(turn);
  return op;
}

void Node::cancel(Turn turn, OpId op) {
  state_->operations.cancel(turn, op);
  state_->settle(turn);
}

Result<void> Node::subscribe(Turn turn, const Topic& topic) {
  auto subscribed = state_->gossip.subscribe(turn, topic);
  state_->settle(turn);
  return subscribed;
}

void Node::unsubscribe(Turn turn, const Topic& topic) {
  state_->gossip.unsubscribe(turn, topic);
  state_->settle(turn);
}

Result<Receipt> Node::publish(Turn turn, const Topic& topic, Bytes data) {
  auto receipt = state_->gossip.publish(turn, topic, std::move(data));
  state_->settle(turn);
  return receipt;
}

void Node::verdict(Turn turn, ValidationId id, Verdict verdict) {
  state_->gossip.on_verdict(turn, id, verdict);
  state_->settle(turn);
}

// --- streams
void Node::serve(Turn turn, std::string protocol) {
  if (!state_->user_protocols.insert(protocol).second) return;
  state_->swarm.serve(std::move(protocol));
  state_->protocols_changed(turn);
  state_->settle(turn);
}

void Node::stop_serving(Turn turn, std::string_view protocol) {
  const auto at = state_->user_protocols.find(protocol);
  if (at == state_->user_protocols.end()) return;
  state_->user_protocols.erase(at);
  state_->swarm.stop_serving(protocol);
  state_->protocols_changed(turn);
  state_->settle(turn);
}

OpId Node::open_stream(Turn turn, const PeerId& peer, std::vector<std::string> protocols,
                       Time deadline, Bytes first) {
  const OpId op =
      state_->operations.open_stream(turn, peer, std::move(protocols), std::move(first), deadline);
  state_->settle(turn);
  return op;
}

std::size_t Node::write(Turn turn, StreamKey key, ByteView bytes) {
  return state_->swarm.write(turn, key, bytes);
}

ByteView Node::readable(StreamKey key) const { return state_->swarm.readable(key); }

void Node::consumed(Turn turn, StreamKey key, std::size_t count) {
  state_->swarm.consumed(turn, key, count);
  state_->settle(turn);
}

void Node::finish(Turn turn, StreamKey key) {
  state_->swarm.finish(turn, key);
  state_->settle(turn);
}

void Node::reset(Turn turn, StreamKey key, std::uint32_t code) {
  state_->swarm.reset(turn, key, code);
  release(turn, key);
}

void Node::release(Turn turn, StreamKey key) {
  state_->user_streams.erase(key);
  state_->swarm.release(turn, key);
  state_->settle(turn);
}

void Node::shutdown(Turn turn) {
  state_->closing = true;
  state_->kad.close(turn);
  state_->operations.close(turn, State::shut());
  for (const auto& [id, addrs] : state_->listening) state_->actions.emplace_back(StopListening{id});
  state_->listening.clear();
  state_->swarm.close_all(turn, State::shut());
  state_->settle(turn);
}

std::size_t Node::unsent_bytes() const {
  return state_->swarm.unsent_bytes() + state_->gossip_streams.unsent_bytes();
}

// --- questions
const KeyPair& Node::identity() const { return state_->identity; }
const NodeConfig& Node::config() const { return state_->config; }
const Kad& Node::kad() const { return state_->kad; }
const Gossip& Node::gossip() const { return state_->gossip; }

std::vector<Multiaddr> Node::listen_addrs() const {
  std::vector<Multiaddr> all;
  for (const auto& [id, addrs] : state_->listening)
    for (const Multiaddr& addr : addrs) all.push_back(addr.with_peer(state_->identity.peer_id()));
  return all;
}

std::vector<ConnectionInfo> Node::connections() const { return state_->swarm.connections(); }

std::optional<PeerInfo> Node::info(const PeerId& peer) const {
  const PeerInfo* info = state_->identify ? state_->identify->info(peer) : nullptr;
  return info ? std::optional(*info) : std::nullopt;
}

std::vector<Dialable> Node::addrs(const PeerId& peer) const { return state_->book.of(peer); }

std::vector<std::string> Node::why(const PeerId& peer, Now now) const {
  std::vector<std::string> lines;
  const auto connections = state_->swarm.connections(peer);
  if (connections.empty())
    lines.push_back("connected: no; " + std::to_string(addrs(peer).size()) + " addresses known");
  for (const ConnectionInfo& connection : connections)
    lines.push_back("connected: " + connection.remote.text() +
                    (connection.opened_by_us ? ", dialled by us" : ", dialled by the peer"));
  lines.push_back("table: " + state_->kad.why(peer));
  lines.push_back("gossip: " + state_->gossip.why(peer, now.mono));
  return lines;
}

NodeStats Node::stats(Now now) const {
  std::set<PeerId> peers;
  for (const ConnectionInfo& connection : connections()) peers.insert(connection.peer);
  return {state_->kad.stats(),
          state_->gossip.stats(),
          state_->swarm.counters(),
          state_->kad.bootstrap(now.mono),
          peers.size(),
          state_->book.peers()};
}

std::string Node::check_invariants() const {
  std::set<PeerId> connected;
  for (const ConnectionInfo& connection : connections()) connected.insert(connection.peer);
  const auto known = state_->gossip.peers();
  if (!std::ranges::equal(connected, known))
    return std::to_string(connected.size()) + " peers are connected, gossip has " +
           std::to_string(known.size());
  for (const TableEntry& entry : state_->kad.table())
    if (entry.standing == Standing::provisional && !entry.contact.addrs.empty() &&
        !connected.contains(entry.contact.peer))
      return "the table keeps a provisional peer that has left: " + entry.contact.peer.text();
  return {};
}

std::string Node::leftovers() const {
  const State& s = *state_;
  const Swarm::Counters c = s.swarm.counters();
  std::string out;
  const auto count = [&](std::string_view what, std::size_t number) {
    if (number > 0) out += std::string(what) + " " + std::to_string(number) + "; ";
  };
  count("connections", c.connections);
  count("opening", c.opening);
  count("dial jobs", c.dial_jobs);
  count("streams", c.streams);
  count("buffered bytes", c.buffered_bytes);
  count("requests", s.requester.outstanding());
  count("pings", s.pinger.outstanding());
  count("kad streams", s.kad_streams.streams());
  count("gossip streams", s.gossip_streams.streams());
  count("identify exchanges", s.identify ? s.identify->exchanges() : 0);
  count("operations", s.operations.running());
  count("user streams", s.user_streams.size());
  count("gossip peers", s.gossip.stats().peers);
  count("kad", s.kad.quiescent() ? 0 : 1);
  return out;
}

}  // namespace kadmesh
