// The go-libp2p peer of the interop tests. It speaks the line protocol of test/interop/PROTOCOL.md:
// requests on standard input, answers and events on standard output, its log on standard error.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// A peer that nobody ends must not outlive its test for long.
const lifetime = 15 * time.Minute

// Settings is the command line.
type Settings struct {
	listen       string
	kadProtocol  string
	kadMode      string
	kadRefresh   time.Duration
	gullible     bool
	seed         string
	noEarlyMuxer bool
	bare         bool
	gossipID     string
	gossipSign   string
	gossipD      int
	gossipHold   time.Duration
	gossipScores string
}

// stackDefault says that --gossip-d was not given.
const stackDefault = -1

func parseSettings() Settings {
	var s Settings
	flag.StringVar(&s.listen, "listen", "/ip4/127.0.0.1/tcp/0", "listen address")
	flag.StringVar(&s.kadProtocol, "kad-protocol", "/kadmesh/kad/1.0.0", "protocol id of Kademlia")
	flag.StringVar(&s.kadMode, "kad-mode", "server", "server or client")
	flag.DurationVar(&s.kadRefresh, "kad-refresh", 0, "between two refreshes of the table; 0: as the library does")
	flag.BoolVar(&s.gullible, "gullible", false, "take any IPNS record")
	flag.StringVar(&s.seed, "seed", "", "Ed25519 seed, 64 hex digits")
	flag.BoolVar(&s.noEarlyMuxer, "no-early-muxer", false, "offer no muxer in the Noise handshake")
	flag.BoolVar(&s.bare, "bare", false, "serve neither identify nor ping")
	flag.StringVar(&s.gossipID, "gossip-id", "", "go, rust, js, py or sha256")
	flag.StringVar(&s.gossipSign, "gossip-sign", "strict", "strict or none")
	flag.IntVar(&s.gossipD, "gossip-d", stackDefault, "D, Dlo and Dhi")
	hold := flag.Int("gossip-hold", 0, "milliseconds that a message of others waits for its verdict")
	flag.StringVar(&s.gossipScores, "gossip-scores", "", "file of the parameters that peers are scored by")
	flag.Int("gossip-rpc", 0, "go takes RPCs of 1 MiB as it is")
	flag.Parse()
	s.gossipHold = time.Duration(*hold) * time.Millisecond
	return s
}

func libraryVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/libp2p/go-libp2p" {
			return dep.Version
		}
	}
	return "unknown"
}

func main() {
	out := newOutput(os.Stdout)
	peer, err := newPeer(parseSettings(), out)
	var refused *unsupported
	if errors.As(err, &refused) {
		out.line(fields{"event": "unsupported", "error": refused.why})
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	time.AfterFunc(lifetime, func() { os.Exit(0) })
	peer.announce() // nobody knows the address yet, so that `ready` is still the first line
	out.line(fields{"event": "ready", "stack": "go", "version": libraryVersion(),
		"id": peer.host.ID().String(), "addrs": peer.listenAddrs()})
	serve(os.Stdin, out, peer.verbs())
	peer.close()
}
