#include "sim/world.h"

#include <algorithm>

#include "base/check.h"

namespace kadmesh {

World::World(std::uint64_t seed, Duration latency) : latency_(latency), root_(seed) {}
World::~World() = default;

// --- nodes
World::Index World::add(NodeConfig config) {
  Rng rng = root_.fork();
  KeyPair identity = KeyPair::make(rng);
  const Index index = members_.size();
  members_.push_back(
      std::make_unique<Member>(std::move(config), std::move(identity), std::move(rng)));
  members_.back()->store = std::make_unique<MemoryStore>(StoreLimits{});
  boot(index);
  return index;
}

void World::boot(Index index) {
  Member& member = *members_.at(index);
  ++member.life;
  member.node = std::make_unique<Node>(member.identity, member.config, Turn{now(), member.rng});
  settle(index);
}

World::Index World::add_listening(NodeConfig config) {
  const Index index = add(std::move(config));
  listen(index);
  return index;
}

void World::listen(Index node) {
  command(node, [&](Node& n, Turn t) { return n.listen(t, endpoint(node, kPort)); });
}

Endpoint World::endpoint(Index node, std::uint16_t port) const {
  Endpoint endpoint;
  endpoint.host = {10, static_cast<std::uint8_t>(node >> 16), static_cast<std::uint8_t>(node >> 8),
                   static_cast<std::uint8_t>(node)};
  endpoint.port = port;
  return endpoint;
}

Multiaddr World::bare_addr(Index node) const { return Multiaddr::tcp(endpoint(node, kPort)); }

Multiaddr World::addr(Index node) const {
  return bare_addr(node).with_peer(members_.at(node)->identity.peer_id());
}

// --- time
void World::at(Time when, std::function<void()> run) {
  events_.push({when, sequence_++, std::move(run)});
}

bool World::step(Time limit) {
  if (events_.empty() || events_.top().at > limit) return false;
  Event event = events_.top();
  events_.pop();
  now_ = std::max(now_, event.at);
  event.run();
  return true;
}

void World::run_for(Duration time) {
  const Time limit = after(now_, time);
  while (step(limit)) {
  }
  now_ = limit;
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Time end = after(now_, limit);
  while (!done())
    if (!step(end)) return now_ = end, done();
  return true;
}

void World::deliver(Time when, Index index, std::function<void(Node&, Turn)> input) {
  const unsigned life = members_.at(index)->life;
  at(when, [this, index, life, input = std::move(input)] {
    Member& member = *members_.at(index);
    if (!member.alive || member.life != life) return;
    if (member.frozen)
      member.backlog.emplace_back([this, index, input] { command(index, input); });
    else
      command(index, input);
  });
}

void World::arm_timer(Index index) {
  Member& member = *members_.at(index);
  const Time next = std::max(member.node->next_timer(), now_);
  if (next >= member.armed || next == kNever) return;
  member.armed = next;
  deliver(next, index, [this, index](Node& node, Turn turn) {
    members_.at(index)->armed = kNever;
    if (node.next_timer() <= turn.now.mono) node.on_timer(turn);
  });
}

// --- actions
void World::settle(Index index) {
  Member& member = *members_.at(index);
  while (auto action = member.node->poll()) perform(index, *std::move(action));
  arm_timer(index);
}

void World::perform(Index index, NodeAction action) {
  if (auto* a = std::get_if<DialPipe>(&action)) return dial(index, *a);
  if (auto* a = std::get_if<WritePipe>(&action)) return write(index, std::move(*a));
  if (auto* a = std::get_if<ReadPipe>(&action)) return read({index, a->id}, a->wanted);
  if (auto* a = std::get_if<ClosePipe>(&action)) return close(index, *a);
  if (auto* a = std::get_if<Report>(&action)) return report(index, std::move(*a));
  if (auto* a = std::get_if<ListenPipe>(&action)) {
    members_.at(index)->listening = true;
    return members_.at(index)->node->on_listening(Turn{now(), members_.at(index)->rng}, a->id,
                                                  {Multiaddr::tcp(a->at)});
  }
  if (auto* a = std::get_if<StoreOp>(&action)) {
    auto result = members_.at(index)->store->run(now().wall, {std::move(a->request)}).front();
    return deliver(now_, index, [id = a->id, result = std::move(result)](Node& node, Turn turn) {
      node.on_stored(turn, id, result);
    });
  }
  if (std::holds_alternative<StopListening>(action)) members_.at(index)->listening = false;
}

void World::report(Index index, Report report) {
  Member& member = *members_.at(index);
  if (const auto* done = std::get_if<OpDone>(&report)) {
    const bool first = member.done.try_emplace(done->op, now_, member.reports.size()).second;
    KAD_CHECK(first);  // exactly one end for every operation
  }
  member.reports.push_back(std::move(report));
}

bool World::parted(Index a, Index b) const { return cuts_.contains(std::minmax(a, b)); }

// SYN there, SYN-ACK back; the acceptor knows of it after one latency, the dialer after two.
void World::dial(Index from, const DialPipe& action) {
  Index to = members_.size();
  for (Index i = 0; i < members_.size(); ++i)
    if (endpoint(i, kPort) == action.to) to = i;
  const Endpoint local = endpoint(from, next_port_++);
  const ConnId id = action.id;
  if (to < members_.size() && parted(from, to)) return;  // no answer at all
  if (to == members_.size() || !members_.at(to)->alive || !members_.at(to)->listening)
    return deliver(after(now_, 2 * latency_), from, [id](Node& node, Turn turn) {
      node.on_dial_failed(turn, id, {Errc::refused, "nobody listens there"});
    });
  deliver(after(now_, latency_), to,
          [this, from, to, id, local, remote = action.to](Node& node, Turn turn) {
            const ConnId theirs = node.on_accepted(turn, remote, local);
            links_[{from, id}] = {to, theirs};
            links_[{to, theirs}] = {from, id};
          });
  deliver(after(now_, 2 * latency_), from,
          [id, local](Node& node, Turn turn) { node.on_dialed(turn, id, local); });
}

void World::write(Index from, WritePipe action) {
  const auto link = links_.find({from, action.id});
  const std::size_t count = action.bytes.size();
  if (link == links_.end()) return;
  const End to = link->second;
  deliver(now_, from,
          [id = action.id, count](Node& node, Turn turn) { node.on_written(turn, id, count); });
  deliver(after(now_, latency_), to.node,
          [this, to, bytes = std::move(action.bytes)](Node&, Turn) { arrive(to, bytes); });
}

void World::arrive(End to, Bytes bytes) {
  if (const auto at = unread_.find(to); at != unread_.end())
    return at->second.bytes.push_back(std::move(bytes));
  Member& member = *members_.at(to.node);
  member.node->on_bytes(Turn{now(), member.rng}, to.id, bytes);
}

void World::read(End end, bool wanted) {
  if (!wanted) {
    unread_[end].wanted = false;
  } else if (const auto at = unread_.find(end); at != unread_.end()) {
    at->second.wanted = true;
    drain(end);
  }
}

// One input at a time; what arrives meanwhile waits behind.
void World::drain(End end) {
  deliver(now_, end.node, [this, end](Node& node, Turn turn) {
    const auto at = unread_.find(end);
    if (at == unread_.end() || !at->second.wanted) return;
    if (at->second.bytes.empty()) {
      unread_.erase(at);
      return;
    }
    const Bytes bytes = std::move(at->second.bytes.front());
    at->second.bytes.pop_front();
    node.on_bytes(turn, end.id, bytes);
    drain(end);
  });
}

void World::close(Index from, const ClosePipe& action) {
  disconnect({from, action.id}, {Errc::closed, "the other side closed the connection"},
             after(now_, latency_));
}

// The other end hears of it at `when`; this one knows already.
void World::disconnect(End end, const Error& cause, Time when) {
  const auto link = links_.find(end);
  if (link == links_.end()) return;
  const End other = link->second;
  links_.erase(link);
  links_.erase(other);
  unread_.erase(end);
  read(other, true);
  deliver(when, other.node,
          [other, cause](Node& node, Turn turn) { node.on_closed(turn, other.id, cause); });
}

// --- trouble
void World::freeze(Index node) { members_.at(node)->frozen = true; }

void World::thaw(Index node) {
  Member& member = *members_.at(node);
  member.frozen = false;
  for (auto& input : std::exchange(member.backlog, {})) input();
}

void World::kill(Index index) {
  Member& member = *members_.at(index);
  member.alive = member.listening = member.frozen = false;
  member.backlog.clear();
  member.armed = kNever;
  std::vector<End> ends;
  for (const auto& [end, other] : links_)
    if (end.node == index) ends.push_back(end);
  for (const End& end : ends)
    disconnect(end, {Errc::reset, "reset by the other side"}, after(now_, latency_));
}

void World::restart(Index index) {
  Member& member = *members_.at(index);
  member.alive = true;
  member.reports.clear();
  member.done.clear();
  boot(index);
  listen(index);
}

void World::cut(Index a, Index b) {
  cuts_[std::minmax(a, b)] = true;
  std::vector<End> ends;
  for (const auto& [end, other] : links_)
    if (end.node == a && other.node == b) ends.push_back(end);
  for (const End& end : ends) {
    deliver(now_, a, [end](Node& node, Turn turn) {
      node.on_closed(turn, end.id, {Errc::reset, "the network is cut"});
    });
    disconnect(end, {Errc::reset, "the network is cut"}, now_);
  }
}

void World::heal(Index a, Index b) { cuts_.erase(std::minmax(a, b)); }

// --- results
const OpDone* World::result(Index index, OpId op) const {
  const Member& member = *members_.at(index);
  const auto at = member.done.find(op);
  return at == member.done.end() ? nullptr
                                 : &std::get<OpDone>(member.reports.at(at->second.second));
}

Time World::ended_at(Index index, OpId op) const {
  const Member& member = *members_.at(index);
  const auto at = member.done.find(op);
  return at == member.done.end() ? kNever : at->second.first;
}

const std::vector<Report>& World::reports(Index index) const { return members_.at(index)->reports; }

std::string World::check_invariants() const {
  for (Index i = 0; i < members_.size(); ++i)
    if (members_[i]->alive)
      if (std::string broken = members_[i]->node->check_invariants(); !broken.empty())
        return "node " + std::to_string(i) + ": " + broken;
  return {};
}

}  // namespace kadmesh
