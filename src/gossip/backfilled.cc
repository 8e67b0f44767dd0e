// Messages that were asked for afterwards, and those kept for others to ask for.
#include "gossip/state.h"

namespace kadmesh {

void Gossip::State::keep(const Topic& topic, const MessageId& id, ByteView encoded) {
  const auto at = topics.find(topic);
  if (!config.keeps || at == topics.end() || !at->second.subscribed) return;
  actions.emplace_back(GossipKeep{topic, id, to_bytes(encoded)});
}

Result<Backfilled> Gossip::State::take_backfilled(Turn turn, const PeerId& from, const Topic& topic,
                                                  ByteView encoded) {
  const auto joined = topics.find(topic);
  if (joined == topics.end() || !joined->second.subscribed)
    return fail(Errc::invalid, "no subscription to this topic");
  if (encoded.size() > gossip::kMostEncoded)
    return fail(Errc::limit, "gossip: a message that no RPC holds");
  ASSIGN_OR_RETURN(const auto received, gossip::decode_message(encoded));
  if (received.topic != topic) return fail(Errc::protocol, "gossip: a message of another topic");
  const MessageId id = id_of(received);
  const SipHash digest = sip_hash(digest_key, id);
  if (seen.contains(digest) || of_this_life(received)) {
    ++counts.duplicates;
    ++joined->second.stats.duplicates;
    return Backfilled::duplicate;
  }
  if (received.data.size() > config.most_message)
    return fail(Errc::limit, "gossip: a message that is too large");
  if (!room_to_validate(received.data.size())) return Backfilled::no_room;
  RETURN_IF_ERROR(gossip::check_signature(received, config.policy, config.signatures.get()));
  seen.add(digest, turn.now.mono);
  arrived(id, digest);
  GossipFresh fresh{digest,
                    {},
                    from,
                    id,
                    gossip::owned(received),
                    std::make_shared<const Bytes>(gossip::message_frame(encoded)),
                    turn.now.mono,
                    true};
  judge(turn, std::move(fresh));
  return Backfilled::taken;
}

// Our own of an earlier life are as new to this one's application as anybody's.
bool Gossip::State::of_this_life(const gossip::SignedMessage& message) const {
  return message.from == identity.peer_id() && gossip::seqno_value(message.seqno) >= first_seqno;
}

// The mesh brings what we were told of a moment before: those behind us in the mesh have nobody
// else to bring it.
void Gossip::State::forward_backfilled(const PeerId& from, const gossip::SignedMessage& message,
                                       const MessageId& id) {
  if (backfilled.size() == 0) return;
  const bool* waits = backfilled.find(id);
  if (!waits || !*waits || message.data.size() > config.most_message ||
      !gossip::check_signature(message, config.policy, config.signatures.get()))
    return;
  backfilled.touch(id).value = false;
  spread(topics.find(message.topic)->second,
         {sip_hash(digest_key, id),
          {},
          from,
          id,
          gossip::owned(message),
          std::make_shared<const Bytes>(gossip::message_frame(message.encoded)),
          Time()});
}

}  // namespace kadmesh
