package main

import (
	"context"
	"sync"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Traffic is what RPCs of one direction have held.
type Traffic struct {
	copies, ihave, iwant, idontwant int
}

// Counts is a tracer: it sees every RPC that goes to a peer's queue or comes from its stream.
type Counts struct {
	mu      sync.Mutex
	in, out Traffic
}

func (t *Traffic) add(rpc *pubsub.RPC) {
	t.copies += len(rpc.GetPublish())
	t.addControl(rpc.GetControl())
}

func (t *Traffic) addControl(control *pb.ControlMessage) {
	for _, have := range control.GetIhave() {
		t.ihave += len(have.GetMessageIDs())
	}
	for _, want := range control.GetIwant() {
		t.iwant += len(want.GetMessageIDs())
	}
	for _, unwanted := range control.GetIdontwant() {
		t.idontwant += len(unwanted.GetMessageIDs())
	}
}

func (c *Counts) RecvRPC(rpc *pubsub.RPC) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.add(rpc)
}

func (c *Counts) SendRPC(rpc *pubsub.RPC, _ peer.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.add(rpc)
}

func (c *Counts) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (c *Counts) OnClosedOutboundStream(peer.ID)           {}
func (c *Counts) Join(string)                              {}
func (c *Counts) Leave(string)                             {}
func (c *Counts) Graft(peer.ID, string)                    {}
func (c *Counts) Prune(peer.ID, string)                    {}
func (c *Counts) ValidateMessage(*pubsub.Message)          {}
func (c *Counts) DeliverMessage(*pubsub.Message)           {}
func (c *Counts) RejectMessage(*pubsub.Message, string)    {}
func (c *Counts) DuplicateMessage(*pubsub.Message)         {}
func (c *Counts) ThrottlePeer(peer.ID)                     {}
func (c *Counts) DropRPC(*pubsub.RPC, peer.ID)             {}
func (c *Counts) UndeliverableMessage(*pubsub.Message)     {}

func (p *Peer) gossipCounts(context.Context, Request) (fields, error) {
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	in, out := p.counts.in, p.counts.out
	return fields{"copies_in": in.copies, "copies_out": out.copies, "ihave_in": in.ihave, "ihave_out": out.ihave,
		"iwant_in": in.iwant, "iwant_out": out.iwant, "idontwant_in": in.idontwant, "idontwant_out": out.idontwant}, nil
}
