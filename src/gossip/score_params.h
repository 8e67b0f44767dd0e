// What peers are scored by (gossipsub-v1.1.md "The Score Function", "Overview of New Parameters"),
// as values with which a plain network can run: P2, P4, P6 and P7 on, P1, P3 and P3b off.
//
//   score = cap(sum of topics: weight * (P1 + P2 + P3 + P3b + P4)) + P5 + P6 + P7 + slow
//
// and each P is its parameter times its weight. Positive weights are earned, negative ones paid; a
// weight of 0 turns a parameter off. Counters fall by their decay factor each decay_interval, and
// what is below decay_to_zero is 0.
//
// Who forwards nothing (CVE-2022-47547; Kumar, von Hippel, Manolios and Nita-Rotaru, arXiv
// 2212.05197 and 2311.08859: under the parameters of Ethereum clients a peer keeps a positive score
// that never forwards anything). Nothing but P1 pays a silent peer, so check() demands of every
// topic, the default one included, that
//
//   time_in_mesh_weight * time_in_mesh_cap <= -mesh_deliveries_weight * mesh_deliveries_threshold²
//
// which a topic without P1 fulfils, and one with P1 only if P3 is on and strong enough. Then the
// score of a peer that forwards nothing is not above 0, P5 aside, from
//     mesh_deliveries_activation and one decay_interval after its last GRAFT, and
//     the time in which its P2 and P3 counters fall to 0 after its last forwarded message
// on. Before activation P1 may pay: at most time_in_mesh_weight * activation / quantum a topic.
// What the condition cannot see is a peer that sends back, within mesh_deliveries_window, what we
// sent it: keep the window below a round trip. `silence_may_pay` waives the condition, for those
// who must use another's parameters as they are.
//
// silence_shows_anywhere() is the stronger property of that analysis: who is silent in the mesh of
// one topic cannot make up for it in others.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "gossip/ip_prefix.h"
#include "gossip/message.h"

namespace kadmesh {

// The factor with which a counter of 1 falls to `decay_to_zero` in `to_zero`: the root of
// decay_to_zero of as many degrees as there are whole intervals (go's ScoreParameterDecay), to the
// last bit the same on every machine. With fewer than one interval: decay_to_zero itself.
double score_decay(Duration to_zero, Duration interval = 1s, double decay_to_zero = 0.01);

struct TopicScoreParams {
  double weight = 1;  // of the topic

  // P1: whole quanta in the mesh, at most cap. It keeps peers that are in the mesh there, and pays
  // those who do nothing.
  double time_in_mesh_weight = 0;
  Duration time_in_mesh_quantum = 1s;
  double time_in_mesh_cap = 3600;

  // P2: messages that the peer was the first to bring, at most cap.
  double first_deliveries_weight = 1;
  double first_deliveries_decay = score_decay(10min);
  double first_deliveries_cap = 100;

  // P3: (threshold - counter)² of a mesh peer that has been there longer than activation and whose
  // counter is below threshold. It counts, up to cap, what the peer was the first to bring, and
  // what it brought while that was validated or within window after it.
  // The threshold is of one application's traffic: there is no default that would not punish the
  // peers of a quiet topic.
  double mesh_deliveries_weight = 0;
  double mesh_deliveries_decay = score_decay(10min);
  double mesh_deliveries_cap = 100;
  double mesh_deliveries_threshold = 20;
  Duration mesh_deliveries_window = 10ms;
  Duration mesh_deliveries_activation = 1min;

  // P3b: what P3 stood at whenever the peer left the mesh.
  double mesh_failure_weight = 0;
  double mesh_failure_decay = score_decay(10min);

  // P4: the square of the number of invalid messages. One is worth the gossip threshold.
  double invalid_weight = -10;
  double invalid_decay = score_decay(1h);
};

struct ScoreParams {
  std::map<Topic, TopicScoreParams> topics;
  // Of every other topic; none: it is not scored.
  std::optional<TopicScoreParams> default_topic = TopicScoreParams{};
  double topic_score_cap = 100;  // of the sum of topics; 0: none

  // P5: what the application says.
  double application_weight = 1;

  // P6: (peers - threshold)² for each address and each /64 of IPv6 that more than threshold peers
  // share with this one. As js and rust; peers behind one NAT share its address.
  double colocation_weight = -5;
  std::size_t colocation_threshold = 10;
  std::vector<IpPrefix> colocation_allowed = loopback_prefixes();  // do not count

  // P7: (counter - threshold)² of what breaks the rules: a GRAFT before its backoff is over, a
  // promise (IHAVE) that is not kept. An honest peer breaks promises when it or its link is
  // overloaded: one in three seconds for ever, or six at once, is forgiven.
  double behaviour_weight = -10;
  double behaviour_threshold = 6;
  double behaviour_decay = score_decay(1min);

  // Not of the specification, but rust's: counter - threshold, of messages dropped because the peer
  // took them too slowly. Off, for it is nobody's provable fault.
  double slow_weight = 0;
  double slow_threshold = 0;
  double slow_decay = 0.2;

  Duration decay_interval = 1s;
  double decay_to_zero = 0.01;
  Duration retain = 1h;  // a bad score, after the peer has left

  bool silence_may_pay = false;  // see above
};

// Scores from which on the router treats a peer in another way (gossipsub-v1.1.md "Score
// Thresholds"); 0 is one of them and not here. Defaults as rust and js, the last one as Ethereum.
struct ScoreThresholds {
  double gossip = -10;             // below: no IHAVE to it, none from it
  double publish = -50;            // below: none of our own messages to it
  double graylist = -80;           // below: its RPCs are ignored
  double accept_px = 10;           // below: the peers that it names are not connected to
  double opportunistic_graft = 5;  // a mesh whose median is below gets better peers
};

// Errc::invalid names the first constraint that is broken, and the topic.
Result<void> check(const TopicScoreParams& params);
Result<void> check(const ScoreParams& params);
Result<void> check(const ScoreThresholds& thresholds);

// Whether a peer that is silent in the mesh of any one topic with P3 ends at or below 0, P5 aside,
// even if it earns all that can be earned in all other topics. Never with a default topic that
// pays, for of such there may be any number.
bool silence_shows_anywhere(const ScoreParams& params);

}  // namespace kadmesh
