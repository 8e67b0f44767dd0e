// The hook and its mirror, and every other event of the swarm, each to its owner.
#include <algorithm>
#include <type_traits>

#include "node/node_state.h"
#include "transport/stream_event.h"

namespace kadmesh {

void Node::State::on_established(Turn turn, const Established& e) {
  serving.on_established(turn.now.mono, e);
  serve_or_not(turn);
  std::optional<Dialable> dialed;
  if (e.opened_by_us) dialed.emplace(e.remote, Source::dialed);
  if (dialed) book.learned(e.peer, *dialed, turn.now.mono);
  if (!e.first) gossip.on_moved(turn, e.peer, remotes_of(e.peer));
  if (e.first) {
    kad.on_connected(turn, e.peer, dialed, public_subnet(e.remote));
    gossip.on_connected(turn, e.peer, {&e.remote, 1}, e.opened_by_us);
    gossip_streams.on_connected(turn, e.peer);
  }
  if (identify)
    identify->ask(turn, e);
  else if (e.first)
    kad.on_unidentified(turn, e.peer);
  if (e.first) report(PeerConnected{e.peer, e.remote, e.opened_by_us});
}

std::vector<Multiaddr> Node::State::remotes_of(const PeerId& peer) const {
  std::vector<Multiaddr> remotes;
  for (const ConnectionInfo& connection : swarm.connections(peer))
    remotes.push_back(connection.remote);
  return remotes;
}

void Node::State::on_disconnected(Turn turn, const Disconnected& d) {
  // Those that both sides had finished end without a word.
  const auto its = [&](const StreamKey& key) { return key.conn == d.id; };
  const auto first = user_streams.lower_bound({d.id, StreamId{}});
  user_streams.erase(first, std::find_if_not(first, user_streams.end(), its));
  if (!d.last) return gossip.on_moved(turn, d.peer, remotes_of(d.peer));
  if (identify) identify->forget(d.peer);
  gossip_streams.on_disconnected(d.peer);
  gossip.on_disconnected(turn, d.peer);
  kad.on_disconnected(turn, d.peer);
  report(PeerDisconnected{d.peer, d.cause});
}

void Node::State::on_swarm(Turn turn, const SwarmEvent& event) {
  // Gossip has by far the most to say.
  if (gossip_streams.on_event(turn, event)) return;
  stirred = true;
  if (const auto* e = std::get_if<Established>(&event)) return on_established(turn, *e);
  if (const auto* d = std::get_if<Disconnected>(&event)) return on_disconnected(turn, *d);
  if (const auto* dial = std::get_if<DialFinished>(&event))
    if (on_seed_dialed(turn, *dial) || gossip_dials.erase(dial->id) > 0) return;
  if (requester.on_event(turn, event) || pinger.on_event(turn, event) ||
      kad_streams.on_event(turn, event) || backfill_streams.on_event(turn, event) ||
      (identify && identify->on_event(turn, event)) ||
      (responder && responder->on_event(turn, event)) || on_user_stream(event))
    return;
  operations.on_event(turn, event);
  report_operations();  // a stream's opening before what happens on it
}

// --- seeds
bool Node::State::on_seed_dialed(Turn turn, const DialFinished& dial) {
  const auto node = seed_dials.extract(dial.id);
  if (node.empty()) return false;
  const Multiaddr& seed = node.mapped();
  const Result<PeerId> reached = reached_by(dial);
  if (!dial.result)
    notice(Notice::Level::warning, "kad", std::nullopt,
           {dial.result.error().code, "seed " + seed.text() + ": " + dial.result.error().detail});
  kad.on_seed_dialed(turn, seed, reached);
  return true;
}

Result<PeerId> Node::State::reached_by(const DialFinished& dial) const {
  if (!dial.result) return std::unexpected(dial.result.error());
  for (const ConnectionInfo& connection : swarm.connections())
    if (connection.id == *dial.result) return connection.peer;
  return fail(Errc::closed, "the connection ended as soon as it was made");
}

// --- users' streams
bool Node::State::on_user_stream(const SwarmEvent& event) {
  const auto key = stream_of(event);
  if (!key) return false;
  if (const auto* stream = std::get_if<StreamOpened>(&event)) {
    if (stream->opened_by_us || !user_protocols.contains(stream->protocol)) return false;
    user_streams.insert(*key);
    report(StreamIncoming{*key, stream->peer, stream->protocol});
    return true;
  }
  if (!user_streams.contains(*key)) return false;
  if (ends_stream(event)) user_streams.erase(*key);
  std::visit(
      [&](const auto& e) {
        if constexpr (std::is_constructible_v<StreamEvent, decltype(e)>) report(StreamEvent(e));
      },
      event);
  return true;
}

// --- identify
std::optional<Identify::Told> Node::State::poll_identify() {
  return identify ? identify->poll() : std::nullopt;
}

void Node::State::on_told(Turn turn, const Identify::Told& told) {
  if (!told.result) return on_untold(turn, told);
  const PeerInfo* info = identify->info(told.peer);
  if (!info) return;  // the peer left in the same turn
  book.announced(told.peer, info->addrs, turn.now.mono);
  if (config.gossip.exchange_peers > 0) gossip.on_record(turn, told.peer, told.record);
  kad.on_identified(turn, told.peer, info->serves(config.kad.protocol), book.of(told.peer));
  if (std::ranges::any_of(config.gossip.protocols, [&](const auto& p) { return info->serves(p); }))
    gossip_streams.retry(turn, told.peer);
  report(PeerIdentified{told.peer, told.pushed});
}

void Node::State::on_untold(Turn turn, const Identify::Told& told) {
  notice(Notice::Level::debug, "identify", told.peer, told.result.error());
  if (!told.pushed && swarm.connected(told.peer) && !identify->info(told.peer))
    kad.on_unidentified(turn, told.peer);
}

}  // namespace kadmesh
