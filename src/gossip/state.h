// All that a router holds, and its parts by source file: peers.cc (who is there, what is sent),
// topics.cc (subscriptions and meshes), messages.cc (publish, receive, forward), heartbeat.cc,
// ledger.cc (what is counted and traced).
//
// What always holds: mesh and fanout are of subscribers, whose streams may yet be opening and are
// not closed; a peer's topics and the topics' subscribers mirror each other.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/flat_map.h"
#include "base/recent_map.h"
#include "gossip/backoff.h"
#include "gossip/dont_wants.h"
#include "gossip/gossip.h"
#include "gossip/message_cache.h"
#include "gossip/order.h"
#include "gossip/outbox.h"
#include "gossip/params.h"
#include "gossip/partial_groups.h"
#include "gossip/promises.h"
#include "gossip/prune_journal.h"
#include "gossip/score.h"
#include "gossip/seen_cache.h"
#include "gossip/signed_message.h"
#include "gossip/version.h"
#include "gossip/wire.h"

namespace kadmesh {

// What a frame is worth when a peer's budget runs out: the last to be dropped first.
enum class Priority { control, own, forward };

// Errc::invalid for a name that peers would leave out.
Result<void> check_topic(const Topic& topic);

struct GossipPeer {
  // Our stream to the peer: not yet there, usable, or known to be of no use.
  enum class Stream { opening, open, closed };

  bool outbound = false;  // its connection was our dial
  bool direct = false;    // an explicit peer
  Stream stream = Stream::opening;
  std::optional<gossip::Version> version;         // none: not agreed yet
  std::optional<gossip::Extensions> extensions;   // none: its stream has said nothing yet
  std::map<Topic, PartialUse> topics;             // it subscribes to
  std::unique_ptr<gossip::DontWants> dont_wants;  // null: it said none lately
  Bytes record;               // signed by it, for peer exchange; empty: none known
  gossip::Rpc control;        // leaves with this input, or with the hello
  std::size_t unsent = 0;     // bytes emitted and not reported by on_sent
  bool slow = false;          // frames were dropped since unsent was 0
  std::uint64_t dropped = 0;  // frames
  // Frames that wait for the stream to open for the first time.
  std::vector<std::shared_ptr<const Bytes>> early;
  std::size_t early_bytes = 0;
  struct Lazy {  // what its IHAVEs came to, in one heartbeat
    std::uint64_t beat = 0;
    std::size_t ihaves = 0, asked = 0;
  };
  Lazy lazy;                      // of an earlier heartbeat: State::lazy_of() begins anew
  std::uint64_t life = 0;         // which of the connections to anybody this is
  std::size_t promised = 0;       // entries of State::asking of this life
  std::size_t shared_topics = 0;  // both subscribe: it is held while there are any
};

struct GossipTopic {
  bool subscribed = false;
  PartialUse partial;            // ours, while we subscribe
  std::set<PeerId> subscribers;  // connected peers
  std::set<PeerId> besides;      // subscribers who are in no mesh and get everything
  std::set<PeerId> mesh;         // only while we subscribe
  std::set<PeerId> fanout;       // only while we do not
  Time fanout_until;
  TopicStats stats;

  bool forgettable() const { return !subscribed && subscribers.empty() && fanout.empty(); }
};

// A message that is new and signed as it must be.
struct GossipFresh {
  SipHash digest;   // of its id
  SipHash content;  // of all its bytes, if scores ask for it
  PeerId received_from;
  MessageId id;
  GossipMessage message;
  std::shared_ptr<const Bytes> frame;
  Time arrived;
  bool backfilled = false;  // asked for afterwards
};

// An IWANT that has not been answered. Whoever left since, though it came again, will not.
struct GossipAsked {
  Time when;
  PeerId peer;
  std::uint64_t life;  // the peer's when it was asked
};

struct Gossip::State {
  State(const KeyPair& who, GossipConfig settings, Turn start);

  const KeyPair identity;
  const GossipConfig config;
  const std::set<PeerId> direct;
  FlatMap<PeerId, GossipPeer> peers;
  std::map<Topic, GossipTopic, std::less<>> topics;
  const SipKey digest_key;  // of the two below, so that nobody can choose what collides there
  gossip::SeenCache seen;
  // Accepted without having been forwarded: what the mesh brings of these is.
  RecentMap<MessageId, bool> backfilled{gossip::kMostBackfilled};
  gossip::MessageCache cache;
  gossip::Backoff backoff;
  std::optional<gossip::PeerScores> scores;
  gossip::PruneJournal journal;
  gossip::Promises promises;                       // of those who told of what we then asked for
  std::map<ValidationId, GossipFresh> validating;  // by deadline, too
  std::map<MessageId, GossipAsked, gossip::ByText> asking;
  std::size_t promised = 0;  // entries of it whose peers are still there
  std::uint64_t lives = 0;   // connections that there have been
  const std::uint64_t first_seqno;
  std::uint64_t seqno = first_seqno;
  std::uint64_t next_validation = 1;
  std::uint64_t beat = 0;  // how many heartbeats there were
  Time next_heartbeat;
  Time next_direct;  // when explicit peers are looked after
  gossip::Outbox outbox;
  gossip::PartialGroups groups;
  RecentMap<PeerId, std::uint64_t> latest_seqno;  // of authors, with rising_seqnos
  std::set<PeerId> untold;  // have control that waits for the end of this input
  std::deque<GossipAction> actions;
  GossipStats counts;

  // --- ledger.cc
  void published(const MessageId& id, const Topic& topic);
  void refuse(Refusal why, const MessageId& id, const Topic& topic, const PeerId& from);
  static void count_parts(RpcCounts& total, const gossip::Rpc& rpc);
  template <class Event, class... Parts>
  void trace(Parts&&... parts) {
    if (config.trace) actions.emplace_back(GossipTrace{Event{std::forward<Parts>(parts)...}});
  }
  TracedRpc traced_rpc(const gossip::Rpc& rpc) const;
  template <class Event>
  void trace_rpc(const PeerId& peer, ByteView encoded);
  void trace_received(const PeerId& peer, ByteView rpc);
  void trace_sent(const PeerId& peer, ByteView frame);
  void trace_dropped(const PeerId& peer, ByteView frame);

  // --- gossip.cc
  std::string why_in_mesh(const PeerId& peer, const Topic& topic, const GossipTopic& about,
                          Time now) const;
  // An RPC of the peer's.
  void take(Turn turn, const PeerId& peer, const gossip::Rpc& rpc);
  void take_control(Turn turn, const PeerId& peer, const gossip::Rpc& rpc);
  std::vector<bool> in_mesh_with(const PeerId& peer,
                                 const std::vector<gossip::Prune>& prunes) const;
  // Below the graylist threshold: who comes and goes is all that we take of it.
  void take_subscriptions(Turn turn, const PeerId& peer, const gossip::Rpc& rpc);
  void take_hello(const PeerId& peer, const std::optional<gossip::Extensions>& said);

  // --- peers.cc
  void connected(const PeerId& peer, std::span<const Multiaddr> remotes, bool outbound);
  void disconnected(Turn turn, const PeerId& peer);
  void stream_open(Turn turn, const PeerId& peer, std::string_view protocol);
  void stream_closed(const PeerId& peer);
  void leave_meshes(const PeerId& peer, const GossipPeer& who);
  // Whether it gets everything of its topics without being in a mesh.
  static bool fed_beside(const GossipPeer& who);
  void feed(const PeerId& peer, const GossipPeer& who);
  void sent(const PeerId& peer, std::size_t bytes);
  // What the peer will be told when this input is done: everything in as few RPCs as possible,
  // for peers take only some IHAVE a heartbeat.
  gossip::Rpc& tell(const PeerId& peer);
  void flush();
  void say_hello(Turn turn, const PeerId& peer, GossipPeer& to);
  Sent send(const PeerId& peer, std::shared_ptr<const Bytes> frame, Priority priority);
  Sent keep_early(const PeerId& peer, GossipPeer& to, std::shared_ptr<const Bytes> frame);
  Sent drop(const PeerId& peer, GossipPeer& to, ByteView frame);
  void share(const PeerId& peer, bool more);

  // --- topics.cc
  void subscribe(Turn turn, const Topic& topic, PartialUse parts);
  void unsubscribe(Turn turn, const Topic& topic);
  void peer_subscribes(Turn turn, const PeerId& peer, const gossip::SubOpts& change);
  bool note_subscriber(const PeerId& peer, const Topic& topic, PartialUse use);
  bool may_note(const GossipPeer& who, const Topic& topic, bool ours) const;
  void peer_leaves(const PeerId& peer, const Topic& topic);
  void announce(const Topic& topic, bool subscribed);
  void take_graft(Turn turn, const PeerId& peer, const Topic& topic);
  std::optional<gossip::PruneCause> refusal(Turn turn, const PeerId& peer, const Topic& topic,
                                            const GossipTopic& about);
  void graft_in_backoff(Turn turn, const PeerId& peer, const Topic& topic);
  // `met`: it was in the mesh when the RPC came.
  void take_prune(Turn turn, const PeerId& peer, const gossip::Prune& prune, bool met);
  void meet(Turn turn, const PeerId& named_by, const gossip::Prune& prune);
  std::vector<gossip::Exchanged> others_for(Turn turn, const PeerId& pruned, const Topic& topic);
  bool may_graft(Turn turn, const Topic& topic, const GossipTopic& about, const PeerId& peer) const;
  std::vector<PeerId> graftable(Turn turn, const Topic& topic, const GossipTopic& about) const;
  void graft(Turn turn, const Topic& topic, GossipTopic& about, const PeerId& peer);
  void graft_up_to_d(Turn turn, const Topic& topic, GossipTopic& about);
  void prune(Turn turn, const Topic& topic, const PeerId& peer, Duration wait,
             gossip::PruneCause cause);
  void forget_if_empty(const Topic& topic);

  // --- messages.cc
  Result<Receipt> publish(Turn turn, const Topic& topic, Bytes data);
  Result<void> may_publish(const Topic& topic, const Bytes& data) const;
  MessageId id_of(const MessageView& message) const;
  void wait_in_outbox(Turn turn, Receipt& receipt, const Topic& topic,
                      std::shared_ptr<const Bytes> frame);
  void empty_outbox(const PeerId& peer, const Topic& topic);
  // Not what we publish, nor what passes through us outside the mesh, goes to who is below.
  bool worth_feeding(const PeerId& peer) const { return !below(&ScoreThresholds::publish, peer); }
  std::vector<PeerId> recipients(Turn turn, GossipTopic& about);
  std::vector<PeerId> flooded(const GossipTopic& about) const;
  std::vector<PeerId> fanout_candidates(const GossipTopic& about,
                                        const std::set<PeerId>& carry) const;
  void receive(Turn turn, const PeerId& from, ByteView encoded);
  void duplicate(Turn turn, const gossip::SignedMessage& message, const MessageId& id,
                 const PeerId& from);
  void unsound(const Error& why, const MessageId& id, const Topic& topic, const PeerId& from);
  bool rises(const gossip::SignedMessage& message);
  void judge(Turn turn, GossipFresh message);
  // Tells the mesh that it need not send us the same.
  void refuse_copies(const GossipFresh& message);
  bool wants(const GossipPeer& peer, const SipHash& id);
  void forward(const PeerId& peer, const GossipTopic& about, const GossipFresh& message);
  bool room_to_validate(std::size_t size) const;
  void ask_application(GossipFresh message);
  void accept(Turn turn, GossipFresh message);
  void spread(const GossipTopic& about, const GossipFresh& message);
  void verdict(Turn turn, ValidationId id, Verdict verdict);
  void take_ihave(Turn turn, const PeerId& peer, const gossip::IHave& have);
  void promise(Turn turn, const PeerId& peer, std::span<const MessageId> asked);
  void arrived(const MessageId& id, const SipHash& digest);
  bool may_ask(Turn turn, const PeerId& peer, const MessageId& id);
  GossipPeer::Lazy& lazy_of(GossipPeer& peer) const;
  GossipAsked ask(Turn turn, const PeerId& peer);
  bool room_to_ask(const PeerId& peer);
  bool still_there(const GossipAsked& asked) const;
  void not_awaited(const GossipAsked& asked);
  void take_iwant(const PeerId& peer, const std::vector<MessageId>& wanted);
  void take_idontwant(GossipPeer& from, const std::vector<MessageId>& ids);

  // --- backfilled.cc
  void keep(const Topic& topic, const MessageId& id, ByteView encoded);
  Result<Backfilled> take_backfilled(Turn turn, const PeerId& from, const Topic& topic,
                                     ByteView encoded);
  // Our own of an earlier life are as new to this one's application as anybody's.
  bool of_this_life(const gossip::SignedMessage& message) const;
  void forward_backfilled(const PeerId& from, const gossip::SignedMessage& message,
                          const MessageId& id);

  // --- partial.cc
  const PartialUse* parts_of(const GossipPeer& who, const Topic& topic) const;
  bool takes_parts(const GossipPeer& who, const Topic& topic, const GossipTopic& about) const;
  bool sends_parts(const GossipPeer& who, const Topic& topic, const GossipTopic& about) const;
  std::vector<PartialPeer> partial_peers(const Topic& topic) const;
  Result<Sent> send_partial(const PeerId& peer, PartialMessage parts);
  void take_partial(const PeerId& peer, const gossip::Rpc& rpc);
  void offer_groups(const Topic& topic, const std::vector<PeerId>& to);

  // --- heartbeat.cc
  void heartbeat(Turn turn);
  void forget_old(Time now);
  void tend_mesh(Turn turn, const Topic& topic, GossipTopic& about);
  void shrink(Turn turn, const Topic& topic, GossipTopic& about);
  void ensure_outbound(Turn turn, const Topic& topic, GossipTopic& about);
  void graft_better(Turn turn, const Topic& topic, GossipTopic& about);
  void drop_negative(Turn turn, const Topic& topic, GossipTopic& about);
  void look_after_direct(Time now);
  void keep_best(std::vector<PeerId>& members) const;
  double median_score(const std::set<PeerId>& mesh) const;
  std::size_t outbound_in(const GossipTopic& about) const;
  static bool hears_gossip(const GossipPeer& who);
  std::vector<PeerId> gossip_targets(Turn turn, const GossipTopic& about) const;
  void tend_fanout(Turn turn, GossipTopic& about);
  void emit_gossip(Turn turn, const Topic& topic, GossipTopic& about, std::vector<MessageId>& ids);
  void expire_validations(Time now);
  void expire_outbox(Time now);

  // --- standing.cc
  // 0 without scoring, and for explicit peers.
  double score(const PeerId& peer) const;
  bool below(double ScoreThresholds::* threshold, const PeerId& peer) const;
  void penalise(const PeerId& peer, Penalty penalty, unsigned count = 1);
  void count_penalty(Penalty penalty) { ++counts.penalties[static_cast<std::size_t>(penalty)]; }
  void enter_mesh(Turn turn, const PeerId& peer, const Topic& topic, GossipTopic& about);
  bool leave_mesh(const PeerId& peer, const Topic& topic, GossipTopic& about);
  void note_prune(Turn turn, const PeerId& peer, const Topic& topic, gossip::PruneCause cause);
  bool judges_messages() const;
  // Whether who brought which copy of a message matters.
  bool tracks_copies(const Topic& topic) const;
  SipHash content_of(const gossip::SignedMessage& message) const;
  void delivered(const GossipFresh& message, Time now);
  void rejected(const GossipFresh& message);
  void ignored(const GossipFresh& message);
  std::string why_score(const PeerId& peer, Time now) const;
};

// At most `most` of them, at random.
inline void choose(Turn turn, std::vector<PeerId>& peers, std::size_t most) {
  turn.rng.shuffle(std::span(peers));
  if (peers.size() > most)
    peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(most), peers.end());
}

}  // namespace kadmesh
