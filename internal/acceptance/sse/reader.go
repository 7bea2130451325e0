// Package sse follows thousands of activity streams of the HTTP API at low cost: it reads only the
// ids of the events.
package sse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Reception is an event that a reader received.
type Reception struct {
	Activity uuid.UUID
	At       time.Duration // since Readers.Started
}

// Readers is what the readers of one stream share. It is safe for concurrent use.
type Readers struct {
	Started time.Time // the origin of Reception.At

	url    string // of the stream
	client http.Client
	slots  chan struct{} // limits the number of concurrent requests

	received atomic.Int64
}

// NewReaders returns the shared state of the readers of a stream. At most 32 connect at a time.
func NewReaders(url string) *Readers {
	return &Readers{url: url, Started: time.Now(), slots: make(chan struct{}, 32), client: http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: -1, DisableCompression: true, WriteBufferSize: 1 << 10},
	}}
}

// Received returns the number of events that all readers have received.
func (c *Readers) Received() int64 { return c.received.Load() }

// Reader is one reader. Its fields may be read after Follow has returned.
type Reader struct {
	Tenant     uuid.UUID
	Receptions []Reception
	Dropped    int // streams that the server ended with an event that names the reason
	Broken     int // streams that ended without it

	last  string // id of the last event
	ready sync.Once
}

// Follow reads until ctx ends. After each end of the stream it requests it again with the id of the
// last event. connected is called when the stream is open for the first time. A rejected request is
// an error.
func (r *Reader) Follow(ctx context.Context, c *Readers, token string, connected func()) error {
	for ctx.Err() == nil {
		if err := r.follow(ctx, c, token, connected); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (r *Reader) follow(ctx context.Context, c *Readers, token string, connected func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if r.last != "" {
		request.Header.Set("Last-Event-ID", r.last)
	}
	c.slots <- struct{}{}
	response, err := c.client.Do(request)
	<-c.slots
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	if dropped := r.read(c, response.Body, connected); !dropped && ctx.Err() == nil {
		r.Broken++
	}
	return nil
}

// read reads events until the stream ends, and reports whether the server ended it with a reason.
func (r *Reader) read(c *Readers, body io.Reader, connected func()) (dropped bool) {
	lines := bufio.NewReaderSize(body, 512)
	var data []byte // the beginning of the event's data
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			line = bytes.Clone(line[:128]) // the rest of a long line does not matter
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return dropped
		}
		switch {
		case bytes.HasPrefix(line, []byte("id: ")):
			r.last = string(bytes.TrimSpace(line[4:]))
		case bytes.HasPrefix(line, []byte("event: dropped")):
			dropped = true
			r.Dropped++
		case bytes.HasPrefix(line, []byte("retry: ")):
			r.ready.Do(connected)
		case bytes.HasPrefix(line, []byte("data: ")):
			data = append(data[:0], line[:min(len(line), 128)]...)
		case len(line) == 1 && len(data) > 0:
			r.receive(c, data)
			data = data[:0]
		}
	}
}

// receive records the event that ends. Its data begin with the version and the id of the activity.
func (r *Reader) receive(c *Readers, data []byte) {
	at := time.Since(c.Started)
	_, rest, _ := bytes.Cut(data, []byte(`"event_id":"`))
	activity, err := uuid.ParseBytes(rest[:min(len(rest), 36)])
	if err != nil {
		return
	}
	r.Receptions = append(r.Receptions, Reception{activity, at})
	c.received.Add(1)
}
