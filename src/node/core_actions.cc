// What Kademlia and GossipSub want done, and what came of it.
#include <algorithm>

#include "base/envelope.h"
#include "kad/params.h"
#include "node/node_state.h"

namespace kadmesh {

// --- Kademlia's requests
void Node::State::on(Turn turn, KadRequest& action) {
  if (closing) return kad.on_request_failed(turn, action.id, shut());
  const RequestId id = requester.ask(turn, Request{action.to.peer,
                                                   where(action.to),
                                                   {config.kad.protocol},
                                                   std::move(action.message),
                                                   action.expects_reply,
                                                   config.kad.reuse_streams,
                                                   kMostReply,
                                                   action.deadline});
  requests.emplace(id, action.id);
  kad_requests.emplace(action.id, id);
}

// What Kademlia has heard, and then what the address book knows.
std::vector<Multiaddr> Node::State::where(const Contact& contact) const {
  std::vector<Multiaddr> addrs;
  addrs.reserve(contact.addrs.size());
  for (const Dialable& addr : contact.addrs) addrs.push_back(addr.addr());
  for (const Multiaddr& addr : book.dial_order(contact.peer))
    if (!std::ranges::count(addrs, addr)) addrs.push_back(addr);
  return addrs;
}

void Node::State::on(Turn turn, const KadCancel& action) {
  const auto at = kad_requests.find(action.id);
  if (at == kad_requests.end()) return;
  requester.cancel(turn, at->second);
  requests.erase(at->second);
  kad_requests.erase(at);
}

void Node::State::on_completed(Turn turn, const Completed& completed) {
  const auto at = requests.find(completed.id);
  if (at == requests.end()) return;
  const KadRequestId id = at->second;
  requests.erase(at);
  kad_requests.erase(id);
  if (!completed.reply) return kad.on_request_failed(turn, id, completed.reply.error());
  answers_heard += completed.reply->size();
  kad.on_reply(turn, id, *completed.reply);
}

// --- Kademlia's answers
void Node::State::on(Turn turn, const KadReply& action) { kad_streams.reply(turn, action); }

void Node::State::on(Turn turn, const KadRefuse& action) {
  notice(Notice::Level::debug, "kad", std::nullopt, action.why);
  kad_streams.refuse(turn, action);
}

// --- Kademlia, all else
void Node::State::on(Turn, KadStore& action) {
  const StoreOpId id{next_store++};
  storing.emplace(id, Storing{action.id, std::holds_alternative<Save>(action.request)});
  actions.emplace_back(StoreOp{id, std::move(action.request)});
}

void Node::State::on(Turn turn, const KadDial& action) {
  if (closing) return kad.on_seed_dialed(turn, action.seed, std::unexpected(shut()));
  const DialId id = swarm.dial(turn, action.seed.peer(), {&action.seed, 1}, action.deadline);
  seed_dials.emplace(id, action.seed);
}

void Node::State::on(Turn, KadProvider& action) {
  if (const auto op = operations.of(action.op))
    report(ProviderFound{*op, std::move(action.provider)});
}

void Node::State::on(Turn, KadStep& action) {
  if (const auto op = operations.of(action.op)) report(StepTaken{*op, std::move(action.step)});
}

void Node::State::on(Turn turn, const KadDone& action) { operations.on_kad_done(turn, action); }

void Node::State::on(Turn, const KadHold& action) { hold(action.peer, action.hold); }

// --- GossipSub's
void Node::State::on(Turn turn, const GossipSend& action) { gossip_streams.send(turn, action); }

void Node::State::on(Turn, GossipValidate& action) { report(MessageToValidate{std::move(action)}); }

void Node::State::on(Turn, GossipDeliver& action) { report(MessageDelivered{std::move(action)}); }

void Node::State::on(Turn, const GossipHold& action) { hold(action.peer, action.hold); }

// An explicit peer: its address is in the configuration, and the address book.
void Node::State::on(Turn turn, const GossipDial& action) {
  if (closing) return;
  const auto addrs = book.dial_order(action.peer);
  if (!addrs.empty()) swarm.dial(turn, action.peer, addrs, after(turn.now.mono, kDefaultDeadline));
}

// By its signed record, or by what we know of it already.
void Node::State::on(Turn turn, const GossipMeet& action) {
  if (closing || gossip_dials.size() >= kMostGossipDials || swarm.connected(action.peer)) return;
  if (!action.record.empty()) {
    const auto record = open_peer_record(action.record, config.signatures.get());
    if (!record || record->peer != action.peer) {
      const Error why{Errc::auth, "a PRUNE names a peer with a record that does not hold"};
      return notice(Notice::Level::info, "gossip", action.named_by, why);
    }
    for (const Multiaddr& addr : record->addrs)
      book.learned(action.peer, Dialable(addr, Source::signed_record), turn.now.mono);
  }
  const auto addrs = book.dial_order(action.peer);
  if (addrs.empty()) return;
  const Time deadline = after(turn.now.mono, kDefaultDeadline);
  gossip_dials.insert(swarm.dial(turn, action.peer, addrs, deadline));
}

void Node::State::on(Turn, const GossipUnsent& action) {
  notice(Notice::Level::warning, "gossip", std::nullopt,
         {Errc::no_peers, "a message waited for a subscriber of " + action.topic + " in vain"});
}

void Node::State::on(Turn, GossipPart& action) { report(PartsArrived{std::move(action)}); }

void Node::State::on(Turn, GossipOffer& action) { report(PartsWanted{std::move(action)}); }

void Node::State::on(Turn turn, const GossipFault& action) {
  notice(Notice::Level::info, "gossip", action.peer, action.why);
  gossip_streams.fault(turn, action);
}

void Node::State::on(Turn, const GossipSlow& action) {
  notice(Notice::Level::info, "gossip", action.peer,
         {Errc::limit, "the peer takes no more: frames are dropped"});
}

void Node::State::on(Turn turn, GossipKeep& action) {
  if (config.backfill.keep == Keep::by_application)
    report(MessageToKeep{std::move(action)});
  else
    backfill.on_kept(turn, std::move(action));
}

void Node::State::on(Turn turn, GossipTrace& action) {
  report(GossipTraced{turn.now.wall, std::move(action.event)});
}

void Node::State::hold(const PeerId& peer, bool held) {
  held ? swarm.hold(peer) : swarm.unhold(peer);
}

// --- Backfill's
void Node::State::on(Turn turn, BackfillRequest& action) {
  if (closing) return backfill.on_request_failed(action.id, shut());
  backfill_streams.ask(turn, std::move(action));
}

void Node::State::on(Turn turn, const BackfillCancel& action) {
  backfill_streams.cancel(turn, action);
}

void Node::State::on(Turn turn, const BackfillReply& action) {
  backfill_streams.reply(turn, action);
}

void Node::State::on(Turn, BackfillAsked& action) { report(BackfillWanted{std::move(action)}); }

void Node::State::on(Turn, BackfillDone& action) { operations.on_backfilled(std::move(action)); }

}  // namespace kadmesh
