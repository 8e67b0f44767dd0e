#include "node/operations.h"

#include <algorithm>

#include "node/node.h"

namespace kadmesh {
namespace {

// Whom an operation is about, where it is known.
template <class... Goals>
std::optional<PeerId> target(const std::variant<Goals...>& goal) {
  return std::visit(
      [](const auto& g) -> std::optional<PeerId> {
        if constexpr (requires { std::optional<PeerId>{g.peer}; })
          return g.peer;
        else
          return std::nullopt;
      },
      goal);
}

}  // namespace

OpId Operations::begin(Goal goal, Time deadline) {
  const OpId id{next_++};
  running_.emplace(id, Op{std::move(goal), deadline});
  if (closed_)
    finish(id, std::unexpected(*closed_));
  else if (running_.size() > kMost)
    finish(id, fail(Errc::limit, "operations: " + std::to_string(kMost) + " are running here"));
  return id;
}

OpId Operations::connect(Turn turn, const Multiaddr& addr, Time deadline) {
  const auto peer = addr.peer();
  const OpId id = begin(Connect{peer}, deadline);
  if (!running_.contains(id)) return id;
  const auto live = peer ? swarm_.connections(*peer) : std::vector<ConnectionInfo>{};
  if (!live.empty())
    reached(turn, id, live.front(), true);
  else
    dial(turn, id, peer, {&addr, 1});
  return id;
}

OpId Operations::connect(Turn turn, const PeerId& peer, Time deadline) {
  const OpId id = begin(Connect{peer}, deadline);
  if (running_.contains(id)) reach(turn, id, peer);
  return id;
}

OpId Operations::ping(Turn turn, const PeerId& peer, Time deadline) {
  const OpId id = begin(Ping{peer}, deadline);
  if (running_.contains(id)) reach(turn, id, peer);
  return id;
}

OpId Operations::open_stream(Turn turn, const PeerId& peer, std::vector<std::string> protocols,
                             Bytes first, Time deadline) {
  const bool fits = first.size() <= kMostFirstBytes;
  const OpId id = begin(OpenStream{peer, std::move(protocols), std::move(first)}, deadline);
  if (!running_.contains(id)) return id;
  if (fits)
    reach(turn, id, peer);
  else
    finish(id, fail(Errc::limit, "a stream begins with at most " + std::to_string(kMostFirstBytes) +
                                     " bytes: write the rest"));
  return id;
}

OpId Operations::backfill(Turn turn, const PeerId& peer, Topic topic, BackfillRange range,
                          Time deadline) {
  const auto may = backfill_.may_ask(topic, range);
  const OpId id = begin(CatchUp{peer, std::move(topic), std::move(range)}, deadline);
  if (!running_.contains(id)) return id;
  if (may)
    reach(turn, id, peer);
  else
    finish(id, std::unexpected(may.error()));
  return id;
}

OpId Operations::await_ready(std::size_t live, Time deadline) {
  const OpId id = begin(Ready{live}, deadline);
  if (running_.contains(id)) deadlines_.set(id, deadline);
  on_bootstrap(kad_.bootstrap());
  return id;
}

OpId Operations::adopt(KadOp op) {
  const OpId id = begin(Ask{}, kNever);
  if (const auto at = running_.find(id); at != running_.end()) {
    at->second.step = op;
    by_kad_.emplace(op, id);
  }
  return id;
}

void Operations::reach(Turn turn, OpId id, const PeerId& peer) {
  const auto live = swarm_.connections(peer);
  if (!live.empty()) return reached(turn, id, live.front(), true);
  const auto addrs = book_.dial_order(peer);
  if (!addrs.empty()) return dial(turn, id, peer, addrs);
  Op& op = running_.at(id);
  const KadOp finding = kad_.find_peer(turn, peer, op.deadline);
  op.step = finding;
  by_kad_.emplace(finding, id);
}

void Operations::dial(Turn turn, OpId id, std::optional<PeerId> peer,
                      std::span<const Multiaddr> addrs) {
  Op& op = running_.at(id);
  const DialId dial = swarm_.dial(turn, peer, addrs, op.deadline);
  op.step = dial;
  by_dial_.emplace(dial, id);
}

void Operations::on_dialed(Turn turn, OpId id, const DialFinished& dial) {
  by_dial_.erase(dial.id);
  note_failures(id, dial);
  if (!dial.result) return finish(id, std::unexpected(dial.result.error()));
  const auto live = swarm_.connections();
  const auto at = std::ranges::find(live, *dial.result, &ConnectionInfo::id);
  if (at == live.end())
    return finish(id, fail(Errc::closed, "the connection ended as soon as it was made"));
  reached(turn, id, *at, false);
}

// What did not work is tried later the next time.
void Operations::note_failures(OpId id, const DialFinished& dial) {
  const auto peer = target(running_.at(id).goal);
  if (!peer) return;
  for (const DialFailure& failure : dial.failures) book_.failed(*peer, failure.addr);
}

// The peer is connected: what was it for?
void Operations::reached(Turn turn, OpId id, const ConnectionInfo& connection, bool already) {
  Op& op = running_.at(id);
  op.step = std::monostate{};
  if (const auto* stream = std::get_if<OpenStream>(&op.goal)) {
    const auto key = open(turn, *stream, op.deadline);
    if (!key) return finish(id, std::unexpected(key.error()));
    op.step = *key;
    by_stream_.emplace(*key, id);
    return;
  }
  if (std::holds_alternative<CatchUp>(op.goal)) return catch_up(turn, id);
  if (std::holds_alternative<Ping>(op.goal)) {
    const PingId ping = pinger_.ping(turn, connection.peer, op.deadline);
    op.step = ping;
    deadlines_.set(id, op.deadline);
    by_ping_.emplace(ping, id);
    return;
  }
  finish(id, ConnectReport{connection.peer, connection.id, connection.remote, already});
}

Result<StreamKey> Operations::open(Turn turn, const OpenStream& goal, Time deadline) {
  ASSIGN_OR_RETURN(const StreamKey key,
                   swarm_.open_stream(turn, goal.peer, goal.protocols, deadline));
  if (swarm_.write(turn, key, goal.first) == goal.first.size()) return key;
  swarm_.reset(turn, key, 0);
  return fail(Errc::limit, "the connection has no room for a stream's first bytes");
}

// We may have left the topic while the peer was sought.
void Operations::catch_up(Turn turn, OpId id) {
  Op& op = running_.at(id);
  auto& goal = std::get<CatchUp>(op.goal);
  if (const auto may = backfill_.may_ask(goal.topic, goal.range); !may)
    return finish(id, std::unexpected(may.error()));
  const BackfillOp asking =
      backfill_.ask(turn, goal.peer, std::move(goal.topic), std::move(goal.range), op.deadline);
  op.step = asking;
  by_backfill_.emplace(asking, id);
}

void Operations::on_backfilled(BackfillDone done) {
  const auto at = by_backfill_.find(done.op);
  if (at == by_backfill_.end()) return;
  if (done.report)
    finish(at->second, *std::move(done.report));
  else
    finish(at->second, std::unexpected(std::move(done.report).error()));
}

void Operations::found(Turn turn, OpId id, const KadDone& done) {
  if (!done.report) return finish(id, std::unexpected(done.report.error()));
  const auto* report = std::get_if<FindReport>(&*done.report);
  std::vector<Multiaddr> addrs;
  if (report)
    for (const Dialable& addr : report->found.addrs) addrs.push_back(addr.addr());
  if (addrs.empty()) return finish(id, fail(Errc::unreachable, "no address of the peer is known"));
  dial(turn, id, target(running_.at(id).goal), addrs);
}

void Operations::on_kad_done(Turn turn, const KadDone& done) {
  const auto at = by_kad_.find(done.op);
  if (at == by_kad_.end()) return;
  const OpId id = at->second;
  by_kad_.erase(at);
  if (!std::holds_alternative<Ask>(running_.at(id).goal)) return found(turn, id, done);
  if (done.report)
    finish(id, OpReport(*done.report));
  else
    finish(id, std::unexpected(done.report.error()));
}

bool Operations::on_event(Turn turn, const SwarmEvent& event) {
  if (const auto* dial = std::get_if<DialFinished>(&event)) {
    const auto at = by_dial_.find(dial->id);
    if (at == by_dial_.end()) return false;
    on_dialed(turn, at->second, *dial);
    return true;
  }
  if (const auto* stream = std::get_if<StreamOpened>(&event)) {
    const auto at = by_stream_.find(stream->key);
    if (at == by_stream_.end()) return false;
    finish(at->second, StreamReport{stream->key, stream->peer, stream->protocol});
    return true;
  }
  if (const auto* failed = std::get_if<OpenFailed>(&event)) {
    const auto at = by_stream_.find(failed->key);
    if (at == by_stream_.end()) return false;
    finish(at->second, std::unexpected(failed->cause));
    return true;
  }
  return false;
}

void Operations::on_pinged(const Pinged& pinged) {
  std::vector<OpId> asked;
  const auto [first, last] = by_ping_.equal_range(pinged.id);
  for (auto at = first; at != last; ++at) asked.push_back(at->second);
  for (const OpId id : asked) {
    if (pinged.rtt)
      finish(id, PingReport{pinged.peer, *pinged.rtt});
    else
      finish(id, std::unexpected(pinged.rtt.error()));
  }
}

void Operations::on_bootstrap(const BootstrapStatus& status) {
  std::vector<OpId> ready;
  for (const auto& [id, op] : running_)
    if (const auto* goal = std::get_if<Ready>(&op.goal))
      if (status.live >= goal->live) ready.push_back(id);
  for (const OpId id : ready) finish(id, ReadyReport{status.live});
}

void Operations::on_timer(Turn turn) {
  while (const auto id = deadlines_.expire(turn.now.mono))
    finish(*id, std::unexpected(too_late(running_.at(*id))));
}

Error Operations::too_late(const Op& op) const {
  if (std::holds_alternative<Ready>(op.goal)) return not_ready();
  return {Errc::timeout, "no echo by the deadline"};
}

Error Operations::not_ready() const {
  const BootstrapStatus status = kad_.bootstrap();
  std::string why =
      std::string(name(status.state)) + ", " + std::to_string(status.live) + " live peers";
  if (!status.last_failure.empty()) why += "; last seed: " + status.last_failure;
  return {Errc::timeout, std::move(why)};
}

Time Operations::next_timer() const { return deadlines_.next(); }

void Operations::cancel(Turn turn, OpId id) {
  const auto at = running_.find(id);
  if (at == running_.end()) return;
  withdraw(turn, at->second);
  finish(id, fail(Errc::cancelled, "withdrawn here"));
}

void Operations::close(Turn turn, const Error& why) {
  closed_ = why;
  while (!running_.empty()) {
    const OpId id = running_.begin()->first;
    withdraw(turn, running_.begin()->second);
    finish(id, std::unexpected(why));
  }
}

// Ends what runs below the operation. A ping may be shared and ends by its own deadline.
void Operations::withdraw(Turn turn, const Op& op) {
  if (const auto* dial = std::get_if<DialId>(&op.step)) swarm_.cancel_dial(turn, *dial);
  if (const auto* asking = std::get_if<KadOp>(&op.step)) kad_.cancel(turn, *asking);
  if (const auto* asking = std::get_if<BackfillOp>(&op.step)) backfill_.cancel(*asking);
  if (const auto* key = std::get_if<StreamKey>(&op.step)) {
    swarm_.reset(turn, *key, 0);
    swarm_.release(turn, *key);
  }
}

void Operations::finish(OpId id, Result<OpReport> result) {
  const auto at = running_.find(id);
  forget_step(id, at->second);
  running_.erase(at);
  deadlines_.cancel(id);
  done_.push_back({id, std::move(result)});
}

void Operations::forget_step(OpId id, const Op& op) {
  if (const auto* dial = std::get_if<DialId>(&op.step)) by_dial_.erase(*dial);
  if (const auto* asking = std::get_if<KadOp>(&op.step)) by_kad_.erase(*asking);
  if (const auto* key = std::get_if<StreamKey>(&op.step)) by_stream_.erase(*key);
  if (const auto* asking = std::get_if<BackfillOp>(&op.step)) by_backfill_.erase(*asking);
  if (const auto* ping = std::get_if<PingId>(&op.step)) {
    const auto [first, last] = by_ping_.equal_range(*ping);
    const auto mine = std::find_if(first, last, [&](const auto& e) { return e.second == id; });
    if (mine != last) by_ping_.erase(mine);
  }
}

std::optional<OpDone> Operations::poll() {
  if (done_.empty()) return std::nullopt;
  OpDone done = std::move(done_.front());
  done_.pop_front();
  return done;
}

std::optional<OpId> Operations::of(KadOp op) const {
  const auto at = by_kad_.find(op);
  return at == by_kad_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace kadmesh
