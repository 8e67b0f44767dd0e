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
  const bool nobody = at == topics.end() || at->second.subscribers.empty();
  const bool kept = config.keeps && at != topics.end() && at->second.subscribed;
  if (nobody && !kept && !outbox.has_room(data.size() + gossip::kMostAroundData))
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
  Receipt receipt{.id = id_of(view(message)), .peers = {}};
  if (!seen.add(sip_hash(digest_key, receipt.id), turn.now.mono))
    return fail(Errc::invalid, "this message has been here already: others would drop it");
  const Bytes encoded = gossip::encode_message(message, sign ? &identity : nullptr);
  const auto frame = std::make_shared<const Bytes>(gossip::message_frame(encoded));
  cache.put(receipt.id, topic, frame);
  keep(topic, receipt.id, encoded);
  published(receipt.id, topic);
  const auto at = topics.find(topic);
  if (at == topics.end() || at->second.subscribers.empty())
    return wait_in_outbox(turn, receipt, topic, frame), receipt;
  GossipTopic& about = at->second;
  for (const PeerId& peer : recipients(turn, about)) {
    if (takes_parts(peers.at(peer), topic, about)) continue;
    receipt.peers.push_back({peer, send(peer, frame, Priority::own), about.mesh.contains(peer)});
  }
  return receipt;
}

MessageId Gossip::State::id_of(const MessageView& message) const {
  if (config.message_ids.empty()) return config.message_id(message);
  const auto own = config.message_ids.find(Topic(message.topic));
  return own == config.message_ids.end() ? config.message_id(message) : own->second(message);
}

void Gossip::State::wait_in_outbox(Turn turn, Receipt& receipt, const Topic& topic,
                                   std::shared_ptr<const Bytes> frame) {
  if (!outbox.has_room(frame->size())) return;  // it is kept for those who ask
  outbox.keep(topic, receipt.id, std::move(frame), turn.now.mono);
  receipt.waiting = true;
}

// To the first who subscribes and has room; from there on they are messages like others.
void Gossip::State::empty_outbox(const PeerId& peer, const Topic& topic) {
  if (outbox.size() == 0 || !worth_feeding(peer)) return;
  outbox.offer(topic, [&](const gossip::Outbox::Kept& kept) {
    if (send(peer, kept.frame, Priority::own) != Sent::queued) return false;
    cache.put(kept.id, topic, kept.frame);
    return true;
  });
}

// Everybody who subscribes, or the mesh filled up to D, or D others that are kept for a minute; and
// always those who get everything.
std::vector<PeerId> Gossip::State::recipients(Turn turn, GossipTopic& about) {
  if (config.flood_publish) return flooded(about);
  std::set<PeerId> to = about.subscribed ? about.mesh : about.fanout;
  std::vector<PeerId> others = fanout_candidates(about, to);
  choose(turn, others, config.d - std::min(config.d, to.size()));
  to.insert(others.begin(), others.end());
  if (!about.subscribed) {
    about.fanout = to;
    about.fanout_until = after(turn.now.mono, config.fanout_ttl);
  }
  for (const PeerId& peer : about.besides)
    if (worth_feeding(peer)) to.insert(peer);
  return {to.begin(), to.end()};
}

std::vector<PeerId> Gossip::State::flooded(const GossipTopic& about) const {
  std::vector<PeerId> all;
  all.reserve(about.subscribers.size());
  for (const PeerId& peer : about.subscribers)
    if (worth_feeding(peer)) all.push_back(peer);
  return all;
}

// Who could carry our messages besides those who do.
std::vector<PeerId> Gossip::State::fanout_candidates(const GossipTopic& about,
                                                     const std::set<PeerId>& carry) const {
  std::vector<PeerId> others;
  for (const PeerId& peer : about.subscribers) {
    const bool takes = peers.at(peer).stream != GossipPeer::Stream::closed;
    if (takes && !carry.contains(peer) && !about.besides.contains(peer) && worth_feeding(peer))
      others.push_back(peer);
  }
  return others;
}

// --- peers'
// Cheapest test first: joined, seen, from somebody who is there, then the signature. Only what
// verifies is remembered, or a forger could make us deaf to a message that is yet to come; and only
// what can be judged, so that a later copy has its chance.
void Gossip::State::receive(Turn turn, const PeerId& from, ByteView encoded) {
  const auto received = gossip::decode_message(encoded);
  if (!received) return void(++counts.rejected);  // 2 bytes are enough: they are worth no event
  const auto topic = topics.find(received->topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  const MessageId id = id_of(*received);
  const SipHash digest = sip_hash(digest_key, id);
  if (seen.contains(digest)) {
    duplicate(turn, *received, id, from);
    return forward_backfilled(from, *received, id);
  }
  arrived(id, digest);
  if (received->from == identity.peer_id()) return void(++counts.duplicates);
  if (!room_to_validate(received->data.size()))
    return refuse(Refusal::no_room, id, topic->first, from);
  if (received->data.size() > config.most_message)
    return refuse(Refusal::too_large, id, topic->first, from);
  const auto sound = gossip::check_signature(*received, config.policy, config.signatures.get());
  if (!sound) return unsound(sound.error(), id, topic->first, from);
  seen.add(digest, turn.now.mono);
  if (!rises(*received)) return refuse(Refusal::old_number, id, topic->first, from);
  GossipFresh fresh{digest,
                    content_of(*received),
                    from,
                    id,
                    gossip::owned(*received),
                    std::make_shared<const Bytes>(gossip::message_frame(encoded)),
                    turn.now.mono};
  refuse_copies(fresh);
  judge(turn, std::move(fresh));
}

// Whoever promised it has kept that, whatever we then make of it; a forgery may settle a promise
// that way, but nobody is ever blamed for what we drop ourselves.
void Gossip::State::arrived(const MessageId& id, const SipHash& digest) {
  promises.kept(digest);
  if (const auto asked = asking.extract(id)) not_awaited(asked.mapped());
}

void Gossip::State::duplicate(Turn turn, const gossip::SignedMessage& message, const MessageId& id,
                              const PeerId& from) {
  const auto at = topics.find(message.topic);
  ++counts.duplicates;
  ++at->second.stats.duplicates;
  trace<traced::Duplicate>(id, from, at->first);
  if (tracks_copies(at->first))
    scores->duplicate(content_of(message), at->first, from, turn.now.mono);
}

// Blamed is a signature that does not verify, which nobody forwards by mistake. Other stacks take
// forms that we do not, and forward them in good faith.
void Gossip::State::unsound(const Error& why, const MessageId& id, const Topic& topic,
                            const PeerId& from) {
  refuse(Refusal::signature, id, topic, from);
  if (!scores || why.code != Errc::auth) return;
  scores->invalid(from, topic);
  count_penalty(Penalty::invalid_message);
}

// With rising_seqnos: whether the author has not said as much, or more, before.
bool Gossip::State::rises(const gossip::SignedMessage& message) {
  if (!config.rising_seqnos || !message.from) return true;
  const std::uint64_t number = gossip::seqno_value(message.seqno);
  std::uint64_t& latest = latest_seqno.touch(*message.from).value;
  const bool rose = number > latest;
  latest = std::max(latest, number);
  return rose;
}

void Gossip::State::judge(Turn turn, GossipFresh message) {
  if (judges_messages() && scores && !message.backfilled)
    scores->validating(message.content, turn.now.mono);
  const Verdict verdict =
      config.validator ? config.validator(message.received_from, message.message) : Verdict::accept;
  if (verdict == Verdict::reject) return rejected(message);
  if (verdict == Verdict::ignore) return ignored(message);
  config.manual_validation ? ask_application(std::move(message)) : accept(turn, std::move(message));
}

// v1.2: before anybody has judged it. Not before its signature is checked, though: whoever forges a
// message chooses its id, and would so keep the true one from us.
void Gossip::State::refuse_copies(const GossipFresh& message) {
  if (message.message.data.size() < config.idontwant_size) return;
  const Topic& topic = message.message.topic;
  GossipTopic& about = topics.find(topic)->second;
  std::shared_ptr<const Bytes> frame;
  for (const PeerId& peer : about.mesh) {
    const GossipPeer& to = peers.at(peer);
    if (peer == message.received_from || to.version < gossip::Version::v12) continue;
    if (sends_parts(to, topic, about)) continue;
    if (!frame) frame = std::make_shared<const Bytes>(gossip::idontwant_frame(message.id));
    if (send(peer, frame, Priority::control) != Sent::queued) continue;
    ++counts.idontwant_sent;
    ++about.stats.idontwant;
    ++counts.parts_out[static_cast<std::size_t>(RpcPart::idontwant)];
  }
}

bool Gossip::State::wants(const GossipPeer& peer, const SipHash& id) {
  if (!peer.dont_wants || !peer.dont_wants->contains(id)) return true;
  ++counts.not_wanted;
  return false;
}

void Gossip::State::forward(const PeerId& peer, const GossipTopic& about,
                            const GossipFresh& message) {
  if (peer == message.received_from || message.message.from == peer) return;
  GossipPeer& to = peers.at(peer);
  if (takes_parts(to, message.message.topic, about) || !wants(to, message.digest)) return;
  if (send(peer, message.frame, Priority::forward) == Sent::queued) ++counts.forwarded;
}

bool Gossip::State::room_to_validate(std::size_t size) const {
  if (validating.size() >= gossip::kMostValidating) return false;
  for (const auto& [id, message] : validating) size += message.message.data.size();
  return size <= gossip::kMostValidatingBytes;
}

void Gossip::State::ask_application(GossipFresh message) {
  const ValidationId id{next_validation++};
  actions.emplace_back(GossipValidate{id, message.received_from, message.message,
                                      after(message.arrived, gossip::kValidationTimeout)});
  validating.emplace(id, std::move(message));
}

void Gossip::State::accept(Turn turn, GossipFresh accepted) {
  if (!accepted.backfilled) delivered(accepted, turn.now.mono);
  const Topic& topic = accepted.message.topic;
  const auto at = topics.find(topic);
  if (at == topics.end() || !at->second.subscribed) return;
  if (accepted.backfilled)
    backfilled.touch(accepted.id).value = true;
  else
    spread(at->second, accepted);
  if (config.keeps) keep(topic, accepted.id, gossip::message_in(*accepted.frame));
  ++counts.delivered;
  ++at->second.stats.delivered;
  counts.delay_ms.add(static_cast<std::uint64_t>((turn.now.mono - accepted.arrived) / 1ms));
  trace<traced::Delivered>(accepted.id, topic, accepted.received_from);
  actions.emplace_back(GossipDeliver{accepted.received_from, std::move(accepted.message),
                                     std::move(accepted.id), accepted.backfilled});
}

// To the mesh, and to those who get everything.
void Gossip::State::spread(const GossipTopic& about, const GossipFresh& message) {
  cache.put(message.id, message.message.topic, message.frame);
  for (const PeerId& peer : about.mesh) forward(peer, about, message);
  for (const PeerId& peer : about.besides)
    if (worth_feeding(peer)) forward(peer, about, message);
}

void Gossip::State::verdict(Turn turn, ValidationId id, Verdict verdict) {
  auto judged = validating.extract(id);
  if (judged.empty()) return;
  if (verdict == Verdict::accept) accept(turn, std::move(judged.mapped()));
  if (verdict == Verdict::reject) rejected(judged.mapped());
  if (verdict == Verdict::ignore) ignored(judged.mapped());
}

// --- gossip: what the peer has, and what it wants
void Gossip::State::take_ihave(Turn turn, const PeerId& peer, const gossip::IHave& have) {
  const auto topic = topics.find(have.topic);
  if (topic == topics.end() || !topic->second.subscribed) return;
  GossipPeer& from = peers.at(peer);
  if (from.stream == GossipPeer::Stream::closed) return;
  if (below(&ScoreThresholds::gossip, peer)) return;
  GossipPeer::Lazy& lazy = lazy_of(from);
  std::vector<MessageId>& wanted = tell(peer).iwant;
  const std::size_t before = wanted.size();
  for (const MessageId& id : have.ids) {
    if (lazy.asked >= gossip::kMostAsked) break;
    if (seen.contains(sip_hash(digest_key, id)) || !may_ask(turn, peer, id)) continue;
    wanted.push_back(id);
    ++lazy.asked;
    ++counts.iwant_sent;
  }
  topic->second.stats.iwant += wanted.size() > before;
}

// One of those that an RPC makes us ask for, so that nobody who brings most of them is blamed (v1.1
// "Behavioural Penalty"; go).
void Gossip::State::promise(Turn turn, const PeerId& peer, std::span<const MessageId> asked) {
  if (asked.empty()) return;
  const MessageId& one = asked[turn.rng.below(asked.size())];
  promises.made(sip_hash(digest_key, one), peer, after(turn.now.mono, gossip::kAskAgain));
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
  if (wanted.empty() || below(&ScoreThresholds::gossip, peer)) return;
  for (const MessageId& id : wanted) {
    if (!wants(peers.at(peer), sip_hash(digest_key, id))) continue;
    auto frame = cache.serve(id, peer);
    if (!frame) continue;
    if (send(peer, std::move(frame), Priority::forward) == Sent::queued) ++counts.iwant_served;
  }
}

void Gossip::State::take_idontwant(GossipPeer& from, const std::vector<MessageId>& ids) {
  if (ids.empty()) return;
  if (!from.dont_wants) from.dont_wants = std::make_unique<gossip::DontWants>();
  from.dont_wants->add(ids, digest_key);
  counts.idontwant_got += ids.size();
}

}  // namespace kadmesh
