#include "node/node_state.h"

namespace kadmesh {

ListenId Node::listen(Turn turn, const Endpoint& at) {
  const ListenId id{state_->next_listen++};
  if (state_->closing) return on_listen_failed(turn, id, State::shut()), id;
  state_->listening.try_emplace(id);
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

// What Kademlia has begun.
OpId Node::State::adopt(Turn turn, KadOp begun) {
  const OpId op = operations.adopt(begun);
  settle(turn);
  return op;
}

OpId Node::put(Turn turn, Bytes key, Bytes value, Time deadline, WalkOptions walk) {
  return state_->adopt(turn,
                       state_->kad.put(turn, std::move(key), std::move(value), deadline, walk));
}

OpId Node::get(Turn turn, Bytes key, Time deadline, WalkOptions walk) {
  return state_->adopt(turn, state_->kad.get(turn, std::move(key), deadline, walk));
}

OpId Node::provide(Turn turn, Bytes multihash, Time deadline, WalkOptions walk) {
  return state_->adopt(turn, state_->kad.provide(turn, std::move(multihash), deadline, walk));
}

OpId Node::find_providers(Turn turn, Bytes multihash, std::size_t most, Time deadline,
                          WalkOptions walk) {
  return state_->adopt(
      turn, state_->kad.find_providers(turn, std::move(multihash), most, deadline, walk));
}

OpId Node::find_peer(Turn turn, const PeerId& peer, Time deadline, WalkOptions walk) {
  return state_->adopt(turn, state_->kad.find_peer(turn, peer, deadline, walk));
}

OpId Node::find_closest(Turn turn, Bytes target, Time deadline, WalkOptions walk) {
  return state_->adopt(turn, state_->kad.find_closest(turn, std::move(target), deadline, walk));
}

OpId Node::await_ready(Turn turn, std::size_t live, Time deadline) {
  const OpId op = state_->operations.await_ready(live, deadline);
  state_->settle(turn);
  return op;
}

void Node::cancel(Turn turn, OpId op) {
  state_->operations.cancel(turn, op);
  state_->settle(turn);
}

Result<void> Node::subscribe(Turn turn, const Topic& topic, PartialUse parts) {
  auto subscribed = state_->gossip.subscribe(turn, topic, parts);
  state_->settle_streams(turn);
  return subscribed;
}

void Node::unsubscribe(Turn turn, const Topic& topic) {
  state_->gossip.unsubscribe(turn, topic);
  state_->backfill.on_unsubscribed(topic);
  state_->settle_streams(turn);
}

Result<Receipt> Node::publish(Turn turn, const Topic& topic, Bytes data) {
  auto receipt = state_->gossip.publish(turn, topic, std::move(data));
  state_->settle_streams(turn);
  return receipt;
}

Result<void> Node::set_application_score(Turn turn, const PeerId& peer, double score) {
  return state_->gossip.set_application_score(turn, peer, score);
}

Result<Sent> Node::send_partial(Turn turn, const PeerId& peer, PartialMessage parts) {
  auto sent = state_->gossip.send_partial(turn, peer, std::move(parts));
  state_->settle_streams(turn);
  return sent;
}

void Node::verdict(Turn turn, ValidationId id, Verdict verdict) {
  state_->gossip.on_verdict(turn, id, verdict);
  state_->settle_streams(turn);
}

OpId Node::backfill(Turn turn, const PeerId& peer, Topic topic, Time deadline,
                    BackfillRange range) {
  const OpId op =
      state_->operations.backfill(turn, peer, std::move(topic), std::move(range), deadline);
  state_->settle(turn);
  return op;
}

Result<void> Node::tell_backfill(Turn turn, BackfillId id, Result<BackfillPage> page) {
  auto told = state_->backfill.tell(turn, id, std::move(page));
  state_->settle(turn);
  return told;
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
  state_->settle_streams(turn);
}

void Node::finish(Turn turn, StreamKey key) {
  state_->swarm.finish(turn, key);
  state_->settle_streams(turn);
}

void Node::reset(Turn turn, StreamKey key, std::uint32_t code) {
  state_->swarm.reset(turn, key, code);
  release(turn, key);
}

void Node::release(Turn turn, StreamKey key) {
  state_->user_streams.erase(key);
  state_->swarm.release(turn, key);
  state_->settle_streams(turn);
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

}  // namespace kadmesh
