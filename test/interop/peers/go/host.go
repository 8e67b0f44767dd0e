package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// newHost is TCP, Noise and Yamux and nothing else: no relay, no hole punching, no reachability probes,
// no resource limits.
func newHost(s Settings, key crypto.PrivKey) (host.Host, error) {
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(s.listen),
		libp2p.Transport(tcp.NewTCPTransport),
		security(s),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.Ping(!s.bare),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPublic(), // a fixed answer starts no prober
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionManager(&connmgr.NullConnMgr{}),
	)
	if err != nil {
		return nil, err
	}
	if s.bare {
		// The identify service cannot be left out of a go host: it still asks others, but serves nobody.
		h.RemoveStreamHandler(identify.ID)
		h.RemoveStreamHandler(identify.IDPush)
	}
	return h, nil
}

// security leaves the list of muxers out of the Noise handshake where asked to.
func security(s Settings) libp2p.Option {
	if !s.noEarlyMuxer {
		return libp2p.Security(noise.ID, noise.New)
	}
	return libp2p.Security(noise.ID, func(id protocol.ID, key crypto.PrivKey) (*noise.Transport, error) {
		return noise.New(id, key, nil)
	})
}

// Identity is what one peer told about itself and about us.
type Identity struct {
	agent, version, observed string
	addrs                    []string
}

// Identities holds the newest identify answer of each peer.
type Identities struct {
	mu     sync.Mutex
	byPeer map[peer.ID]Identity
}

func (i *Identities) put(id peer.ID, what Identity) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.byPeer[id] = what
}

func (i *Identities) get(id peer.ID) (Identity, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	what, known := i.byPeer[id]
	return what, known
}

func (i *Identities) forget(id peer.ID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.byPeer, id)
}

func texts(addrs []ma.Multiaddr) []string {
	list := []string{}
	for _, addr := range addrs {
		list = append(list, addr.String())
	}
	return list
}

func identityOf(e event.EvtPeerIdentificationCompleted) Identity {
	what := Identity{agent: e.AgentVersion, version: e.ProtocolVersion, addrs: texts(e.ListenAddrs)}
	if e.ObservedAddr != nil {
		what.observed = e.ObservedAddr.String()
	}
	return what
}

// announce starts to report connections and identify.
func (p *Peer) announce() {
	report := func(name string, c network.Conn) {
		line := fields{"event": name, "peer": c.RemotePeer().String()}
		if name == "connected" {
			line["inbound"] = c.Stat().Direction == network.DirInbound
		}
		p.out.line(line)
	}
	p.host.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) { report("connected", c) },
		DisconnectedF: func(n network.Network, c network.Conn) {
			if n.Connectedness(c.RemotePeer()) == network.NotConnected {
				p.learned.forget(c.RemotePeer())
			}
			report("disconnected", c)
		},
	})
	events, err := p.host.EventBus().Subscribe([]any{new(event.EvtPeerIdentificationCompleted),
		new(event.EvtPeerProtocolsUpdated)}, eventbus.BufSize(1024))
	if err != nil {
		panic(err) // both event types exist: only a broken build comes here
	}
	go p.watchIdentify(events)
}

func (p *Peer) watchIdentify(events event.Subscription) {
	for e := range events.Out() {
		switch e := e.(type) {
		case event.EvtPeerIdentificationCompleted:
			p.learned.put(e.Peer, identityOf(e))
			p.out.line(fields{"event": "identified", "peer": e.Peer.String(), "protocols": e.Protocols})
		case event.EvtPeerProtocolsUpdated:
			p.out.line(fields{"event": "pushed", "peer": e.Peer.String(), "protocols": protocolsOf(p.host, e.Peer)})
		}
	}
}

// protocolsOf is what identify has said of a peer, sorted.
func protocolsOf(h host.Host, id peer.ID) []protocol.ID {
	list, err := h.Peerstore().GetProtocols(id)
	if err != nil || list == nil {
		return []protocol.ID{}
	}
	slices.Sort(list)
	return list
}

func (p *Peer) connect(ctx context.Context, r Request) (fields, error) {
	addr, err := ma.NewMultiaddr(r.Addr)
	if err != nil {
		return nil, err
	}
	target, id := peer.SplitAddr(addr)
	if id == "" {
		// go cannot dial an address without an id: ask who answers there, then dial that one.
		if id, err = whoAnswers(ctx, target); err != nil {
			return nil, fmt.Errorf("learn the id: %w", err)
		}
	}
	if err := p.host.Connect(ctx, peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{target}}); err != nil {
		return nil, err
	}
	for _, c := range p.host.Network().ConnsToPeer(id) {
		return fields{"peer": id.String(), "muxer_early": c.ConnState().UsedEarlyMuxerNegotiation}, nil
	}
	return nil, errors.New("connected and gone again")
}

func (p *Peer) disconnect(_ context.Context, id peer.ID, _ Request) (fields, error) {
	return fields{}, p.host.Network().ClosePeer(id)
}

func (p *Peer) connections(context.Context, Request) (fields, error) {
	list := []fields{}
	for _, c := range p.host.Network().Conns() {
		list = append(list, fields{"peer": c.RemotePeer().String(), "addr": c.RemoteMultiaddr().String(),
			"inbound": c.Stat().Direction == network.DirInbound})
	}
	return fields{"peers": list}, nil
}

// identify waits for the answer, which the event bus delivers a moment after the connection is up.
func (p *Peer) identify(ctx context.Context, id peer.ID, _ Request) (fields, error) {
	for {
		if what, known := p.learned.get(id); known {
			return fields{"agent": what.agent, "protocol_version": what.version, "addrs": what.addrs,
				"protocols": protocolsOf(p.host, id), "observed": what.observed}, nil
		}
		if p.host.Network().Connectedness(id) != network.Connected {
			return nil, errors.New("not connected")
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, fmt.Errorf("no identify answer: %w", err)
		}
	}
}

// pause waits unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (p *Peer) push(_ context.Context, r Request) (fields, error) {
	if r.Protocol == "" {
		return nil, errors.New("protocol is missing")
	}
	p.host.SetStreamHandler(protocol.ID(r.Protocol), func(s network.Stream) { s.Reset() })
	return fields{}, nil
}

// ping opens a stream for each: a go responder closes one that is older than 30 s.
func (p *Peer) ping(ctx context.Context, id peer.ID, r Request) (fields, error) {
	rtts := []int64{}
	for i := range r.Count {
		if i > 0 {
			if err := pause(ctx, time.Duration(r.IntervalMS)*time.Millisecond); err != nil {
				return nil, err
			}
		}
		rtt, err := p.pingOnce(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("ping %d of %d: %w", i+1, r.Count, err)
		}
		rtts = append(rtts, rtt.Microseconds())
	}
	return fields{"rtts_us": rtts}, nil
}

func (p *Peer) pingOnce(ctx context.Context, id peer.ID) (time.Duration, error) {
	one, cancel := context.WithCancel(network.WithNoDial(ctx, "ping"))
	defer cancel()
	result, open := <-ping.Ping(one, p.host, id)
	if !open {
		return 0, errors.New("no answer")
	}
	return result.RTT, result.Error
}
