package main

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	recordLife = time.Hour
	recordTTL  = 5 * time.Minute
)

func (p *Peer) ipnsSeal(_ context.Context, r Request) (fields, error) {
	value, err := path.NewPath(r.Path)
	if err != nil {
		return nil, err
	}
	key := p.host.Peerstore().PrivKey(p.host.ID())
	sealed, err := ipns.NewRecord(key, value, r.Sequence, time.Now().Add(recordLife), recordTTL)
	if err != nil {
		return nil, err
	}
	bytes, err := ipns.MarshalRecord(sealed)
	if err != nil {
		return nil, err
	}
	name := ipns.NameFromPeer(p.host.ID()).RoutingKey()
	return fields{"key": hex.EncodeToString(name), "record": hex.EncodeToString(bytes)}, nil
}

func ipnsOpen(_ context.Context, id peer.ID, r Request) (fields, error) {
	bytes, err := unhex("record", r.Record)
	if err != nil {
		return nil, err
	}
	opened, err := ipns.UnmarshalRecord(bytes)
	if err != nil {
		return nil, err
	}
	if err := ipns.ValidateWithName(opened, ipns.NameFromPeer(id)); err != nil {
		return nil, err
	}
	return saidBy(opened)
}

func saidBy(opened *ipns.Record) (fields, error) {
	value, err := opened.Value()
	if err != nil {
		return nil, err
	}
	sequence, err := opened.Sequence()
	if err != nil {
		return nil, err
	}
	return fields{"path": value.String(), "sequence": sequence}, nil
}
