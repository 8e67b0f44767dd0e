// Messages: published, received, forwarded, repaired.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

namespace {

Bytes big_endian(std::uint64_t value) {
  Bytes out(8);
  for (std::size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  return out;
}

MessageView view(const GossipMessage& message) {
  return {message.from, message.data, message.seqno, {}, message.topic};
}

}  // namespace

// --- ours
Result<void> Gossip::State::may_publish(const Topic& topic, const Bytes& data) const {
  RETURN_IF_ERROR(check_topic(topic));
  if (data.size() > config.most_message)
    return fail(Errc::limit, std::to_string(data.size()) + " bytes of data, most is " +
                                 std::to_string(config.most_message));
  const auto at = topics.find(topic);
  if (at == topics.end() || at->second.subscribers.empty())
    return fail(Errc::no_peers, "nobody to send to on this topic: connected " +
                                    std::to_string(peers.size()) + ", subscribed 0");
  return {};
}

Result<Receipt> Gossip::State::publish(Turn turn, const Topic& topic, Bytes data) {
  RETURN_IF_ERROR(may_publish(topic, data));
  GossipMessage message{std::nullopt, std::move(data), {}, topic};
  const bool sign = config.policy == SignaturePolicy::strict_sign;
  if (sign) {
    message.from = identity.peer_id();
    message.seqno = big_endian(seqno++);
  }
  Receipt receipt{config.message_id(view(message)), {}};
  if (!seen.add(receipt.id, turn.now.mono))
    return fail(Errc::invalid, "this message has been here already: others would drop it");
  const auto frame = std::make_shared<const Bytes>(
      gossip::message_frame(gossip::encode_message(message, sign ? &identity : nullptr)));
  cache.put(receipt.id, topic, frame);
  GossipTopic& about = topics.find(topic)->second;
  for (const PeerId& peer : recipients(turn, about))
    receipt.peers.push_back({peer, send(peer, frame, Priority::own), about.mesh.contains(peer)});
  ++counts.published;
  return receipt;
}

// Everybody who subscribes, or the mesh filled up to D, or D others that are kept for a minute.
std::vector<PeerId> Gossip::State::recipients(Turn turn, GossipTopic& about) {
  if (config.flood_publish) return {about.subscribers.begin(), about.subscribers.end()};
  std::set<PeerId> to = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers)
    if (!to.contains(peer) && peers.at(peer).stream != GossipPeer::Stream::closed)
      others.push_back(peer);
  choose(turn, others, config.d - std::min(config.d, to.size()));
  to.insert(others.begin(), others.end());
  if (!about.subscribed) {
    about.fanout = to;
    about.fanout_until = after(turn.now.mono, config.fanout_ttl);
  }
  return {to.begin(), to.end()};
}

// --- peers'
// Cheapest test first: joined, seen, from somebody who is there, then the signature. Only what
// verifies is remembered, or a forger could make us deaf to a message that is yet to come; and only
// what can be judged, so that a later copy has its chance.
void Gossip::State::receive(Turn turn, const PeerId& from, ByteView encoded) {
  const auto received = gossip::decode_message(encoded);
  if (!received) return void(++counts.rejected);
  const auto topic = topics.find(received->topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  if (received->from == identity.peer_id()) return void(++counts.duplicates);
  const MessageId id = config.message_id(*received);
  if (seen.contains(id)) return void(++counts.duplicates);
  if (!peers.contains(from)) return;
  if (!room_to_validate(received->data.size())) return void(++counts.dropped);
  if (received->data.size() > config.most_message ||
      !gossip::check_signature(*received, config.policy, config.signatures.get()))
    return void(++counts.rejected);
  seen.add(id, turn.now.mono);
  if (const auto asked = asking.extract(id)) not_awaited(asked.mapped());
  GossipFresh fresh{from, id, gossip::owned(*received),
                    std::make_shared<const Bytes>(gossip::message_frame(encoded)),
                    after(turn.now.mono, gossip::kValidationTimeout)};
  config.manual_validation ? ask_application(std::move(fresh)) : accept(std::move(fresh));
}

bool Gossip::State::room_to_validate(std::size_t size) const {
  if (validating.size() >= gossip::kMostValidating) return false;
  for (const auto& [id, message] : validating) size += message.message.data.size();
  return size <= gossip::kMostValidatingBytes;
}

void Gossip::State::ask_application(GossipFresh message) {
  const ValidationId id{next_validation++};
  actions.emplace_back(
      GossipValidate{id, message.received_from, message.message, message.deadline});
  validating.emplace(id, std::move(message));
}

void Gossip::State::accept(GossipFresh accepted) {
  const Topic& topic = accepted.message.topic;
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  cache.put(accepted.id, topic, accepted.frame);
  for (const PeerId& peer : at->second.mesh) {
    if (peer == accepted.received_from || accepted.message.from == peer) continue;
    if (send(peer, accepted.frame, Priority::forward) == Sent::queued) ++counts.forwarded;
  }
  ++counts.delivered;
  actions.emplace_back(
      GossipDeliver{accepted.received_from, std::move(accepted.message), std::move(accepted.id)});
}

void Gossip::State::verdict(ValidationId id, Verdict verdict) {
  auto judged = validating.extract(id);
  if (judged.empty()) return;
  if (verdict == Verdict::accept) accept(std::move(judged.mapped()));
  if (verdict == Verdict::reject) ++counts.rejected;
}

// --- gossip: what the peer has, and what it wants
void Gossip::State::take_ihave(Turn turn, const PeerId& peer, const gossip::IHave& have) {
  const auto topic = topics.find(have.topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  GossipPeer& from = peers.at(peer);
  if (from.stream == GossipPeer::Stream::closed) return;
  GossipPeer::Lazy& lazy = lazy_of(from);
  for (const MessageId& id : have.ids) {
    if (lazy.asked >= gossip::kMostAsked) return;
    if (seen.contains(id) || !may_ask(turn, peer, id)) continue;
    tell(peer).iwant.push_back(id);
    ++lazy.asked;
    ++counts.iwant_sent;
  }
}

GossipPeer::Lazy& Gossip::State::lazy_of(GossipPeer& peer) const {
  if (peer.lazy.beat != beat) peer.lazy = {.beat = beat};
  return peer.lazy;
}

// Notes that the peer is asked, if it may be.
bool Gossip::State::may_ask(Turn turn, const PeerId& peer, const MessageId& id) {
  const auto at = asking.find(id);
  if (at == asking.end())
    return room_to_ask(peer) && asking.try_emplace(id, ask(turn, peer)).second;
  const Duration wait = at->second.peer == peer ? gossip::kAskAgain : gossip::kAskAnother;
  if (still_there(at->second) && after(at->second.when, wait) > turn.now.mono) return false;
  not_awaited(at->second);
  at->second = ask(turn, peer);
  return true;
}

GossipAsked Gossip::State::ask(Turn turn, const PeerId& peer) {
  GossipPeer& asked = peers.at(peer);
  ++asked.promised;
  ++promised;
  return {turn.now.mono, peer, asked.life};
}

// What those who left had promised takes no room from those who are there, and is forgotten at the
// latest when it would: each look through all makes room for a quarter of them at least.
bool Gossip::State::room_to_ask(const PeerId& peer) {
  if (asking.size() >= 2 * gossip::kMostAsking && promised <= gossip::kFewPromised)
    std::erase_if(asking, [&](const auto& entry) { return !still_there(entry.second); });
  if (asking.size() >= 2 * gossip::kMostAsking) return false;
  return promised < gossip::kMostAsking ||
         peers.at(peer).promised < gossip::kMostAsking / peers.size();
}

bool Gossip::State::still_there(const GossipAsked& asked) const {
  const auto at = peers.find(asked.peer);
  return at != peers.end() && at->second.life == asked.life;
}

void Gossip::State::not_awaited(const GossipAsked& asked) {
  if (!still_there(asked)) return;
  --peers.at(asked.peer).promised;
  --promised;
}

void Gossip::State::take_iwant(const PeerId& peer, const std::vector<MessageId>& wanted) {
  for (const MessageId& id : wanted) {
    auto frame = cache.serve(id, peer);
    if (!frame) continue;
    if (send(peer, std::move(frame), Priority::forward) == Sent::queued) ++counts.iwant_served;
  }
}

}  // namespace kadmesh
