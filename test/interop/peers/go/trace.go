package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"
)

const mostTraceEvent = 1 << 20

// gossipTrace reads the files of another stack's tracer with go's own types: how many events of each type
// there are, of which peers, and the ids of what was published and delivered.
func (p *Peer) gossipTrace(_ context.Context, r Request) (fields, error) {
	content, err := os.ReadFile(r.File)
	if err != nil {
		return nil, err
	}
	events, err := traceEvents(content)
	if err != nil {
		return nil, err
	}
	types := map[string]int{}
	peers, published, delivered := []string{}, []string{}, []string{}
	for _, event := range events {
		id, err := peer.IDFromBytes(event.GetPeerID())
		if err != nil {
			return nil, err
		}
		types[event.GetType().String()]++
		if !slices.Contains(peers, id.String()) {
			peers = append(peers, id.String())
		}
		if m := event.GetPublishMessage(); m != nil {
			published = append(published, hex.EncodeToString(m.GetMessageID()))
		}
		if m := event.GetDeliverMessage(); m != nil {
			delivered = append(delivered, hex.EncodeToString(m.GetMessageID()))
		}
	}
	return fields{"types": types, "peers": peers, "published": published, "delivered": delivered}, nil
}

// traceEvents tells the two formats apart by the first byte: a JSON line begins with a brace.
func traceEvents(content []byte) ([]*pb.TraceEvent, error) {
	if len(content) > 0 && content[0] == '{' {
		return jsonEvents(content)
	}
	return protobufEvents(content)
}

func jsonEvents(content []byte) ([]*pb.TraceEvent, error) {
	lines := json.NewDecoder(bytes.NewReader(content))
	lines.DisallowUnknownFields()
	return readAll(func(event *pb.TraceEvent) error { return lines.Decode(event) })
}

func protobufEvents(content []byte) ([]*pb.TraceEvent, error) {
	reader := pbio.NewDelimitedReader(bytes.NewReader(content), mostTraceEvent)
	return readAll(func(event *pb.TraceEvent) error { return reader.ReadMsg(event) })
}

func readAll(next func(*pb.TraceEvent) error) ([]*pb.TraceEvent, error) {
	var events []*pb.TraceEvent
	for {
		event := new(pb.TraceEvent)
		if err := next(event); errors.Is(err, io.EOF) {
			return events, nil
		} else if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
}
