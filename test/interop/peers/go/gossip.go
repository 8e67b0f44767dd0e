package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Bursts must not die in a queue of the test peer: go drops what does not fit.
const (
	queue     = 4096
	dataShown = 64
)

// messageIDs are the functions of --gossip-id.
var messageIDs = map[string]pubsub.MsgIdFunction{
	"go":     pubsub.DefaultMsgIdFn,
	"rust":   rustMessageID,
	"js":     jsMessageID,
	"py":     pubsub.DefaultMsgIdFn,
	"sha256": func(m *pb.Message) string { sum := sha256.Sum256(m.GetData()); return string(sum[:]) },
}

func rustMessageID(m *pb.Message) string {
	var seqno [8]byte
	copy(seqno[8-min(8, len(m.GetSeqno())):], m.GetSeqno())
	return peer.ID(m.GetFrom()).String() + strconv.FormatUint(binary.BigEndian.Uint64(seqno[:]), 10)
}

func jsMessageID(m *pb.Message) string {
	key := m.GetKey()
	if len(key) == 0 {
		if public, err := peer.ID(m.GetFrom()).ExtractPublicKey(); err == nil {
			key, _ = crypto.MarshalPublicKey(public)
		}
	}
	return string(key) + string(m.GetSeqno())
}

func newGossip(s Settings, h host.Host, meshes *Meshes, counts *Counts, scores *Scores) (*pubsub.PubSub, error) {
	options := []pubsub.Option{
		pubsub.WithRawTracer(meshes),
		pubsub.WithRawTracer(counts),
		pubsub.WithPeerOutboundQueueSize(queue),
		pubsub.WithValidateQueueSize(queue),
	}
	if s.gossipID != "" {
		function, known := messageIDs[s.gossipID]
		if !known {
			return nil, fmt.Errorf("--gossip-id %s", s.gossipID)
		}
		options = append(options, pubsub.WithMessageIdFn(function))
	}
	switch s.gossipSign {
	case "strict":
	case "none": // the policy alone would still send from and seqno
		options = append(options, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor())
	default:
		return nil, fmt.Errorf("--gossip-sign %s", s.gossipSign)
	}
	if s.gossipD != stackDefault {
		if s.gossipD == 1 {
			return nil, &unsupported{"--gossip-d 1: go demands Dout < D/2"}
		}
		options = append(options, pubsub.WithGossipSubParams(meshOf(s.gossipD)), pubsub.WithFloodPublish(false))
	}
	if s.gossipHold > 0 {
		options = append(options, pubsub.WithDefaultValidator(holding(h.ID(), s.gossipHold)))
	}
	if s.gossipScores != "" {
		scoring, err := scoresOf(s.gossipScores, scores)
		if err != nil {
			return nil, fmt.Errorf("--gossip-scores: %w", err)
		}
		options = append(options, scoring...)
	}
	return pubsub.NewGossipSub(context.Background(), h, options...)
}

// holding has every message of others wait for its verdict.
func holding(self peer.ID, hold time.Duration) func(context.Context, peer.ID, *pubsub.Message) bool {
	return func(ctx context.Context, from peer.ID, _ *pubsub.Message) bool {
		return from == self || pause(ctx, hold) == nil
	}
}

func meshOf(d int) pubsub.GossipSubParams {
	params := pubsub.DefaultGossipSubParams()
	params.D, params.Dlo, params.Dhi = d, d, d
	params.Dscore = min(params.Dscore, d)
	params.Dout = max(0, min(params.Dout, d/2-1))
	return params
}

// Meshes follows the router's grafts and prunes: go has no API that lists a mesh.
type Meshes struct {
	mu      sync.Mutex
	byTopic map[string]map[peer.ID]bool
}

func newMeshes() *Meshes { return &Meshes{byTopic: map[string]map[peer.ID]bool{}} }

func (m *Meshes) Graft(id peer.ID, topic string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byTopic[topic] == nil {
		m.byTopic[topic] = map[peer.ID]bool{}
	}
	m.byTopic[topic][id] = true
}

func (m *Meshes) Prune(id peer.ID, topic string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byTopic[topic], id)
}

func (m *Meshes) Leave(topic string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byTopic, topic)
}

func (m *Meshes) OnClosedOutboundStream(id peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mesh := range m.byTopic {
		delete(mesh, id)
	}
}

func (m *Meshes) list(topic string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []string{}
	for id := range m.byTopic[topic] {
		list = append(list, id.String())
	}
	return list
}

func (m *Meshes) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (m *Meshes) Join(string)                              {}
func (m *Meshes) ValidateMessage(*pubsub.Message)          {}
func (m *Meshes) DeliverMessage(*pubsub.Message)           {}
func (m *Meshes) RejectMessage(*pubsub.Message, string)    {}
func (m *Meshes) DuplicateMessage(*pubsub.Message)         {}
func (m *Meshes) ThrottlePeer(peer.ID)                     {}
func (m *Meshes) RecvRPC(*pubsub.RPC)                      {}
func (m *Meshes) SendRPC(*pubsub.RPC, peer.ID)             {}
func (m *Meshes) DropRPC(*pubsub.RPC, peer.ID)             {}
func (m *Meshes) UndeliverableMessage(*pubsub.Message)     {}

// joined is a topic we hold; messages is nil until somebody subscribes.
type joined struct {
	topic    *pubsub.Topic
	messages *pubsub.Subscription
	pump     *Pump // of a topic joined quietly
}

// Topics holds each topic once: go gives out one handle a topic.
type Topics struct {
	mu     sync.Mutex
	byName map[string]*joined
}

func (p *Peer) topic(name string) (*joined, error) {
	if have := p.topics.byName[name]; have != nil {
		return have, nil
	}
	topic, err := p.gossip.Join(name)
	if err != nil {
		return nil, err
	}
	p.topics.byName[name] = &joined{topic: topic}
	return p.topics.byName[name], nil
}

func (p *Peer) gossipJoin(_ context.Context, r Request) (fields, error) {
	p.topics.mu.Lock()
	defer p.topics.mu.Unlock()
	held, err := p.topic(r.Topic)
	if err != nil || held.messages != nil {
		return fields{}, err
	}
	if held.messages, err = held.topic.Subscribe(pubsub.WithBufferSize(queue)); err != nil {
		return nil, err
	}
	if r.Quiet {
		held.pump = newPump(p.host.ID(), held)
		go held.pump.count()
	} else {
		go p.reportMessages(held.messages)
	}
	return fields{}, nil
}

func (p *Peer) reportMessages(messages *pubsub.Subscription) {
	for {
		m, err := messages.Next(context.Background())
		if err != nil {
			return
		}
		if m.ReceivedFrom == p.host.ID() {
			continue
		}
		p.out.line(fields{"event": "message", "topic": m.GetTopic(), "from": peer.ID(m.From).String(),
			"data": hex.EncodeToString(m.Data[:min(len(m.Data), dataShown)]), "size": len(m.Data),
			"message_id": hex.EncodeToString([]byte(m.ID))})
	}
}

func (p *Peer) gossipLeave(_ context.Context, r Request) (fields, error) {
	p.topics.mu.Lock()
	defer p.topics.mu.Unlock()
	held := p.topics.byName[r.Topic]
	if held == nil {
		return nil, fmt.Errorf("not joined: %s", r.Topic)
	}
	if held.messages != nil {
		held.messages.Cancel()
	}
	// The cancellation passes through pubsub's loop; until then go refuses to close the topic, which
	// then stays as a handle without a subscription.
	held.messages = nil
	return fields{}, nil
}

func (p *Peer) gossipMesh(_ context.Context, r Request) (fields, error) {
	return fields{"peers": p.meshes.list(r.Topic)}, nil
}

func (p *Peer) gossipPeers(_ context.Context, r Request) (fields, error) {
	return fields{"peers": names(p.gossip.ListPeers(r.Topic))}, nil
}

func (p *Peer) publisher(name string) (*pubsub.Topic, error) {
	p.topics.mu.Lock()
	defer p.topics.mu.Unlock()
	held, err := p.topic(name)
	if err != nil {
		return nil, err
	}
	return held.topic, nil
}

func (p *Peer) gossipPublish(ctx context.Context, r Request) (fields, error) {
	data, err := unhex("data", r.Data)
	if err != nil {
		return nil, err
	}
	topic, err := p.publisher(r.Topic)
	if err != nil {
		return nil, err
	}
	return fields{}, topic.Publish(ctx, data)
}

func (p *Peer) gossipBurst(ctx context.Context, r Request) (fields, error) {
	topic, err := p.publisher(r.Topic)
	if err != nil {
		return nil, err
	}
	beat := time.NewTicker(max(time.Microsecond, time.Duration(r.IntervalUS)*time.Microsecond))
	defer beat.Stop()
	for i := range r.Count {
		data := fmt.Appendf(nil, "%-*s", int(r.Size), fmt.Sprintf("%s-%d", r.Prefix, i))
		if err := topic.Publish(ctx, data); err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		<-beat.C
	}
	return fields{}, nil
}
