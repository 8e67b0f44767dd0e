package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// scoreFile is the file of --gossip-scores, all of it: seconds, names as in PROTOCOL.md.
type scoreFile struct {
	Topic               string
	Weight              float64
	FirstWeight         float64 `json:"first_deliveries_weight"`
	FirstDecay          float64 `json:"first_deliveries_decay"`
	FirstCap            float64 `json:"first_deliveries_cap"`
	InvalidWeight       float64 `json:"invalid_weight"`
	InvalidDecay        float64 `json:"invalid_decay"`
	TopicCap            float64 `json:"topic_score_cap"`
	ApplicationWeight   float64 `json:"application_weight"`
	ColocationWeight    float64 `json:"colocation_weight"`
	ColocationThreshold int     `json:"colocation_threshold"`
	ColocationAllowed   string  `json:"colocation_allowed"`
	BehaviourWeight     float64 `json:"behaviour_weight"`
	BehaviourThreshold  float64 `json:"behaviour_threshold"`
	BehaviourDecay      float64 `json:"behaviour_decay"`
	DecayInterval       float64 `json:"decay_interval"`
	DecayToZero         float64 `json:"decay_to_zero"`
	Retain              float64
	Gossip              float64
	Publish             float64
	Graylist            float64
	AcceptPX            float64 `json:"accept_px"`
	Opportunistic       float64 `json:"opportunistic_graft"`
}

// Scores holds what go's inspector told last.
type Scores struct {
	mu     sync.Mutex
	on     bool
	byPeer map[peer.ID]float64
}

func (s *Scores) take(scores map[peer.ID]float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byPeer = scores
}

// scoresOf makes the options that score peers by the file and inspect their scores every interval.
func scoresOf(path string, scores *Scores) ([]pubsub.Option, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f scoreFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	scores.on = true
	thresholds := pubsub.PeerScoreThresholds{GossipThreshold: f.Gossip, PublishThreshold: f.Publish,
		GraylistThreshold: f.Graylist, AcceptPXThreshold: f.AcceptPX, OpportunisticGraftThreshold: f.Opportunistic}
	return []pubsub.Option{pubsub.WithPeerScore(f.params(), &thresholds),
		pubsub.WithPeerScoreInspect(pubsub.PeerScoreInspectFn(scores.take), seconds(f.DecayInterval))}, nil
}

func (f *scoreFile) params() *pubsub.PeerScoreParams {
	allowed := net.IPNet{IP: net.ParseIP(f.ColocationAllowed), Mask: net.CIDRMask(32, 32)}
	return &pubsub.PeerScoreParams{
		Topics:                      map[string]*pubsub.TopicScoreParams{f.Topic: f.topicParams()},
		TopicScoreCap:               f.TopicCap,
		AppSpecificScore:            func(peer.ID) float64 { return 0 },
		AppSpecificWeight:           f.ApplicationWeight,
		IPColocationFactorWeight:    f.ColocationWeight,
		IPColocationFactorThreshold: f.ColocationThreshold,
		IPColocationFactorWhitelist: []*net.IPNet{&allowed},
		BehaviourPenaltyWeight:      f.BehaviourWeight,
		BehaviourPenaltyThreshold:   f.BehaviourThreshold,
		BehaviourPenaltyDecay:       f.BehaviourDecay,
		DecayInterval:               seconds(f.DecayInterval),
		DecayToZero:                 f.DecayToZero,
		RetainScore:                 seconds(f.Retain),
	}
}

// topicParams leaves P1, P3 and P3b off.
func (f *scoreFile) topicParams() *pubsub.TopicScoreParams {
	return &pubsub.TopicScoreParams{
		SkipAtomicValidation:           true,
		TopicWeight:                    f.Weight,
		TimeInMeshQuantum:              time.Second,
		FirstMessageDeliveriesWeight:   f.FirstWeight,
		FirstMessageDeliveriesDecay:    f.FirstDecay,
		FirstMessageDeliveriesCap:      f.FirstCap,
		InvalidMessageDeliveriesWeight: f.InvalidWeight,
		InvalidMessageDeliveriesDecay:  f.InvalidDecay,
	}
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func (p *Peer) gossipScores(context.Context, Request) (fields, error) {
	if !p.scores.on {
		return nil, &unsupported{"started without --gossip-scores"}
	}
	p.scores.mu.Lock()
	defer p.scores.mu.Unlock()
	scores := map[string]float64{}
	for id, score := range p.scores.byPeer {
		scores[id.String()] = score
	}
	return fields{"scores": scores}, nil
}
