package main

import (
	"context"
	"crypto/rand"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	mss "github.com/multiformats/go-multistream"
)

// whoAnswers runs a Noise handshake under a throw-away identity and hangs up: the remote proves its id.
func whoAnswers(ctx context.Context, addr ma.Multiaddr) (peer.ID, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return "", err
	}
	transport, err := noise.New(noise.ID, key, nil)
	if err != nil {
		return "", err
	}
	anybody, err := transport.WithSessionOptions(noise.DisablePeerIDCheck())
	if err != nil {
		return "", err
	}
	var dialer manet.Dialer
	conn, err := dialer.DialContext(ctx, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, set := ctx.Deadline(); set {
		conn.SetDeadline(deadline)
	}
	if err := mss.SelectProtoOrFail(protocol.ID(noise.ID), conn); err != nil {
		return "", err
	}
	session, err := anybody.SecureOutbound(ctx, conn, "")
	if err != nil {
		return "", err
	}
	return session.RemotePeer(), nil
}
