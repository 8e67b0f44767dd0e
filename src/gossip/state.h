// All that a router holds, and its parts by source file: peers.cc (who is there, what is sent),
// topics.cc (subscriptions and meshes), messages.cc (publish, receive, forward), heartbeat.cc.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gossip/backoff.h"
#include "gossip/gossip.h"
#include "gossip/message_cache.h"
#include "gossip/params.h"
#include "gossip/seen_cache.h"
#include "gossip/wire.h"

namespace kadmesh {

// What a frame is worth when a peer's budget runs out: the last to be dropped first.
enum class Priority { control, own, forward };

struct GossipPeer {
  // Our stream to the peer: not yet there, usable, or known to be of no use.
  enum class Stream { opening, open, closed };

  bool outbound = false;  // its connection was our dial
  Stream stream = Stream::opening;
  bool v11 = false;                                // PRUNE carries a backoff
  std::set<Topic> topics;                          // it subscribes to
  std::size_t unsent = 0;                          // bytes emitted and not reported by on_sent
  std::deque<std::shared_ptr<const Bytes>> early;  // wait for the stream to open for the first time
  std::size_t early_bytes = 0;
  std::size_t ihaves = 0, asked = 0;  // in this heartbeat
  std::size_t shared_topics = 0;      // both subscribe: it is held while there are any
};

struct GossipTopic {
  bool subscribed = false;
  std::set<PeerId> subscribers;  // connected peers
  std::set<PeerId> mesh;         // only while subscribed
  std::set<PeerId> fanout;       // only while not
  Time fanout_until;

  bool forgettable() const { return !subscribed && subscribers.empty() && fanout.empty(); }
};

struct GossipValidating {
  PeerId received_from;
  MessageId id;
  GossipMessage message;
  std::shared_ptr<const Bytes> frame;
  Time deadline;
};

struct Gossip::State {
  State(const KeyPair& who, GossipConfig settings, Turn start);

  const KeyPair identity;
  const GossipConfig config;
  std::map<PeerId, GossipPeer> peers;
  std::map<Topic, GossipTopic> topics;
  gossip::SeenCache seen;
  gossip::MessageCache cache;
  gossip::Backoff backoff;
  std::map<ValidationId, GossipValidating> validating;
  std::map<MessageId, Time, gossip::ByText> asking;  // by IWANT, and when
  std::uint64_t seqno;
  std::uint64_t next_validation = 1;
  Time next_heartbeat;
  std::deque<GossipAction> actions;
  GossipStats counts;

  // --- peers.cc
  void connected(const PeerId& peer, bool outbound);
  void disconnected(const PeerId& peer);
  void stream_open(const PeerId& peer, std::string_view protocol);
  void stream_closed(const PeerId& peer);
  void send(const PeerId& peer, const gossip::Rpc& rpc);
  Sent send(const PeerId& peer, std::shared_ptr<const Bytes> frame, Priority priority);
  void share(const PeerId& peer, bool more);

  // --- topics.cc
  void subscribe(Turn turn, const Topic& topic);
  void unsubscribe(Turn turn, const Topic& topic);
  void peer_subscribes(Turn turn, const PeerId& peer, const Topic& topic);
  void peer_leaves(const PeerId& peer, const Topic& topic);
  void take_graft(Turn turn, const PeerId& peer, const Topic& topic,
                  std::vector<gossip::Prune>& no);
  void take_prune(Turn turn, const PeerId& peer, const gossip::Prune& prune);
  std::vector<PeerId> graftable(Turn turn, const Topic& topic, const GossipTopic& about,
                                std::size_t most) const;
  void graft(Turn turn, const Topic& topic, std::size_t up_to);
  void prune(Turn turn, const Topic& topic, const PeerId& peer, Duration wait);
  gossip::Prune refusal(const PeerId& peer, const Topic& topic, Duration wait) const;
  void forget_if_empty(const Topic& topic);

  // --- messages.cc
  Result<Receipt> publish(Turn turn, const Topic& topic, Bytes data);
  std::vector<PeerId> recipients(Turn turn, GossipTopic& about);
  void receive(Turn turn, const PeerId& from, ByteView encoded);
  void judge(Turn turn, GossipValidating message);
  void accept(const GossipValidating& message);
  void verdict(ValidationId id, Verdict verdict);
  void take_ihave(Turn turn, const PeerId& peer, const gossip::IHave& have, gossip::Rpc& answer);
  void take_iwant(const PeerId& peer, const std::vector<MessageId>& wanted);

  // --- heartbeat.cc
  void heartbeat(Turn turn);
  void tend_mesh(Turn turn, const Topic& topic, GossipTopic& about);
  void shrink(Turn turn, const Topic& topic, GossipTopic& about);
  void ensure_outbound(Turn turn, const Topic& topic, GossipTopic& about);
  void tend_fanout(Turn turn, GossipTopic& about);
  void emit_gossip(Turn turn, const Topic& topic, const GossipTopic& about);
  void expire_validations(Time now);
};

}  // namespace kadmesh
