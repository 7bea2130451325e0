package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

const (
	pageSize = 200 // events read at once during recovery

	// knownAge is the age up to which a reader remembers the events of the activity log, to
	// recognize them when they arrive live: an activity is in the log from its commit on, and in
	// the stream later.
	knownAge = 15 * time.Minute
)

// Reader follows one stream. Next and Ready must be called from one goroutine.
type Reader struct {
	hub    *Hub
	tenant uuid.UUID
	feed   *feed
	live   chan *Event

	once    sync.Once
	dropped chan struct{} // closed after reason is set
	reason  error

	joined  Position // of the feed when the reader began
	at      Position // of what Next and Ready have returned
	from    source
	after   centrifugo.Position // in the history, while from is fromHistory
	logged  uuid.UUID           // in the log, while from is fromLog
	settled time.Time           // before which every activity was settled when from became fromLog
	pending []*Event
	known   map[uuid.UUID]struct{} // the events that came from the log
}

// source is the source of the next events.
type source int

const (
	fromLive source = iota
	fromHistory
	fromLogged
)

// start sets the source of the events after a position. before is a time before which every
// activity was settled when the reader joined its feed.
func (r *Reader) start(after *Position, before time.Time) {
	r.joined, r.settled = r.feed.position(), before
	r.at = r.joined
	r.after = centrifugo.Position{Epoch: r.at.Epoch, Offset: r.at.Offset}
	if after == nil {
		return
	}
	known := after.Epoch != "" && after.Epoch == r.at.Epoch
	r.at = *after
	if known {
		r.from, r.after = fromHistory, centrifugo.Position{Epoch: after.Epoch, Offset: after.Offset}
		return
	}
	r.fromLog()
}

// fromLog continues from the log, from the time on before which the reader has received everything.
// It resets the position in the history: an event that is published before the log is read may be
// committed after that, so its offset does not show that the reader has received it.
func (r *Reader) fromLog() {
	r.from, r.known = fromLogged, map[uuid.UUID]struct{}{}
	r.at.Epoch, r.at.Offset, r.after = "", 0, centrifugo.Position{}
	r.logged = uuidv7.Floor(r.at.Settled)
}

// Position returns the position after the events that Next and Ready have returned. It may be later
// than that of the last of them.
func (r *Reader) Position() Position {
	if r.from != fromLive || len(r.pending) > 0 {
		return r.at
	}
	if r.at.Epoch == "" { // the log contained what was published before the reader joined
		r.at.Epoch, r.at.Offset = r.joined.Epoch, r.joined.Offset
	}
	r.at = r.feed.improve(r.at)
	return r.at
}

// Next returns the next event, and waits for it. Its error is the reason for which the reader was
// dropped (ErrSlow, ErrLost, ErrClosed), the error of ctx, or an error of the recovery.
func (r *Reader) Next(ctx context.Context) (*Event, error) {
	for len(r.pending) == 0 && r.from != fromLive {
		if err := r.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	if e := r.Ready(); e != nil {
		return e, nil
	}
	for {
		select {
		case e := <-r.live:
			if r.receive(e) {
				return e, nil
			}
		case <-r.dropped:
			return nil, r.reason
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Ready returns the next event if Next would not have to wait or read for it, and nil otherwise.
func (r *Reader) Ready() *Event {
	if len(r.pending) > 0 {
		e := r.pending[0]
		r.pending, r.at = r.pending[1:], e.Position
		return e
	}
	for r.from == fromLive {
		select {
		case e := <-r.live:
			if r.receive(e) {
				return e
			}
		default:
			return nil
		}
	}
	return nil
}

// receive takes over the position of a live event. It reports whether the event is new: the reader
// may have received it during its recovery.
func (r *Reader) receive(e *Event) bool {
	if e.Position.Epoch == r.after.Epoch && e.Position.Offset <= r.after.Offset {
		return false
	}
	r.at = e.Position
	_, known := r.known[e.EventID]
	return !known
}

// catchUp reads a page of the history or of the log.
func (r *Reader) catchUp(ctx context.Context) error {
	if r.from == fromHistory {
		return r.readHistory(ctx)
	}
	return r.readLog(ctx)
}

func (r *Reader) readHistory(ctx context.Context) error {
	found, now, err := r.hub.opts.History.History(ctx, r.hub.opts.Channel(r.tenant), r.after, pageSize)
	if errors.Is(err, centrifugo.ErrUnrecoverable) {
		r.fromLog()
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range found {
		at := Position{Epoch: now.Epoch, Offset: p.Offset, Settled: r.at.Settled}
		r.pending = append(r.pending, newEvent(at, p.Data))
		r.after.Offset = p.Offset
	}
	if len(found) < pageSize {
		r.from = fromLive
	}
	return nil
}

func (r *Reader) readLog(ctx context.Context) error {
	page, err := r.hub.opts.Log.Since(ctx, SinceRequest{Tenant: r.tenant, After: r.logged, Limit: pageSize})
	if err != nil {
		return err
	}
	at := r.at
	for _, found := range page.Events {
		if time.Since(uuidv7.Time(found.EventID)) < knownAge {
			r.known[found.EventID] = struct{}{}
		}
		at.Settled = later(at.Settled, earlier(uuidv7.Time(found.EventID), r.settled))
		r.pending = append(r.pending, &Event{Event: found, Data: found.AppendJSON(nil), Position: at})
	}
	r.logged = page.Next
	if !page.More {
		r.from = fromLive
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Close closes the reader. Next then returns ErrClosed.
func (r *Reader) Close() {
	r.drop(ErrClosed)
	r.hub.leave(r)
}

func (r *Reader) drop(reason error) {
	r.once.Do(func() {
		r.reason = reason
		close(r.dropped)
	})
}
