// What every peer's behaviour is worth (gossipsub-v1.1.md "Peer Scoring"; go-libp2p-pubsub,
// score.go, is the reference). What happened goes in as verbs, score() comes out; who is grafted,
// pruned or ignored for it is the router's business. Parameters: gossip/score_params.h, which also
// says when silence is seen.
//
//   connected ─▶ [graft ─▶ pruned]* ─▶ disconnected ─┬▶ forgotten  (nothing bad is known)
//        ▲                                           └▶ retained for `retain`, unchanged
//        └────────────────── comes back ──────────────────┘
//
//   validating ─┬▶ delivered ─▶ duplicate…     P2 to the first, P3 to near-firsts
//               ├▶ rejected  ─▶ duplicate…     P4 to everybody who sent it
//               └▶ ignored   ─▶ duplicate…     nothing to anybody
//
// Where this departs from go, each time so that only what a peer has done counts:
//   - P3 ends when the peer leaves the mesh (as in rust); go goes on with it, and the peer can then
//     not be grafted again. P3b is applied once.
//   - Who was first and sends the same message again is not credited a second time.
//   - A duplicate of a message that is not known any more does nothing.
//   - Retained is whoever is below 0 or has a counter of faults, forgotten everybody else who is
//     not above 0: go retains all these.
//   - What a suspended machine missed is made up for, see refresh().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "base/flat_map.h"
#include "base/multiaddr.h"
#include "gossip/delivery_records.h"
#include "gossip/score_params.h"
#include "gossip/score_view.h"

namespace kadmesh {

namespace gossip {

// Topics of one peer: of our own choosing, for only what we have joined is counted.
inline constexpr std::size_t kMostScoredTopics = 1'024;
// Peers that left with a bad score; of more, those who left first are forgotten. To be rid of a
// score that way takes as many connections, each of which must misbehave.
inline constexpr std::size_t kMostRetained = 10'000;
// Blocks of addresses of one peer: eight connections.
inline constexpr std::size_t kMostGroups = 16;
// Records of messages and their senders: 100,000 messages from four peers each, about 50 MiB.
inline constexpr std::size_t kMostDeliveries = 500'000;
inline constexpr std::size_t kMostApplicationScores = 100'000;
// Decay intervals that are made up for at once. A counter of 1e9 is nothing after as many with a
// factor of 0.9; more would only keep everybody waiting.
inline constexpr std::int64_t kMostCatchUp = 256;

class PeerScores {
 public:
  // Parameters that check() refuses are our own mistake. `seen_ttl`: how long a message is known.
  PeerScores(ScoreParams params, Duration seen_ttl, Time start);

  // --- who is there. What is said of peers that are not known does nothing.
  // `remotes`: the addresses of its connections. None for those who are exempt from P6.
  void connected(const PeerId& peer, std::span<const Multiaddr> remotes);
  // Its connections are others now.
  void moved(const PeerId& peer, std::span<const Multiaddr> remotes);
  void disconnected(const PeerId& peer, Time now);

  // --- meshes
  void grafted(const PeerId& peer, const Topic& topic, Time now);
  // For whatever reason, by whomever. P3b takes the deficit, if any.
  void pruned(const PeerId& peer, const Topic& topic);

  // --- messages, by a digest under a key of ours. Of the id alone, who signs two messages with the
  // same id, one of them invalid, can have those blamed who forward the other: P4 goes to everybody
  // who sends that id. A digest of id and data rules it out, at the price of hashing duplicates.
  // A message that has not been here is about to be validated.
  void validating(const SipHash& message, Time now);
  // `from`: who brought it first.
  void delivered(const SipHash& message, const Topic& topic, const PeerId& from, Time now);
  // The same in short, where nothing judges messages and nothing measures deliveries: then copies
  // matter to nobody, and no record is kept.
  bool measures_deliveries(const Topic& topic) const;
  void first_delivery(const PeerId& from, const Topic& topic);
  void rejected(const SipHash& message, const Topic& topic, const PeerId& from);
  // By a validator's verdict or for want of one: time ran out, or there was no room.
  void ignored(const SipHash& message);
  void duplicate(const SipHash& message, const Topic& topic, const PeerId& from, Time now);
  // What failed before its id could be believed: signature, author, policy.
  void invalid(const PeerId& peer, const Topic& topic);

  // --- the rest
  void penalise(const PeerId& peer, std::size_t count);  // P7
  void too_slow(const PeerId& peer);                     // a message to it was dropped
  // P5, kept until it is set to 0 whether the peer is there or not. Errc::invalid for a number that
  // is none or beyond ±1e12, Errc::limit beyond kMostApplicationScores.
  Result<void> set_application(const PeerId& peer, double score);
  // Errc::invalid as check(ScoreParams) says. Counters above a new cap fall to it.
  Result<void> set_topic(const Topic& topic, const TopicScoreParams& params);

  // Decays what has run a decay interval, once for each interval since the last; nothing before
  // next_refresh(). Who is retained does not decay.
  void refresh(Time now);
  Time next_refresh() const { return next_refresh_; }

  // --- questions
  // 0 for a peer that is not known. What has not changed since the last time is not worked out
  // again, neither a peer nor one of its topics.
  double score(const PeerId& peer) const;
  // Nothing but zeros for a peer that is not known.
  ScoreView view(const PeerId& peer) const;
  const ScoreParams& params() const { return params_; }
  std::size_t size() const { return peers_.size(); }  // connected and retained
  std::size_t retained() const { return retained_.size(); }
  std::size_t deliveries() const { return deliveries_.size(); }
  std::size_t groups() const { return groups_.size(); }

 private:
  struct InTopic {
    bool in_mesh = false;
    bool active = false;  // P3: only in the mesh
    Time grafted;
    Duration time_in_mesh{};
    double first = 0, mesh = 0, failure = 0, invalid = 0;
    mutable double known = 0;  // its score, unless `changed`
    mutable bool changed = true;
  };
  using Groups = std::map<IpPrefix, std::size_t>;  // how many peers are in each
  struct Peer {
    bool connected = true;
    Time expires;  // when it is not
    std::map<Topic, InTopic, std::less<>> topics;
    std::vector<Groups::iterator> groups;
    double application = 0, behaviour = 0, slow = 0;
    mutable double known = 0;  // its score but for P6, unless `changed`
    mutable bool changed = false;
  };
  using Peers = FlatMap<PeerId, Peer>;

  const TopicScoreParams* params_of(const Topic& topic) const;
  Peer* find(const PeerId& peer);
  // Null where nothing is to be counted.
  InTopic* counters(Peer& peer, const Topic& topic) const;
  static void leave_mesh(InTopic& counters, const TopicScoreParams& params);
  void near_first(const PeerId& peer, const Topic& topic);
  void retain(const PeerId& peer, Peer& state, Time now);
  void forget(const PeerId& peer);
  void leave_groups(Peer& state);
  void fall(double& counter, double factor) const;
  void decay(Peer& peer, Time now) const;
  void decay(InTopic& counters, const TopicScoreParams& params, Time now) const;
  static TopicScoreView view_of(const InTopic& counters, const TopicScoreParams& params);
  double score_of(const Topic& topic, const InTopic& counters) const;
  double topics_score(const Peer& peer) const;
  double without_colocation(const Peer& peer) const;
  ScorePart colocation(const Peer& peer) const;
  ScorePart behaviour(const Peer& peer) const;
  ScorePart slowness(const Peer& peer) const;

  ScoreParams params_;
  DeliveryRecords deliveries_;
  Time next_refresh_;
  Peers peers_;
  Groups groups_;
  std::set<std::pair<Time, PeerId>> retained_;  // by when they are forgotten
  std::map<PeerId, double> application_;        // not 0
};

}  // namespace gossip
}  // namespace kadmesh
