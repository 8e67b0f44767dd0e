// The file of --gossip-scores as gossipsub's options. P1, P3 and P3b stay off.
import { readFileSync } from 'node:fs'

export function readScores (path) {
  const told = JSON.parse(readFileSync(path))
  return { scoreParams: params(told), scoreThresholds: thresholds(told) }
}

function params (told) {
  return {
    topics: { [told.topic]: topicParams(told) },
    topicScoreCap: told.topic_score_cap,
    appSpecificWeight: told.application_weight,
    IPColocationFactorWeight: told.colocation_weight,
    IPColocationFactorThreshold: told.colocation_threshold,
    IPColocationFactorWhitelist: new Set([told.colocation_allowed]),
    behaviourPenaltyWeight: told.behaviour_weight,
    behaviourPenaltyThreshold: told.behaviour_threshold,
    behaviourPenaltyDecay: told.behaviour_decay,
    decayInterval: told.decay_interval * 1000,
    decayToZero: told.decay_to_zero,
    retainScore: told.retain * 1000
  }
}

function topicParams (told) {
  return {
    topicWeight: told.weight,
    timeInMeshWeight: 0,
    firstMessageDeliveriesWeight: told.first_deliveries_weight,
    firstMessageDeliveriesDecay: told.first_deliveries_decay,
    firstMessageDeliveriesCap: told.first_deliveries_cap,
    meshMessageDeliveriesWeight: 0,
    meshFailurePenaltyWeight: 0,
    invalidMessageDeliveriesWeight: told.invalid_weight,
    invalidMessageDeliveriesDecay: told.invalid_decay
  }
}

function thresholds (told) {
  return {
    gossipThreshold: told.gossip,
    publishThreshold: told.publish,
    graylistThreshold: told.graylist,
    acceptPXThreshold: told.accept_px,
    opportunisticGraftThreshold: told.opportunistic_graft
  }
}
