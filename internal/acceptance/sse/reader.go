// Package sse follows activity streams of the HTTP API, thousands at once, as cheaply as it can be
// done: of an event it reads the id.
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

// Reception is one event that one reader was given.
type Reception struct {
	Activity uuid.UUID
	At       time.Duration // since Crowd.Began
}

// Crowd is many readers.
type Crowd struct {
	Began time.Time // what Reception.At counts from

	url    string // of the stream
	client http.Client
	door   chan struct{} // so many may be on their way in at once

	received atomic.Int64
}

// NewCrowd makes one that comes in in single file, some at once.
func NewCrowd(url string) *Crowd {
	return &Crowd{url: url, Began: time.Now(), door: make(chan struct{}, 32), client: http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: -1, DisableCompression: true, WriteBufferSize: 1 << 10},
	}}
}

// Received is how many events all have been given.
func (c *Crowd) Received() int64 { return c.received.Load() }

// Reader is one of them. What it holds may be read when Follow has returned.
type Reader struct {
	Tenant     uuid.UUID
	Receptions []Reception
	Dropped    int // how often the server ended the stream and said why
	Broken     int // how often it ended otherwise

	last  string // id of the last event
	ready sync.Once
}

// Follow reads until ctx ends, and comes back after every end of the stream with the id of the last
// event. in is called once the stream stands for the first time. The error is that of a request
// that was refused.
func (r *Reader) Follow(ctx context.Context, c *Crowd, token string, in func()) error {
	for ctx.Err() == nil {
		if err := r.follow(ctx, c, token, in); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (r *Reader) follow(ctx context.Context, c *Crowd, token string, in func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if r.last != "" {
		request.Header.Set("Last-Event-ID", r.last)
	}
	c.door <- struct{}{}
	response, err := c.client.Do(request)
	<-c.door
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 300))
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	if told := r.read(c, response.Body, in); !told && ctx.Err() == nil {
		r.Broken++
	}
	return nil
}

// read takes events until the stream ends, and returns whether the server said why.
func (r *Reader) read(c *Crowd, body io.Reader, in func()) (told bool) {
	lines := bufio.NewReaderSize(body, 512)
	id := false
	for {
		line, err := lines.ReadSlice('\n')
		for cut := line; errors.Is(err, bufio.ErrBufferFull); {
			line = cut[:min(len(cut), 16)] // a long line is not one of those that matter
			_, err = lines.ReadSlice('\n')
		}
		if err != nil {
			return told
		}
		switch {
		case bytes.HasPrefix(line, []byte("id: ")):
			r.last, id = string(bytes.TrimSpace(line[4:])), true
		case bytes.HasPrefix(line, []byte("event: dropped")):
			told = true
			r.Dropped++
		case bytes.HasPrefix(line, []byte("retry: ")):
			r.ready.Do(in)
		case len(line) == 1 && id:
			id = false
			r.receive(c)
		}
	}
}

// receive notes the event that ends. Its id is offset.activity.epoch.
func (r *Reader) receive(c *Crowd) {
	at := time.Since(c.Began)
	_, rest, _ := bytes.Cut([]byte(r.last), []byte{'.'})
	activity, err := uuid.ParseBytes(rest[:min(len(rest), 36)])
	if err != nil {
		return
	}
	r.Receptions = append(r.Receptions, Reception{activity, at})
	c.received.Add(1)
}
