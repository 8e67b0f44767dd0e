// What a GossipSub router can be told, with go-libp2p-pubsub's defaults for the mesh. Unlike there,
// scoring and flood publishing are on.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/multiaddr.h"
#include "base/result.h"
#include "base/time.h"
#include "gossip/message.h"
#include "gossip/score_presets.h"

namespace kadmesh {

class SignatureMemo;

enum class SignaturePolicy { strict_sign, strict_no_sign };
using TopicFilter = std::function<bool(const Topic&)>;
using MessageValidator = std::function<Verdict(const PeerId& received_from, const GossipMessage&)>;

struct GossipConfig {
  // What is offered, best first. None: a node without GossipSub, which tells peers so and whose
  // publications find no peers.
  std::vector<std::string> protocols{"/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0",
                                     "/meshsub/1.0.0", "/floodsub/1.0.0"};
  // Mesh (gossipsub-v1.0.md "Parameters", values as go-libp2p-pubsub).
  std::size_t d = 6, d_lo = 5, d_hi = 12, d_lazy = 6, d_out = 2, d_score = 4;
  std::size_t gossip_factor_percent = 25;
  std::size_t history_windows = 5, gossip_windows = 3;
  Duration heartbeat = 1s, heartbeat_initial_delay = 100ms;
  Duration fanout_ttl = 60s, seen_ttl = 120s, prune_backoff = 60s, unsubscribe_backoff = 10s;
  bool flood_publish = true;
  // Bytes of data from which on peers are told that they need not send us the same (v1.2).
  std::size_t idontwant_size = 1024;
  // Every so many heartbeats a mesh whose median score is below the threshold grafts so many better
  // ones (v1.1 "Opportunistic Grafting").
  std::size_t opportunistic_beats = 60, opportunistic_peers = 2;
  // Explicit peers, each with its /p2p: they get everything, are in no mesh, are not scored and are
  // dialed again for ever. To be agreed on by both sides (v1.1 "Explicit Peering Agreements").
  std::vector<Multiaddr> direct;
  Duration direct_recheck = 5min;
  // Whom we prune is told of so many others in the mesh; 0: of none (v1.1 "Peer Exchange").
  std::size_t exchange_peers = 0;
  // Whether peers are told that we know of partial messages (v1.3).
  bool partial_messages = false;
  // What peers are judged by; none: nobody is. Explicit peers never are.
  std::optional<Scoring> scoring = plain_scores();
  // Which topics of peers are noted at all; null: every one.
  TopicFilter topic_filter;
  SignaturePolicy policy = SignaturePolicy::strict_sign;
  MessageIdFunction message_id = go_message_id;
  std::map<Topic, MessageIdFunction> message_ids;  // of topics that have one of their own
  // An author's messages whose numbers do not rise are ignored (go's basic seqno validator): a
  // replay of what has left the seen cache is. Only where all authors count upwards, as go and we
  // do.
  bool rising_seqnos = false;
  // Bytes of data; publishing more is Errc::limit. go takes RPCs of 1 MiB, js of 4 MiB, rust of
  // 64 KiB unless its application raises that.
  std::size_t most_message = 1024 * 1024 - 2048;
  std::shared_ptr<SignatureMemo> signatures;  // of a simulation; null otherwise
  // Asked at once of every message whose signature holds; null: accept.
  MessageValidator validator;
  // Messages that the validator accepts are delivered and forwarded at once; with it they wait for
  // on_verdict.
  bool manual_validation = false;
  // Messages of ours for which there is nobody yet wait for the first subscriber, so many and so
  // long. 0: publishing them is Errc::no_peers.
  std::size_t outbox = 0;
  Duration outbox_ttl = 1min;
  // Accepted messages of topics that we subscribe to, our own among them, are told of as
  // GossipKeep, and publishing where nobody subscribes succeeds: those who come later can ask.
  bool keeps = false;
  // Whether all that happens is told as GossipTrace. It costs a look at every RPC.
  bool trace = false;
};

// Errc::invalid names the first constraint that a configuration breaks. Gossip itself holds only
// with a good one.
Result<void> check(const GossipConfig& config);

}  // namespace kadmesh
