// Partial messages: who takes part, what is said to them, what they say.
#include <algorithm>

#include "gossip/state.h"

namespace kadmesh {

// Both sides have said that they know of parts, and the peer subscribes.
const PartialUse* Gossip::State::parts_of(const GossipPeer& who, const Topic& topic) const {
  if (!config.partial_messages || !who.extensions || !who.extensions->partial_messages)
    return nullptr;
  const auto at = who.topics.find(topic);
  return at == who.topics.end() ? nullptr : &at->second;
}

// It asked for parts, and we have them to give.
bool Gossip::State::takes_parts(const GossipPeer& who, const Topic& topic,
                                const GossipTopic& about) const {
  if (!about.partial.supports) return false;
  const PartialUse* use = parts_of(who, topic);
  return use && use->requests;
}

// It sends us parts of what we would otherwise tell it not to send whole.
bool Gossip::State::sends_parts(const GossipPeer& who, const Topic& topic,
                                const GossipTopic& about) const {
  if (!about.partial.requests) return false;
  const PartialUse* use = parts_of(who, topic);
  return use && use->supports;
}

std::vector<PartialPeer> Gossip::State::partial_peers(const Topic& topic) const {
  std::vector<PartialPeer> out;
  const auto at = topics.find(topic);
  if (at == topics.end()) return out;
  const GossipTopic& about = at->second;
  for (const PeerId& peer : about.subscribed ? about.mesh : about.fanout) {
    const GossipPeer& who = peers.at(peer);
    if (takes_parts(who, topic, about) || sends_parts(who, topic, about))
      out.push_back({peer, parts_of(who, topic)->requests});
  }
  return out;
}

Result<Sent> Gossip::State::send_partial(const PeerId& peer, PartialMessage parts) {
  RETURN_IF_ERROR(check_topic(parts.topic));
  if (parts.group.empty() || parts.group.size() > gossip::kMostGroupName)
    return fail(Errc::invalid, "a group of parts has a name of 1 to 256 bytes");
  if (parts.message.size() + parts.metadata.size() > config.most_message)
    return fail(Errc::limit, "parts and metadata are more than a message may have");
  const auto at = peers.find(peer);
  const PartialUse* use = at == peers.end() ? nullptr : parts_of(at->second, parts.topic);
  if (!use) return fail(Errc::no_peers, "this peer takes no parts of this topic");
  groups.ours(parts.topic, parts.group);
  groups.told(parts.topic, parts.group, peer);
  if (!use->requests) parts.message.clear();
  if (parts.message.empty() && parts.metadata.empty()) return Sent::queued;
  gossip::Rpc rpc;
  rpc.partial = std::move(parts);
  return send(peer, std::make_shared<const Bytes>(std::move(gossip::encode_rpc(rpc).front())),
              Priority::own);
}

// To the application, if we have joined the topic and said that we know of parts.
void Gossip::State::take_partial(const PeerId& peer, const gossip::Rpc& rpc) {
  if (!rpc.partial) return;
  const auto at = topics.find(rpc.partial->topic);
  const bool ours = at != topics.end() && at->second.subscribed &&
                    (at->second.partial.requests || at->second.partial.supports);
  if (!ours || !parts_of(peers.at(peer), rpc.partial->topic)) return;
  if (!groups.theirs(rpc.partial->topic, rpc.partial->group, peer)) return void(++counts.dropped);
  actions.emplace_back(GossipPart{peer, *rpc.partial});
}

// In the place of IHAVE: who takes parts is told of our groups by the application, once of each.
void Gossip::State::offer_groups(const Topic& topic, const std::vector<PeerId>& to) {
  for (gossip::PartialGroups::Offer& offer : groups.offers(topic, to))
    actions.emplace_back(GossipOffer{topic, std::move(offer.group), std::move(offer.peers)});
}

}  // namespace kadmesh
