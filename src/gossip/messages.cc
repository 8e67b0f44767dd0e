// Messages: published, received, forwarded, repaired.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

using gossip::Rpc;
using gossip::SignedMessage;

namespace {

Bytes big_endian(std::uint64_t value) {
  Bytes out(8);
  for (std::size_t i = 8; i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  return out;
}

}  // namespace

Result<Receipt> Gossip::State::publish(Turn turn, const Topic& topic, Bytes data) {
  if (topic.empty() || topic.size() > gossip::kMostTopicName)
    return fail(Errc::invalid,
                "a topic has 1 to " + std::to_string(gossip::kMostTopicName) + " bytes");
  if (data.size() > config.most_message)
    return fail(Errc::limit, std::to_string(data.size()) + " bytes of data, most is " +
                                 std::to_string(config.most_message));
  const auto at = topics.find(topic);
  const std::size_t subscribed = at == topics.end() ? 0 : at->second.subscribers.size();
  if (subscribed == 0)
    return fail(Errc::no_peers, "nobody to send to on this topic: connected " +
                                    std::to_string(peers.size()) + ", subscribed 0");
  GossipMessage message{std::nullopt, std::move(data), {}, topic};
  const bool sign = config.policy == SignaturePolicy::strict_sign;
  if (sign) {
    message.from = identity.peer_id();
    message.seqno = big_endian(seqno++);
  }
  const Bytes encoded = gossip::encode_message(message, sign ? &identity : nullptr);
  const auto frame = std::make_shared<const Bytes>(gossip::message_frame(encoded));
  Receipt receipt{config.message_id(message), {}};
  seen.add(receipt.id, turn.now.mono);
  cache.put(receipt.id, topic, frame);
  for (const PeerId& peer : recipients(turn, at->second))
    receipt.peers.push_back(
        {peer, send(peer, frame, Priority::own), at->second.mesh.contains(peer)});
  ++counts.published;
  return receipt;
}

// Everybody who subscribes, or the mesh filled up to D, or D others that are kept for a minute.
std::vector<PeerId> Gossip::State::recipients(Turn turn, GossipTopic& about) {
  if (config.flood_publish) return {about.subscribers.begin(), about.subscribers.end()};
  std::set<PeerId>& chosen = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others;
  std::ranges::set_difference(about.subscribers, chosen, std::back_inserter(others));
  turn.rng.shuffle(std::span(others));
  std::set<PeerId> to = chosen;
  for (const PeerId& peer : others)
    if (to.size() < config.d) to.insert(peer);
  if (!about.subscribed) {
    about.fanout = to;
    about.fanout_until = after(turn.now.mono, config.fanout_ttl);
  }
  return {to.begin(), to.end()};
}

// Cheapest test first: subscribed, seen, then the signature. Only what verifies is remembered, or a
// forger could make us deaf to a message that is yet to come.
void Gossip::State::receive(Turn turn, const PeerId& from, ByteView encoded) {
  auto received = gossip::decode_message(encoded);
  if (!received) return void(++counts.rejected);
  const auto topic = topics.find(received->message.topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  if (received->message.from == identity.peer_id()) return void(++counts.duplicates);
  const MessageId id = config.message_id(received->message);
  if (seen.contains(id)) return void(++counts.duplicates);
  if (received->message.data.size() > config.most_message ||
      !gossip::check_signature(*received, config.policy))
    return void(++counts.rejected);
  seen.add(id, turn.now.mono);
  asking.erase(id);
  judge(turn, {from, id, std::move(received->message),
               std::make_shared<const Bytes>(gossip::message_frame(encoded)),
               after(turn.now.mono, gossip::kValidationTimeout)});
}

void Gossip::State::judge(Turn, GossipValidating message) {
  if (!config.manual_validation) return accept(message);
  if (validating.size() >= gossip::kMostValidating) return void(++counts.dropped);
  const ValidationId id{next_validation++};
  actions.emplace_back(
      GossipValidate{id, message.received_from, message.message, message.deadline});
  validating.emplace(id, std::move(message));
}

void Gossip::State::accept(const GossipValidating& accepted) {
  const Topic& topic = accepted.message.topic;
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  cache.put(accepted.id, topic, accepted.frame);
  actions.emplace_back(GossipDeliver{accepted.received_from, accepted.message, accepted.id});
  ++counts.delivered;
  for (const PeerId& peer : at->second.mesh) {
    if (peer == accepted.received_from || accepted.message.from == peer) continue;
    if (send(peer, accepted.frame, Priority::forward) == Sent::queued) ++counts.forwarded;
  }
}

void Gossip::State::verdict(ValidationId id, Verdict verdict) {
  const auto at = validating.find(id);
  if (at == validating.end()) return;
  const GossipValidating message = std::move(at->second);
  validating.erase(at);
  if (verdict == Verdict::accept) accept(message);
  if (verdict == Verdict::reject) ++counts.rejected;
}

// --- gossip: what the peer has, and what it wants
void Gossip::State::take_ihave(Turn turn, const PeerId& peer, const gossip::IHave& have,
                               Rpc& answer) {
  const auto topic = topics.find(have.topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  GossipPeer& from = peers.at(peer);
  for (const MessageId& id : have.ids) {
    if (from.asked >= gossip::kMostAsked || asking.size() >= gossip::kMostAsking) return;
    if (seen.contains(id)) continue;
    const auto [at, fresh] = asking.try_emplace(id, turn.now.mono);
    if (!fresh && after(at->second, gossip::kAskAgain) > turn.now.mono) continue;
    at->second = turn.now.mono;
    answer.iwant.push_back(id);
    ++from.asked;
    ++counts.iwant_sent;
  }
}

void Gossip::State::take_iwant(const PeerId& peer, const std::vector<MessageId>& wanted) {
  for (const MessageId& id : wanted) {
    auto frame = cache.serve(id, peer);
    if (!frame) continue;
    if (send(peer, std::move(frame), Priority::forward) == Sent::queued) ++counts.iwant_served;
  }
}

}  // namespace kadmesh
