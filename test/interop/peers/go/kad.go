package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	record "github.com/libp2p/go-libp2p-record"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/routing"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
)

// largerWins takes any value, and of two the larger by bytes.
type largerWins struct{}

func (largerWins) Validate(string, []byte) error { return nil }

func (largerWins) Select(_ string, values [][]byte) (int, error) {
	best := 0
	for i, value := range values {
		if bytes.Compare(value, values[best]) > 0 {
			best = i
		}
	}
	return best, nil
}

// newKad sets a prefix of its own too: under the public one go insists on the public validators.
func newKad(s Settings, h host.Host) (*dht.IpfsDHT, error) {
	modes := map[string]dht.ModeOpt{"server": dht.ModeServer, "client": dht.ModeClient}
	mode, known := modes[s.kadMode]
	if !known {
		return nil, fmt.Errorf("--kad-mode %s", s.kadMode)
	}
	validators := record.NamespacedValidator{"v": largerWins{}, "pk": record.PublicKeyValidator{},
		"ipns": ipns.Validator{KeyBook: h.Peerstore()}}
	if s.gullible {
		validators["ipns"] = largerWins{}
	}
	options := []dht.Option{
		dht.Mode(mode),
		dht.ProtocolPrefix("/kadmesh"),
		dht.V1ProtocolOverride(protocol.ID(s.kadProtocol)),
		dht.Validator(validators),
	}
	if s.kadRefresh != 0 {
		options = append(options, dht.RoutingTableRefreshPeriod(s.kadRefresh))
	}
	return dht.New(h, options...)
}

func (p *Peer) kadBootstrap(ctx context.Context, r Request) (fields, error) {
	var ids []peer.ID
	for _, text := range r.Peers {
		info, err := peer.AddrInfoFromString(text)
		if err != nil {
			return nil, err
		}
		if err := p.host.Connect(ctx, *info); err != nil {
			return nil, err
		}
		ids = append(ids, info.ID)
	}
	if err := p.waitForTable(ctx, ids); err != nil {
		return nil, err
	}
	select {
	case err := <-p.kad.RefreshRoutingTable():
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return fields{"table": p.kad.RoutingTable().Size()}, nil
}

// waitForTable: go takes a peer in after identify and a probe, some moments after the connection.
func (p *Peer) waitForTable(ctx context.Context, ids []peer.ID) error {
	for {
		for _, id := range ids {
			if p.kad.RoutingTable().Find(id) != "" {
				return nil
			}
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("none of %d peers came into the table: %w", len(ids), err)
		}
	}
}

func names(ids []peer.ID) []string {
	list := []string{}
	for _, id := range ids {
		list = append(list, id.String())
	}
	return list
}

func (p *Peer) kadTable(context.Context, Request) (fields, error) {
	return fields{"peers": names(p.kad.RoutingTable().ListPeers())}, nil
}

func (p *Peer) kadPut(ctx context.Context, r Request) (fields, error) {
	key, err := unhex("key", r.Key)
	if err != nil {
		return nil, err
	}
	value, err := unhex("value", r.Value)
	if err != nil {
		return nil, err
	}
	return fields{}, p.kad.PutValue(ctx, string(key), value)
}

func (p *Peer) kadGet(ctx context.Context, r Request) (fields, error) {
	key, err := unhex("key", r.Key)
	if err != nil {
		return nil, err
	}
	value, err := p.kad.GetValue(ctx, string(key))
	if err != nil {
		return nil, err
	}
	return fields{"value": hex.EncodeToString(value)}, nil
}

func (p *Peer) kadPutPk(ctx context.Context, _ Request) (fields, error) {
	value, err := crypto.MarshalPublicKey(p.host.Peerstore().PubKey(p.host.ID()))
	if err != nil {
		return nil, err
	}
	key := routing.KeyForPublicKey(p.host.ID())
	if err := p.kad.PutValue(ctx, key, value); err != nil {
		return nil, err
	}
	return fields{"key": hex.EncodeToString([]byte(key))}, nil
}

func contentID(r Request) (cid.Cid, error) {
	hash, err := unhex("cid_multihash", r.Multihash)
	if err != nil {
		return cid.Undef, err
	}
	if _, err := multihash.Cast(hash); err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(cid.Raw, hash), nil
}

func (p *Peer) kadProvide(ctx context.Context, r Request) (fields, error) {
	id, err := contentID(r)
	if err != nil {
		return nil, err
	}
	return fields{}, p.kad.Provide(ctx, id, true)
}

func (p *Peer) kadProviders(ctx context.Context, r Request) (fields, error) {
	id, err := contentID(r)
	if err != nil {
		return nil, err
	}
	found := []string{}
	for provider := range p.kad.FindProvidersAsync(ctx, id, r.Count) {
		found = append(found, provider.ID.String())
	}
	return fields{"peers": found}, nil
}

func (p *Peer) kadFind(ctx context.Context, id peer.ID, _ Request) (fields, error) {
	info, err := p.kad.FindPeer(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(info.Addrs) == 0 {
		return nil, errors.New("found without an address")
	}
	return fields{"addrs": texts(ma.Unique(info.Addrs))}, nil
}
