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
	page = 200 // events read at once while a reader is caught up

	// A reader remembers what the log gave it and was recorded within this time, to recognise it
	// when it comes live: the log holds an activity from the commit on, the stream some time later.
	remembered = 15 * time.Minute
)

// Reader follows one stream. Next is for one goroutine.
type Reader struct {
	hub    *Hub
	tenant uuid.UUID
	feed   *feed
	live   chan *Event

	once    sync.Once
	dropped chan struct{} // closed after why is set
	why     error

	from    source
	after   centrifugo.Position // in the history, while from is history
	logged  uuid.UUID           // in the log, while from is log
	skip    uuid.UUID           // an id that the reader has had
	pending []*Event
	known   map[uuid.UUID]struct{} // what came from the log
}

// source is where the next events come from.
type source int

const (
	fromLive source = iota
	fromHistory
	fromLog
)

// start sets out from a position.
func (r *Reader) start(after *Position) {
	epoch, offset := r.feed.position()
	r.after = centrifugo.Position{Epoch: epoch, Offset: offset}
	switch {
	case after == nil:
	case after.Epoch != "" && after.Epoch == epoch:
		r.from, r.after, r.skip = fromHistory, centrifugo.Position{Epoch: after.Epoch, Offset: after.Offset}, after.Last
	default:
		r.fromLogAfter(after.Last)
	}
}

// fromLogAfter goes back a while before the last id: transactions commit in another order than they
// record in. Nothing live is taken for old by its offset then, for it may have been published
// before the log was read and committed after.
func (r *Reader) fromLogAfter(last uuid.UUID) {
	r.from, r.skip, r.known = fromLog, last, map[uuid.UUID]struct{}{}
	r.after = centrifugo.Position{}
	r.logged = uuidv7.Floor(uuidv7.Time(last).Add(-r.hub.opts.Overlap))
}

// Next returns the next event. The error is why the reader was dropped (ErrSlow, ErrLost,
// ErrClosed), ctx's, or what went wrong while it was caught up.
func (r *Reader) Next(ctx context.Context) (*Event, error) {
	for len(r.pending) == 0 && r.from != fromLive {
		if err := r.catchUp(ctx); err != nil {
			return nil, err
		}
	}
	if len(r.pending) > 0 {
		e := r.pending[0]
		r.pending = r.pending[1:]
		return e, nil
	}
	for {
		select {
		case e := <-r.live:
			if r.had(e) {
				continue
			}
			return e, nil
		default:
		}
		select {
		case e := <-r.live:
			if r.had(e) {
				continue
			}
			return e, nil
		case <-r.dropped:
			return nil, r.why
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Ready returns the next event if it is at hand, and nil otherwise. Like Next it is for one
// goroutine.
func (r *Reader) Ready() *Event {
	if len(r.pending) > 0 {
		e := r.pending[0]
		r.pending = r.pending[1:]
		return e
	}
	for r.from == fromLive {
		select {
		case e := <-r.live:
			if r.had(e) {
				continue
			}
			return e
		default:
			return nil
		}
	}
	return nil
}

// had reports whether a live event was given to the reader while it was caught up.
func (r *Reader) had(e *Event) bool {
	if e.Position.Epoch == r.after.Epoch && e.Position.Offset <= r.after.Offset {
		return true
	}
	_, known := r.known[e.EventID]
	return known
}

func (r *Reader) catchUp(ctx context.Context) error {
	if r.from == fromHistory {
		return r.readHistory(ctx)
	}
	return r.readLog(ctx)
}

func (r *Reader) readHistory(ctx context.Context) error {
	found, now, err := r.hub.opts.History.History(ctx, r.hub.opts.Channel(r.tenant), r.after, page)
	if errors.Is(err, centrifugo.ErrUnrecoverable) {
		r.fromLogAfter(r.skip)
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range found {
		e := newEvent(now.Epoch, p.Offset, p.Data)
		r.pending = append(r.pending, e)
		r.after.Offset, r.skip = p.Offset, e.EventID
	}
	if len(found) < page {
		r.from = fromLive
	}
	return nil
}

func (r *Reader) readLog(ctx context.Context) error {
	events, next, more, err := r.hub.opts.Log.Since(ctx, r.tenant, r.logged, page)
	if err != nil {
		return err
	}
	for _, found := range events {
		if found.EventID == r.skip {
			continue
		}
		if time.Since(uuidv7.Time(found.EventID)) < remembered {
			r.known[found.EventID] = struct{}{}
		}
		r.pending = append(
			r.pending,
			&Event{Event: found, Data: found.AppendJSON(nil), Position: Position{Last: found.EventID}},
		)
	}
	r.logged = next
	if !more {
		r.from = fromLive
	}
	return nil
}

// Close ends the reader.
func (r *Reader) Close() {
	r.drop(ErrClosed)
	r.hub.leave(r)
}

func (r *Reader) drop(why error) {
	r.once.Do(func() {
		r.why = why
		close(r.dropped)
	})
}
