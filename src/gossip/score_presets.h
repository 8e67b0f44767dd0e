// Sets of score parameters that are known to work, to start from.
#pragma once

#include <string>

#include "gossip/score_params.h"

namespace kadmesh {

struct Scoring {
  ScoreParams params;
  ScoreThresholds thresholds;
};

// For a network of which nothing is known: the defaults of ScoreParams without P6. Only faults that
// can be proven cost anything: signatures that do not verify, messages that validators reject,
// GRAFTs within a backoff, promises that are not kept. A peer without these is never below 0,
// however slow it is and however quiet its topics are; nor are the many who share one address
// behind a NAT, which is no fault of theirs.
Scoring plain_scores();

struct BeaconNetwork {
  std::string fork_digest;           // hex, as in the topics' names: "6a95a1a9"
  std::size_t validators = 500'000;  // active; fewer than 2,048 count as that many
  std::size_t mesh_degree = 8;       // D
};

// Ethereum's consensus layer, preset mainnet: beacon_block, beacon_aggregate_and_proof,
// beacon_attestation_0 to _63, voluntary_exit, proposer_slashing and attester_slashing, named
// "/eth2/<fork digest>/<name>/ssz_snappy"; other topics are not scored. The rates that P2 and P3
// are measured by follow from the number of validators.
//
// Source: the derivation that the clients share (gist.github.com/blacktemplar/
// 5c1862cb3f0e32a1a7fb0b25e79e6e2c), as lighthouse has it (gossipsub_scoring_parameters.rs at
// 2e0eb6d1) but for three things.
//   - P3 and P3b weigh -max_score / (weight * threshold²), as in the derivation and in prysm
//     (gossip_scoring_params.go, scoreByWeight). lighthouse has -weight, prysm turned them off;
//     then a peer may stay that never forwards a block (CVE-2022-47547). As they are here check()
//     accepts them, and silence_shows_anywhere() holds.
//   - No P1 in the three topics without P3, where it would pay for nothing (0.5 points each).
//   - P6 from more than 10 peers on an address, as prysm; lighthouse has 8.
// Not here: the topics since Altair, which lighthouse does not score either.
Scoring beacon_scores(const BeaconNetwork& network);

}  // namespace kadmesh
