package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const leastPumped = 16

// Pump counts the messages of a topic, and publishes its own as the others' come.
type Pump struct {
	self  peer.ID
	held  *joined
	nonce uint64

	mu      sync.Mutex
	changed sync.Cond
	came    int
	delays  []int64
}

func newPump(self peer.ID, held *joined) *Pump {
	pump := &Pump{self: self, held: held, nonce: rand.Uint64() << 32}
	pump.changed.L = &pump.mu
	return pump
}

func (p *Pump) count() {
	for {
		m, err := p.held.messages.Next(context.Background())
		if err != nil {
			return
		}
		if m.ReceivedFrom != p.self && len(m.Data) >= leastPumped {
			p.take(time.Now().UnixMicro() - int64(binary.BigEndian.Uint64(m.Data)))
		}
	}
}

func (p *Pump) take(delay int64) {
	p.mu.Lock()
	p.came++
	p.delays = append(p.delays, delay)
	p.mu.Unlock()
	p.changed.Signal()
}

// await waits until so many have come.
func (p *Pump) await(ctx context.Context, count int) error {
	stop := context.AfterFunc(ctx, p.changed.Broadcast)
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.came < count && ctx.Err() == nil {
		p.changed.Wait()
	}
	return ctx.Err()
}

func (p *Pump) publish(ctx context.Context, size int64) error {
	data := make([]byte, max(size, leastPumped))
	binary.BigEndian.PutUint64(data, uint64(time.Now().UnixMicro()))
	binary.BigEndian.PutUint64(data[8:], p.nonce)
	p.nonce++
	return p.held.topic.Publish(ctx, data)
}

func (p *Pump) run(ctx context.Context, r Request) (fields, error) {
	start, interval := time.Now(), time.Duration(r.IntervalUS)*time.Microsecond
	for i := range r.Count {
		if interval > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * interval)))
		} else if err := p.await(ctx, (i-r.Window+1)*r.Others); err != nil {
			return nil, err
		}
		if err := p.publish(ctx, r.Size); err != nil {
			return nil, err
		}
	}
	if err := p.await(ctx, r.Count*r.Others); err != nil {
		return nil, err
	}
	return p.figures(time.Since(start)), nil
}

// figures starts afresh: what comes from now on is the next run's.
func (p *Pump) figures(took time.Duration) fields {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.delays)
	told := fields{"seconds": took.Seconds(), "p50_us": quantile(p.delays, 50), "p99_us": quantile(p.delays, 99)}
	p.came, p.delays = 0, p.delays[:0]
	return told
}

func quantile(sorted []int64, percent int) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)*percent/100]
}

func (p *Peer) gossipPump(ctx context.Context, r Request) (fields, error) {
	p.topics.mu.Lock()
	held := p.topics.byName[r.Topic]
	p.topics.mu.Unlock()
	if held == nil || held.pump == nil {
		return nil, errors.New("not joined quietly")
	}
	return held.pump.run(ctx, r)
}
