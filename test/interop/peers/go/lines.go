package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	defaultTimeout = 10 * time.Second
	maxLine        = 16 << 20
)

type fields map[string]any

// unsupported is the answer to a verb or flag that the stack has no API for.
type unsupported struct{ why string }

func (u *unsupported) Error() string { return u.why }

// Output writes whole lines; events and answers come from many goroutines.
type Output struct {
	mu sync.Mutex
	w  io.Writer
}

func newOutput(w io.Writer) *Output { return &Output{w: w} }

func (o *Output) line(f fields) {
	text, err := json.Marshal(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer: cannot encode", f, err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Write(append(text, '\n'))
}

// Request holds the union of all arguments; a verb reads those it knows.
type Request struct {
	ID         int64    `json:"id"`
	Cmd        string   `json:"cmd"`
	TimeoutMS  int64    `json:"timeout_ms"`
	Addr       string   `json:"addr"`
	Peer       string   `json:"peer"`
	Peers      []string `json:"peers"`
	Protocol   string   `json:"protocol"`
	Count      int      `json:"count"`
	IntervalMS int64    `json:"interval_ms"`
	IntervalUS int64    `json:"interval_us"`
	Bytes      int      `json:"bytes"`
	Size       int64    `json:"size"`
	Key        string   `json:"key"`
	Value      string   `json:"value"`
	Multihash  string   `json:"cid_multihash"`
	Path       string   `json:"path"`
	Sequence   uint64   `json:"sequence"`
	Record     string   `json:"record"`
	Topic      string   `json:"topic"`
	Data       string   `json:"data"`
	Prefix     string   `json:"prefix"`
	File       string   `json:"file"`
	Quiet      bool     `json:"quiet"`
	Window     int      `json:"window"`
	Others     int      `json:"others"`
}

func (r Request) timeout() time.Duration {
	if r.TimeoutMS <= 0 {
		return defaultTimeout
	}
	return time.Duration(r.TimeoutMS) * time.Millisecond
}

func unhex(name, text string) ([]byte, error) {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return bytes, nil
}

// Verb answers one request; the context ends at the request's deadline.
type Verb func(ctx context.Context, r Request) (fields, error)

func answer(r Request, verbs map[string]Verb) (fields, error) {
	verb, known := verbs[r.Cmd]
	if !known {
		return nil, &unsupported{"no such command: " + r.Cmd}
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.timeout())
	defer cancel()
	return verb(ctx, r)
}

func reply(out *Output, r Request, result fields, err error) {
	line := fields{}
	if err == nil {
		for name, value := range result {
			line[name] = value
		}
	} else {
		line["error"] = err.Error()
		if _, is := err.(*unsupported); is {
			line["unsupported"] = true
		}
	}
	line["id"], line["ok"] = r.ID, err == nil
	out.line(line)
}

// serve runs until end of input or `quit`.
func serve(in io.Reader, out *Output, verbs map[string]Verb) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var r Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			reply(out, r, nil, err)
			continue
		}
		if r.Cmd == "quit" {
			reply(out, r, nil, nil)
			return
		}
		go func() {
			result, err := answer(r, verbs)
			reply(out, r, result, err)
		}()
	}
}
