package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	echoID   = protocol.ID("/test/echo/1.0.0")
	sinkID   = protocol.ID("/test/sink/1.0.0")
	sourceID = protocol.ID("/test/source/1.0.0")
	resetID  = protocol.ID("/test/reset/1.0.0")
)

// chunk is how much a transfer writes at once.
const chunk = 128 << 10

func (p *Peer) serveTestProtocols() {
	p.host.SetStreamHandler(echoID, func(s network.Stream) { finish(s, serveEcho(s)) })
	p.host.SetStreamHandler(sinkID, func(s network.Stream) { finish(s, serveSink(s)) })
	p.host.SetStreamHandler(sourceID, func(s network.Stream) { finish(s, serveSource(s)) })
	p.host.SetStreamHandler(resetID, serveReset)
}

func finish(s network.Stream, err error) {
	if err != nil {
		s.Reset()
		return
	}
	s.Close()
}

func serveEcho(s network.Stream) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{s}, make([]byte, chunk))
	return err
}

func serveSink(s network.Stream) error {
	n, err := io.Copy(io.Discard, s)
	if err != nil {
		return err
	}
	return binary.Write(s, binary.BigEndian, uint64(n))
}

func serveSource(s network.Stream) error {
	var size uint64
	if err := binary.Read(s, binary.BigEndian, &size); err != nil {
		return err
	}
	return send(s, int64(size))
}

func serveReset(s network.Stream) {
	s.Read(make([]byte, 1))
	s.Reset()
}

// send writes size bytes that tell position: byte i is i mod 251.
func send(w io.Writer, size int64) error {
	buf := pattern(chunk + 251)
	for at := int64(0); at < size; {
		part := buf[at%251:]
		if len(part) > chunk {
			part = part[:chunk]
		}
		if left := size - at; left < int64(len(part)) {
			part = part[:left]
		}
		n, err := w.Write(part)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

func pattern(size int) []byte {
	buf := make([]byte, size)
	for i := range buf {
		buf[i] = byte(i % 251)
	}
	return buf
}

// open never dials: a lost connection must show as an error.
func (p *Peer) open(ctx context.Context, id peer.ID, proto protocol.ID) (network.Stream, error) {
	s, err := p.host.NewStream(network.WithNoDial(ctx, "test"), id, proto)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", proto, err)
	}
	if deadline, set := ctx.Deadline(); set {
		s.SetDeadline(deadline)
	}
	return s, nil
}

func (p *Peer) echo(ctx context.Context, id peer.ID, r Request) (fields, error) {
	sent := pattern(r.Bytes)
	s, err := p.open(ctx, id, echoID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if err := sendAll(s, sent); err != nil {
		return nil, err
	}
	got, err := io.ReadAll(s)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(got, sent) {
		return nil, fmt.Errorf("%d bytes came back, %d were sent", len(got), len(sent))
	}
	return fields{}, nil
}

func sendAll(s network.Stream, data []byte) error {
	if _, err := s.Write(data); err != nil {
		return err
	}
	return s.CloseWrite()
}

func took(start time.Time, n int64) fields {
	return fields{"bytes": n, "seconds": time.Since(start).Seconds()}
}

func (p *Peer) upload(ctx context.Context, id peer.ID, r Request) (fields, error) {
	start := time.Now()
	s, err := p.open(ctx, id, sinkID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if err := send(s, r.Size); err != nil {
		return nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return nil, err
	}
	var counted uint64
	if err := binary.Read(s, binary.BigEndian, &counted); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	return took(start, int64(counted)), nil
}

func (p *Peer) download(ctx context.Context, id peer.ID, r Request) (fields, error) {
	start := time.Now()
	s, err := p.open(ctx, id, sourceID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if err := binary.Write(s, binary.BigEndian, uint64(r.Size)); err != nil {
		return nil, err
	}
	n, err := io.Copy(io.Discard, s)
	if err != nil {
		return nil, err
	}
	return took(start, n), nil
}

func (p *Peer) duplex(ctx context.Context, id peer.ID, r Request) (fields, error) {
	start := time.Now()
	s, err := p.open(ctx, id, echoID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	sent := make(chan error, 1)
	go func() {
		err := send(s, r.Size)
		if err == nil {
			err = s.CloseWrite()
		}
		sent <- err
	}()
	n, err := receivePattern(s)
	if err != nil {
		return nil, fmt.Errorf("after %d bytes: %w", n, err)
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	return took(start, n), nil
}

// receivePattern counts to the end of the stream and holds each byte against its position.
func receivePattern(r io.Reader) (int64, error) {
	want, buf := pattern(chunk+251), make([]byte, chunk)
	total := int64(0)
	for {
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], want[total%251:][:n]) {
			return total, errors.New("the bytes that came back are not those that were sent")
		}
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func eightBytes(s network.Stream) error {
	sent, got := []byte("8 bytes!"), make([]byte, 8)
	if _, err := s.Write(sent); err != nil {
		return err
	}
	if _, err := io.ReadFull(s, got); err != nil {
		return err
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("echo of %q is %q", sent, got)
	}
	return nil
}

// closeBoth ends our half and waits for the end of the other.
func closeBoth(s network.Stream) error {
	if err := s.CloseWrite(); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, s); err != nil || n != 0 {
		return fmt.Errorf("%d bytes before the end: %w", n, err)
	}
	return s.Close()
}

func (p *Peer) streams(ctx context.Context, id peer.ID, r Request) (fields, error) {
	for i := range r.Count {
		if err := p.oneStream(ctx, id); err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
	}
	return fields{"done": r.Count}, nil
}

func (p *Peer) oneStream(ctx context.Context, id peer.ID) error {
	s, err := p.open(ctx, id, echoID)
	if err != nil {
		return err
	}
	defer s.Reset()
	if err := eightBytes(s); err != nil {
		return err
	}
	return closeBoth(s)
}

func (p *Peer) streamsOpen(ctx context.Context, id peer.ID, r Request) (fields, error) {
	var held []network.Stream
	defer func() {
		for _, s := range held {
			s.Reset()
		}
	}()
	for i := range r.Count {
		s, err := p.open(ctx, id, echoID)
		if err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
		held = append(held, s)
		if err := eightBytes(s); err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
	}
	for i, s := range held {
		if err := closeBoth(s); err != nil {
			return nil, fmt.Errorf("close of stream %d: %w", i, err)
		}
	}
	return fields{"done": len(held)}, nil
}

func (p *Peer) reset(ctx context.Context, id peer.ID, _ Request) (fields, error) {
	s, err := p.open(ctx, id, resetID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if _, err := s.Write([]byte{1}); err != nil {
		return nil, err
	}
	n, err := s.Read(make([]byte, 1))
	switch {
	case errors.Is(err, network.ErrReset):
		return fields{"seen": "reset"}, nil
	case err == io.EOF:
		return fields{"seen": "eof"}, nil
	}
	return nil, fmt.Errorf("read %d bytes: %w", n, err)
}
