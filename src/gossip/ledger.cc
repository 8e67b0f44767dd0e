// What happens, as it is counted and traced.
#include "gossip/state.h"

namespace kadmesh {

namespace {

void count(RpcCounts& counts, RpcPart part, std::size_t more = 1) {
  counts[static_cast<std::size_t>(part)] += more;
}

}  // namespace

// --- messages
void Gossip::State::published(const MessageId& id, const Topic& topic) {
  ++counts.published;
  if (const auto at = topics.find(topic); at != topics.end()) ++at->second.stats.published;
  trace<traced::Published>(id, topic);
  trace<traced::Delivered>(id, topic, identity.peer_id());
}

void Gossip::State::refuse(Refusal why, const MessageId& id, const Topic& topic,
                           const PeerId& from) {
  if (const auto at = topics.find(topic); at != topics.end())
    ++at->second.stats.refused[static_cast<std::size_t>(why)];
  if (why == Refusal::no_room)
    ++counts.unjudged;
  else
    ++(is_fault(why) ? counts.rejected : counts.ignored);
  trace<traced::Rejected>(id, from, text(why), topic);
}

// --- RPCs
void Gossip::State::count_parts(RpcCounts& total, const gossip::Rpc& rpc) {
  count(total, RpcPart::publish, rpc.publish.size());
  for (const gossip::SubOpts& change : rpc.subscriptions)
    count(total, change.subscribe ? RpcPart::subscribe : RpcPart::unsubscribe);
  count(total, RpcPart::graft, rpc.graft.size());
  count(total, RpcPart::prune, rpc.prune.size());
  count(total, RpcPart::ihave, rpc.ihave.size());
  count(total, RpcPart::iwant, !rpc.iwant.empty());
  count(total, RpcPart::idontwant, !rpc.idontwant.empty());
}

TracedRpc Gossip::State::traced_rpc(const gossip::Rpc& rpc) const {
  TracedRpc out;
  out.iwant = rpc.iwant;
  out.graft = rpc.graft;
  out.idontwant = rpc.idontwant;
  for (const ByteView encoded : rpc.publish)
    if (const auto message = gossip::decode_message(encoded))
      out.messages.push_back({id_of(*message), Topic(message->topic)});
  for (const gossip::SubOpts& change : rpc.subscriptions)
    out.subscriptions.push_back({change.subscribe, change.topic});
  for (const gossip::IHave& have : rpc.ihave) out.ihave.push_back({have.topic, have.ids});
  for (const gossip::Prune& prune : rpc.prune) {
    out.prune.push_back({prune.topic, {}});
    for (const gossip::Exchanged& other : prune.peers) out.prune.back().peers.push_back(other.peer);
  }
  return out;
}

template <class Event>
void Gossip::State::trace_rpc(const PeerId& peer, ByteView encoded) {
  if (!config.trace) return;
  if (const auto rpc = gossip::decode_rpc(encoded)) trace<Event>(peer, traced_rpc(*rpc));
}

void Gossip::State::trace_received(const PeerId& peer, ByteView rpc) {
  trace_rpc<traced::RpcReceived>(peer, rpc);
}

void Gossip::State::trace_sent(const PeerId& peer, ByteView frame) {
  if (config.trace) trace_rpc<traced::RpcSent>(peer, gossip::rpc_in(frame));
}

void Gossip::State::trace_dropped(const PeerId& peer, ByteView frame) {
  if (config.trace) trace_rpc<traced::RpcDropped>(peer, gossip::rpc_in(frame));
}

}  // namespace kadmesh
