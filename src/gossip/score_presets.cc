#include "gossip/score_presets.h"

#include <algorithm>

namespace kadmesh {
namespace {

// --- consensus-specs, preset mainnet
constexpr Duration kSlot = 12s;
constexpr std::size_t kSlotsPerEpoch = 32;
constexpr std::size_t kSubnets = 64;
constexpr std::size_t kMostCommittees = 64;  // a slot
constexpr std::size_t kCommitteeSize = 128;  // target
constexpr std::size_t kAggregators = 16;     // of a committee, target

// --- the shared derivation
constexpr double kMostInMesh = 10, kMostFirst = 40;  // score of a topic of weight 1
constexpr double kBlockWeight = 0.5, kAggregateWeight = 0.5, kAttestationsWeight = 1,
                 kExitWeight = 0.05, kSlashingWeight = 0.05;
constexpr double kMostScore =
    (kMostInMesh + kMostFirst) *
    (kBlockWeight + kAggregateWeight + kAttestationsWeight + kExitWeight + 2 * kSlashingWeight);
constexpr double kLeastShare = 1.0 / 50;  // of a topic's messages that a mesh peer must bring

constexpr Duration slots(std::size_t count) { return kSlot * static_cast<std::int64_t>(count); }
constexpr Duration epochs(std::size_t count) { return slots(count * kSlotsPerEpoch); }
double decay(Duration to_zero) { return score_decay(to_zero, kSlot); }
// Where a counter ends that grows by `rate` and then decays, each slot.
double convergence(double decay, double rate) { return rate / (1 - decay); }

struct Rates {
  double aggregates;    // a slot
  double attestations;  // a slot and subnet
  bool many_bursts;     // of one subnet in one epoch
};

Rates rates(std::size_t validators) {
  const std::size_t per_slot =
      std::clamp(validators / kSlotsPerEpoch / kCommitteeSize, std::size_t{1}, kMostCommittees);
  const std::size_t committees = per_slot * kSlotsPerEpoch;
  const std::size_t size = validators / committees;
  const std::size_t larger = validators - size * committees;  // committees, by one
  const auto aggregators = [](std::size_t count, std::size_t members) {
    const std::size_t one_in = std::max(std::size_t{1}, members / kAggregators);
    return static_cast<double>(count * members) / static_cast<double>(one_in);
  };
  return {(aggregators(committees - larger, size) + aggregators(larger, size + 1)) / kSlotsPerEpoch,
          static_cast<double>(validators) / kSubnets / kSlotsPerEpoch,
          per_slot >= 2 * kSubnets / kSlotsPerEpoch};
}

// `rate`: messages a slot.
TopicScoreParams rewarded(double weight, double rate, Duration first_decay, std::size_t degree) {
  TopicScoreParams topic;
  topic.weight = weight;
  topic.time_in_mesh_quantum = kSlot;
  topic.time_in_mesh_cap = static_cast<double>(1h / kSlot);
  topic.first_deliveries_decay = decay(first_decay);
  topic.first_deliveries_cap =
      convergence(topic.first_deliveries_decay, 2 * rate / static_cast<double>(degree));
  topic.first_deliveries_weight = kMostFirst / topic.first_deliveries_cap;
  topic.invalid_weight = -kMostScore / weight;
  topic.invalid_decay = decay(epochs(50));
  return topic;
}

void expect_share(TopicScoreParams& topic, double rate, Duration to_zero, double cap_factor,
                  Duration activation) {
  topic.time_in_mesh_weight = kMostInMesh / topic.time_in_mesh_cap;
  topic.mesh_deliveries_decay = topic.mesh_failure_decay = decay(to_zero);
  const double threshold =
      convergence(topic.mesh_deliveries_decay, rate * kLeastShare) * topic.mesh_deliveries_decay;
  topic.mesh_deliveries_threshold = threshold;
  topic.mesh_deliveries_cap = std::max(2.0, cap_factor * threshold);
  topic.mesh_deliveries_weight = topic.mesh_failure_weight =
      -kMostScore / (topic.weight * threshold * threshold);
  topic.mesh_deliveries_window = 2s;
  topic.mesh_deliveries_activation = activation;
}

TopicScoreParams blocks(std::size_t degree) {
  TopicScoreParams topic = rewarded(kBlockWeight, 1, epochs(20), degree);
  expect_share(topic, 1, epochs(5), 3, epochs(1));
  return topic;
}

TopicScoreParams aggregates(const Rates& r, std::size_t degree) {
  TopicScoreParams topic = rewarded(kAggregateWeight, r.aggregates, epochs(1), degree);
  expect_share(topic, r.aggregates, epochs(2), 4, epochs(1));
  return topic;
}

TopicScoreParams attestations(const Rates& r, std::size_t degree) {
  TopicScoreParams topic = rewarded(kAttestationsWeight / kSubnets, r.attestations,
                                    epochs(r.many_bursts ? 1 : 4), degree);
  expect_share(topic, r.attestations, epochs(r.many_bursts ? 4 : 16), 16,
               r.many_bursts ? slots(kSlotsPerEpoch / 2 + 1) : epochs(3));
  return topic;
}

ScoreParams whole_peer(const ScoreThresholds& thresholds) {
  ScoreParams params;
  params.default_topic.reset();
  params.topic_score_cap = kMostScore / 2;
  params.colocation_weight = -params.topic_score_cap;
  params.behaviour_decay = decay(epochs(10));
  // Ten penalties an epoch end at the gossip threshold.
  const double ten = convergence(params.behaviour_decay, 10.0 / kSlotsPerEpoch);
  const double excess = ten - params.behaviour_threshold;
  params.behaviour_weight = thresholds.gossip / (excess * excess);
  params.slow_weight = -10;
  params.slow_decay = 0.1;
  params.decay_interval = kSlot;
  params.retain = epochs(100);
  return params;
}

}  // namespace

Scoring plain_scores() {
  Scoring scoring;
  scoring.params.colocation_weight = 0;
  return scoring;
}

Scoring beacon_scores(const BeaconNetwork& network) {
  constexpr std::size_t kFewest = kSubnets * kSlotsPerEpoch;
  const Rates r = rates(std::max(network.validators, kFewest));
  const std::size_t degree = std::max(network.mesh_degree, std::size_t{1});
  const ScoreThresholds thresholds{-4000, -8000, -16000, 100, 5};
  Scoring scoring{whole_peer(thresholds), thresholds};
  const auto put = [&](const std::string& name, const TopicScoreParams& topic) {
    scoring.params.topics["/eth2/" + network.fork_digest + '/' + name + "/ssz_snappy"] = topic;
  };
  constexpr double kExits = 4.0 / kSlotsPerEpoch, kSlashings = 0.2 / kSlotsPerEpoch;
  put("beacon_block", blocks(degree));
  put("beacon_aggregate_and_proof", aggregates(r, degree));
  for (std::size_t i = 0; i < kSubnets; ++i)
    put("beacon_attestation_" + std::to_string(i), attestations(r, degree));
  put("voluntary_exit", rewarded(kExitWeight, kExits, epochs(100), degree));
  put("proposer_slashing", rewarded(kSlashingWeight, kSlashings, epochs(100), degree));
  put("attester_slashing", rewarded(kSlashingWeight, kSlashings, epochs(100), degree));
  return scoring;
}

}  // namespace kadmesh
