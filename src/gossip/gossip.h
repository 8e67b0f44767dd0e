// GossipSub v1.1 and v1.0 without scoring (libp2p specs, pubsub/gossipsub/gossipsub-v1.1.md):
// meshes, fanout, gossip, receipts. A state machine of values: inputs in, actions polled out.
//
// Ready at once. A peer is in the peer set from on_connected; our subscriptions go out with the
// first bytes of its stream. GRAFT answers a SUBSCRIBE at once while the mesh is below Dlo (the
// specification waits for the heartbeat, and messages published meanwhile are lost to that peer).
//
// Ownership. All state of a peer dies with its last connection; backoffs outlive it, bounded in
// number and in time. A GRAFT or an IHAVE for a topic that we have not joined creates nothing.
//
// Each message is delivered once within seen_ttl. Flood publishing and the mesh are independent:
// D = Dlo = Dhi = 0 refuses every GRAFT, so that we forward nothing; with flood_publish our own
// messages still go straight to every subscriber, without it only IHAVE and IWANT carry them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/keys.h"
#include "base/turn.h"

namespace kadmesh {

class SignatureMemo;

// A topic's name, as bytes: peers may send what is no UTF-8.
using Topic = std::string;
using MessageId = Bytes;

struct GossipMessage {
  std::optional<PeerId> from;  // none under StrictNoSign
  Bytes data;
  Bytes seqno;  // 8 bytes, opaque; empty under StrictNoSign
  Topic topic;
};

enum class SignaturePolicy { strict_sign, strict_no_sign };

// What a message id is made of: views into the message as it came, valid for the call.
struct MessageView {
  std::optional<PeerId> from;
  ByteView data, seqno, key;  // key: the author's PublicKey protobuf, where it was sent along
  std::string_view topic;
};
using MessageIdFunction = std::function<MessageId(const MessageView&)>;
// The defaults of the stacks; under StrictNoSign only sha256 tells messages apart.
MessageId go_message_id(const MessageView& message);      // from ‖ seqno
MessageId rust_message_id(const MessageView& message);    // base58(from) ‖ decimal seqno
MessageId js_message_id(const MessageView& message);      // public key protobuf ‖ seqno
MessageId sha256_message_id(const MessageView& message);  // SHA-256(data)

struct GossipConfig {
  // What is offered, best first. None: a node without GossipSub, which tells peers so and whose
  // publications find no peers.
  std::vector<std::string> protocols{"/meshsub/1.1.0", "/meshsub/1.0.0"};
  // Mesh (gossipsub-v1.0.md "Parameters", values as go-libp2p-pubsub).
  std::size_t d = 6, d_lo = 5, d_hi = 12, d_lazy = 6, d_out = 2;
  std::size_t gossip_factor_percent = 25;
  std::size_t history_windows = 5, gossip_windows = 3;
  Duration heartbeat = 1s, heartbeat_initial_delay = 100ms;
  Duration fanout_ttl = 60s, seen_ttl = 120s, prune_backoff = 60s, unsubscribe_backoff = 10s;
  bool flood_publish = true;
  SignaturePolicy policy = SignaturePolicy::strict_sign;
  MessageIdFunction message_id = go_message_id;
  // Bytes of data; publishing more is Errc::limit. go takes RPCs of 1 MiB, js of 4 MiB, rust of
  // 64 KiB unless its application raises that.
  std::size_t most_message = 1024 * 1024 - 2048;
  std::shared_ptr<SignatureMemo> signatures;  // of a simulation; null otherwise
  // Without it every message that passes the signature check is delivered and forwarded at once.
  bool manual_validation = false;
};

// Errc::invalid names the first constraint that a configuration breaks. Gossip itself holds only
// with a good one.
Result<void> check(const GossipConfig& config);

enum class Verdict { accept, reject, ignore };
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
};
// The peer shares a topic with us, or no longer does: the node keeps its connection meanwhile.
struct GossipHold {
  PeerId peer;
  bool hold;
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
using GossipAction =
    std::variant<GossipSend, GossipValidate, GossipDeliver, GossipHold, GossipFault, GossipSlow>;

// --- receipts and questions
enum class Sent { queued, dropped_full, no_stream };
struct Receipt {
  MessageId id;
  struct Peer {
    PeerId peer;
    Sent sent;
    bool mesh;  // by mesh; otherwise by fanout or flood
  };
  std::vector<Peer> peers;
};

struct TopicView {
  Topic topic;
  bool subscribed = false;
  std::vector<PeerId> mesh, fanout, subscribers;  // ordered
};
struct GossipStats {
  std::size_t peers = 0, topics = 0, seen = 0, cached = 0, validating = 0, backoffs = 0,
              asking = 0;  // ids asked for by IWANT and not yet come
  std::uint64_t delivered = 0, duplicates = 0, published = 0, forwarded = 0, rejected = 0,
                dropped = 0, ihave_sent = 0, iwant_sent = 0, iwant_served = 0, grafts = 0,
                prunes = 0, rpcs_in = 0, rpcs_out = 0;
};

class Gossip {
 public:
  // A configuration that check() refuses is our own mistake.
  Gossip(const KeyPair& identity, GossipConfig config, Turn start);
  ~Gossip();

  // --- inputs. Exactly on 0 -> 1 and 1 -> 0 connections.
  void on_connected(Turn turn, const PeerId& peer, bool outbound);
  void on_disconnected(Turn turn, const PeerId& peer);
  // Our stream to the peer agreed on `protocol`: the hello (all subscriptions) goes out.
  void on_stream_open(Turn turn, const PeerId& peer, std::string_view protocol);
  // Our stream to the peer is gone, or never came to be (`why`); it may open again later.
  void on_stream_closed(Turn turn, const PeerId& peer, const Error& why);
  // So many bytes of earlier GossipSend frames have left: returns their budget.
  void on_sent(Turn turn, const PeerId& peer, std::size_t bytes);
  // One RPC from the peer's stream, unframed.
  void on_rpc(Turn turn, const PeerId& peer, ByteView rpc);
  void on_verdict(Turn turn, ValidationId id, Verdict verdict);
  void on_timer(Turn turn);
  Time next_timer() const;
  std::optional<GossipAction> poll();

  // --- commands
  // Errc::invalid for a name that is empty, or longer than peers take.
  Result<void> subscribe(Turn turn, const Topic& topic);
  void unsubscribe(Turn turn, const Topic& topic);
  // Errc::no_peers when nobody who is connected subscribes: the detail says how many are connected
  // and how many of them subscribe. The message is then not kept.
  // Errc::invalid when the message's id has been here within seen_ttl, which happens only to ids
  // that are made of the data: everybody else would drop it as a duplicate.
  Result<Receipt> publish(Turn turn, const Topic& topic, Bytes data);

  // --- questions
  const GossipConfig& config() const;
  std::vector<TopicView> topics() const;
  bool has_peer(const PeerId& peer) const;
  std::vector<PeerId> peers() const;  // ordered
  // Of each topic that we have joined: why the peer is or is not in its mesh.
  std::string why(const PeerId& peer, Time now) const;
  GossipStats stats() const;
  // The largest RPC a peer may send, before framing.
  static std::size_t most_rpc();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh
