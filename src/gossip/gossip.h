// GossipSub v1.0 to v1.3 and floodsub (libp2p specs, pubsub/): meshes, fanout, gossip, IDONTWANT,
// explicit peers, peer exchange, receipts. A state machine of values: inputs in, actions polled
// out. What is said to a peer is what its version knows, as agreed on our stream to it.
//
// Ready at once. A peer is in the peer set from on_connected; our subscriptions go out with the
// first bytes of its stream. GRAFT answers a SUBSCRIBE at once while the mesh is below Dlo (the
// specification waits for the heartbeat, and messages published meanwhile are lost to that peer).
//
// Ownership. All state of a peer dies with its last connection, but for backoffs, bad scores, the
// journal of prunes and authors' latest numbers: these outlive it, bounded in number and in time. A
// GRAFT or an IHAVE for a topic that we have not joined creates nothing.
//
// Each message is delivered once within seen_ttl. Flood publishing and the mesh are independent:
// D = Dlo = Dhi = 0 refuses every GRAFT, so that we forward nothing; with flood_publish our own
// messages still go straight to every subscriber, without it only IHAVE and IWANT carry them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/keys.h"
#include "base/turn.h"
#include "gossip/config.h"
#include "gossip/message.h"
#include "gossip/score_view.h"
#include "gossip/stats.h"
#include "gossip/trace_event.h"

namespace kadmesh {

enum class ValidationId : std::uint64_t {};

// --- actions
// One RPC, framed, for the peer's outbound stream. Forwarded messages share their encoding.
struct GossipSend {
  PeerId peer;
  std::shared_ptr<const Bytes> frame;
};
// Manual validation: answer with on_verdict before `deadline`, or the message is ignored.
struct GossipValidate {
  ValidationId id;
  PeerId received_from;
  GossipMessage message;
  Time deadline;
};
struct GossipDeliver {  // to the application; each message once
  PeerId received_from;
  GossipMessage message;
  MessageId id;
  bool backfilled = false;  // asked for afterwards, of received_from
};
// For those who ask for it afterwards, with GossipConfig::keeps: as its author signed it.
struct GossipKeep {
  Topic topic;
  MessageId id;
  Bytes message;
};
// The peer shares a topic with us, or no longer does: the node keeps its connection meanwhile.
struct GossipHold {
  PeerId peer;
  bool hold;
};
// An explicit peer is not connected: dial it.
struct GossipDial {
  PeerId peer;
};
// A peer that pruned us names another that we might connect to, with its signed record (unverified)
// or without one.
struct GossipMeet {
  PeerId peer, named_by;
  Bytes record;
};
// A message left the outbox unsent: nobody subscribed in time.
struct GossipUnsent {
  Topic topic;
  MessageId id;
};
// Parts of a message, from a peer of a topic whose parts we take or give.
struct GossipPart {
  PeerId from;
  PartialMessage parts;
};
// These have heard nothing of a group of ours: send_partial() to them what they should know of it.
struct GossipOffer {
  Topic topic;
  Bytes group;
  std::vector<PeerId> peers;
};
// The peer broke the protocol on its stream: reset that stream.
struct GossipFault {
  PeerId peer;
  Error why;
};
// The peer does not take what we send, and frames to it are dropped. Said once, until all that
// waits for it has left.
struct GossipSlow {
  PeerId peer;
};
// With GossipConfig::trace.
struct GossipTrace {
  TraceEvent event;
};
using GossipAction = std::variant<GossipSend, GossipValidate, GossipDeliver, GossipHold, GossipDial,
                                  GossipMeet, GossipUnsent, GossipPart, GossipOffer, GossipFault,
                                  GossipSlow, GossipKeep, GossipTrace>;

// What became of a message that was asked for afterwards.
enum class Backfilled { taken, duplicate, no_room };

// --- receipts and questions
enum class Sent { queued, dropped_full, no_stream };
struct Receipt {
  MessageId id;
  bool waiting = false;  // in the outbox, for nobody subscribes yet
  struct Peer {
    PeerId peer;
    Sent sent;
    bool mesh;  // by mesh; otherwise by fanout or flood
  };
  std::vector<Peer> peers;
};

// A peer to send parts to.
struct PartialPeer {
  PeerId peer;
  bool requests;  // parts; otherwise metadata alone goes to it
  friend bool operator==(const PartialPeer&, const PartialPeer&) = default;
};

struct TopicView {
  Topic topic;
  bool subscribed = false;
  std::vector<PeerId> mesh, fanout, subscribers;  // ordered
  TopicStats stats;
};

class Gossip {
 public:
  // A configuration that check() refuses is our own mistake.
  Gossip(const KeyPair& identity, GossipConfig config, Turn start);
  ~Gossip();

  // --- inputs. Exactly on 0 -> 1 and 1 -> 0 connections.
  // `remotes`: the other ends of its connections, for scores.
  void on_connected(Turn turn, const PeerId& peer, std::span<const Multiaddr> remotes,
                    bool outbound);
  // Its connections are others now.
  void on_moved(Turn turn, const PeerId& peer, std::span<const Multiaddr> remotes);
  void on_disconnected(Turn turn, const PeerId& peer);
  // Our stream to the peer agreed on `protocol`: the hello (all subscriptions) goes out.
  void on_stream_open(Turn turn, const PeerId& peer, std::string_view protocol);
  // Our stream to the peer is gone, or never came to be (`why`); it may open again later.
  void on_stream_closed(Turn turn, const PeerId& peer, const Error& why);
  // A new stream of the peer's: what it says first there is its hello.
  void on_stream_accepted(Turn turn, const PeerId& peer);
  // A signed record that the peer itself made and that has been verified: for peer exchange.
  void on_record(Turn turn, const PeerId& peer, Bytes envelope);
  // So many bytes of earlier GossipSend frames have left: returns their budget.
  void on_sent(Turn turn, const PeerId& peer, std::size_t bytes);
  // One RPC from the peer's stream, unframed.
  void on_rpc(Turn turn, const PeerId& peer, ByteView rpc);
  void on_verdict(Turn turn, ValidationId id, Verdict verdict);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<GossipAction> poll();

  // --- commands
  // Errc::invalid for a name that is empty, or longer than peers take; or for parts, where the
  // configuration knows nothing of them. Who requests parts must also support them.
  Result<void> subscribe(Turn turn, const Topic& topic, PartialUse parts = {});
  void unsubscribe(Turn turn, const Topic& topic);
  // Errc::no_peers when nobody who is connected subscribes: the detail says how many are connected
  // and how many of them subscribe. The message is then not kept, unless there is an outbox with
  // room. With `keeps`, on a topic that we subscribe to, it is: the receipt then names no peers.
  // Errc::invalid when the message's id has been here within seen_ttl, which happens only to ids
  // that are made of the data: everybody else would drop it as a duplicate.
  Result<Receipt> publish(Turn turn, const Topic& topic, Bytes data);
  // A message as its author signed it, which `peer` was asked for (gossip/backfill.h). It passes
  // every check that one of the mesh passes, and is delivered once whoever else brings it; but it
  // is old, so it is not forwarded and not told of, unless the mesh brings it too. The peer's
  // fault: Errc::protocol for one of another topic, and those of decode_message() and
  // check_signature(); ours: Errc::invalid where we do not subscribe. no_room: too many wait for
  // their verdict.
  Result<Backfilled> on_backfilled(Turn turn, const PeerId& peer, const Topic& topic,
                                   ByteView message);

  // P5, whether the peer is there or not; 0 takes it back. Errc::invalid, Errc::limit: score.h; and
  // where there is no scoring.
  Result<void> set_application_score(Turn turn, const PeerId& peer, double score);
  Result<void> set_topic_scores(Turn turn, const Topic& topic, const TopicScoreParams& params);
  // Parts and metadata for one peer. Errc::no_peers: it takes none of this topic. To a peer that
  // requests no parts only the metadata goes. Whole messages are published besides: who requests
  // parts is not sent them.
  Result<Sent> send_partial(Turn turn, const PeerId& peer, PartialMessage parts);
  // Of the mesh, or the fanout: whom to send parts and metadata to.
  std::vector<PartialPeer> partial_peers(const Topic& topic) const;

  // --- questions
  const GossipConfig& config() const;
  std::vector<TopicView> topics() const;
  bool subscribed(const Topic& topic) const;
  // As far as the peer, which is connected, has told us.
  bool subscribes(const PeerId& peer, const Topic& topic) const;
  bool has_peer(const PeerId& peer) const;
  std::vector<PeerId> peers() const;  // ordered
  // As the message's topic has it.
  MessageId id_of(const MessageView& message) const;
  // 0 for those who are not scored.
  double score(const PeerId& peer) const;
  ScoreView score_view(const PeerId& peer) const;
  // Of those who are connected and scored.
  std::vector<double> scores() const;
  // Of each topic that we have joined: why the peer is or is not in its mesh; its score by
  // component, and its last prunes.
  std::string why(const PeerId& peer, Time now) const;
  GossipStats stats() const;
  // The largest RPC a peer may send, before framing.
  static std::size_t most_rpc();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
