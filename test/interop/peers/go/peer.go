package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Peer is the host with everything that runs on it.
type Peer struct {
	settings Settings
	host     host.Host
	kad      *dht.IpfsDHT
	gossip   *pubsub.PubSub
	out      *Output
	meshes   *Meshes
	counts   *Counts
	scores   *Scores
	topics   Topics
	learned  Identities
}

// closeTimeout bounds the farewell; the process exits anyway.
const closeTimeout = time.Second

func newPeer(s Settings, out *Output) (*Peer, error) {
	key, err := identity(s.seed)
	if err != nil {
		return nil, err
	}
	p := &Peer{settings: s, out: out, meshes: newMeshes(), counts: &Counts{}, scores: &Scores{}, topics: Topics{byName: map[string]*joined{}},
		learned: Identities{byPeer: map[peer.ID]Identity{}}}
	if p.host, err = newHost(s, key); err != nil {
		return nil, err
	}
	p.serveTestProtocols()
	if p.kad, err = newKad(s, p.host); err != nil {
		return nil, err
	}
	if p.gossip, err = newGossip(s, p.host, p.meshes, p.counts, p.scores); err != nil {
		return nil, err
	}
	return p, nil
}

func identity(seed string) (crypto.PrivKey, error) {
	if seed == "" {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		return key, err
	}
	bytes, err := unhex("--seed", seed)
	if err != nil {
		return nil, err
	}
	if len(bytes) != ed25519.SeedSize {
		return nil, errors.New("--seed must have 64 hex digits")
	}
	return crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes))
}

func (p *Peer) listenAddrs() []string {
	var addrs []string
	for _, addr := range p.host.Addrs() {
		addrs = append(addrs, addr.String())
	}
	return addrs
}

func (p *Peer) close() {
	var done sync.WaitGroup
	done.Go(func() { p.host.Close() })
	closed := make(chan struct{})
	go func() { done.Wait(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
}

func decodePeer(text string) (peer.ID, error) {
	id, err := peer.Decode(text)
	if err != nil {
		return "", fmt.Errorf("peer %q: %w", text, err)
	}
	return id, nil
}

// ofPeer makes a verb of a function that wants the request's peer decoded.
func ofPeer(run func(ctx context.Context, id peer.ID, r Request) (fields, error)) Verb {
	return func(ctx context.Context, r Request) (fields, error) {
		id, err := decodePeer(r.Peer)
		if err != nil {
			return nil, err
		}
		return run(ctx, id, r)
	}
}

func (p *Peer) verbs() map[string]Verb {
	return map[string]Verb{
		"connect":        p.connect,
		"disconnect":     ofPeer(p.disconnect),
		"connections":    p.connections,
		"identify":       ofPeer(p.identify),
		"push":           p.push,
		"ping":           ofPeer(p.ping),
		"echo_serve":     func(context.Context, Request) (fields, error) { return fields{}, nil },
		"echo":           ofPeer(p.echo),
		"upload":         ofPeer(p.upload),
		"download":       ofPeer(p.download),
		"duplex":         ofPeer(p.duplex),
		"streams":        ofPeer(p.streams),
		"streams_open":   ofPeer(p.streamsOpen),
		"reset":          ofPeer(p.reset),
		"kad_bootstrap":  p.kadBootstrap,
		"kad_table":      p.kadTable,
		"kad_put":        p.kadPut,
		"kad_get":        p.kadGet,
		"kad_put_pk":     p.kadPutPk,
		"kad_provide":    p.kadProvide,
		"kad_providers":  p.kadProviders,
		"kad_find":       ofPeer(p.kadFind),
		"kad_crawl":      p.kadCrawl,
		"ipns_seal":      p.ipnsSeal,
		"ipns_open":      ofPeer(ipnsOpen),
		"gossip_join":    p.gossipJoin,
		"gossip_leave":   p.gossipLeave,
		"gossip_mesh":    p.gossipMesh,
		"gossip_peers":   p.gossipPeers,
		"gossip_publish": p.gossipPublish,
		"gossip_burst":   p.gossipBurst,
		"gossip_trace":   p.gossipTrace,
		"gossip_counts":  p.gossipCounts,
		"gossip_scores":  p.gossipScores,
		"gossip_pump":    p.gossipPump,
	}
}
