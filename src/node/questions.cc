#include <algorithm>
#include <set>

#include "node/node_state.h"

namespace kadmesh {

const KeyPair& Node::identity() const { return state_->identity; }
const NodeConfig& Node::config() const { return state_->config; }
bool Node::serving() const { return state_->serving.now(); }
const Kad& Node::kad() const { return state_->kad; }
const Gossip& Node::gossip() const { return state_->gossip; }
const Backfill& Node::backfill() const { return state_->backfill; }

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
                    (connection.opened_by_us ? ", dialed by us" : ", dialed by the peer"));
  lines.push_back("table: " + state_->kad.why(peer));
  lines.push_back("answers: " + state_->kad.pace(peer));
  lines.push_back("gossip: " + state_->gossip.why(peer, now.mono));
  return lines;
}

NodeStats Node::stats() const {
  std::set<PeerId> peers;
  for (const ConnectionInfo& connection : connections()) peers.insert(connection.peer);
  return {state_->kad.stats(),
          state_->store_watch.stats(),
          state_->gossip.stats(),
          state_->backfill.stats(),
          state_->swarm.counters(),
          state_->kad.bootstrap(),
          peers.size(),
          state_->book.peers(),
          {state_->kad_streams.heard(), state_->answers_heard, state_->gossip_streams.heard()},
          serving()};
}

std::string Node::check_invariants() const {
  std::set<PeerId> connected;
  for (const ConnectionInfo& connection : connections()) connected.insert(connection.peer);
  const auto known = state_->gossip.peers();
  if (!std::ranges::equal(connected, known))
    return std::to_string(connected.size()) + " peers are connected, gossip has " +
           std::to_string(known.size());
  const std::size_t asked = state_->requester.outstanding();
  if (state_->requests.size() != asked || state_->kad_requests.size() != asked)
    return "Kademlia's requests are " + std::to_string(state_->kad_requests.size()) + " and " +
           std::to_string(state_->requests.size()) + ", under way are " + std::to_string(asked);
  const std::size_t questions = state_->backfill_streams.outstanding();
  if (state_->backfill.stats().asking < questions)
    return std::to_string(questions) + " questions of backfill are under way, of " +
           std::to_string(state_->backfill.stats().asking) + " operations";
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
  count("backfill streams", s.backfill_streams.streams());
  count("backfill questions", s.backfill_streams.outstanding());
  count("backfill operations", s.backfill.stats().asking);
  count("backfill answers", s.backfill.stats().answering);
  count("identify exchanges", s.identify ? s.identify->exchanges() : 0);
  count("operations", s.operations.running());
  count("user streams", s.user_streams.size());
  count("gossip peers", s.gossip.stats().peers);
  count("kad", s.kad.quiescent() ? 0 : 1);
  return out;
}

}  // namespace kadmesh
