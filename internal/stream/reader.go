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

	from    source
	after   centrifugo.Position // in the history, while from is fromHistory
	logged  uuid.UUID           // in the log, while from is fromLog
	skip    uuid.UUID           // the id of the last event before the recovery
	pending []*Event
	known   map[uuid.UUID]struct{} // the events that came from the log
}

// source is the source of the next events.
type source int

const (
	fromLive source = iota
	fromHistory
	fromLog
)

// start sets the source of the events after a position.
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

// fromLogAfter continues from the log. It starts Overlap before the last id, because transactions
// may commit in another order than that of their ids. It resets the position in the history: an
// event that is published before the log is read may be committed after that, so its offset does
// not show that the reader has received it.
func (r *Reader) fromLogAfter(last uuid.UUID) {
	r.from, r.skip, r.known = fromLog, last, map[uuid.UUID]struct{}{}
	r.after = centrifugo.Position{}
	r.logged = uuidv7.Floor(uuidv7.Time(last).Add(-r.hub.opts.Overlap))
}

// Next returns the next event, and waits for it. Its error is the reason for which the reader was
// dropped (ErrSlow, ErrLost, ErrClosed), the error of ctx, or an error of the recovery.
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
			if r.received(e) {
				continue
			}
			return e, nil
		default:
		}
		select {
		case e := <-r.live:
			if r.received(e) {
				continue
			}
			return e, nil
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
		r.pending = r.pending[1:]
		return e
	}
	for r.from == fromLive {
		select {
		case e := <-r.live:
			if r.received(e) {
				continue
			}
			return e
		default:
			return nil
		}
	}
	return nil
}

// received reports whether the reader received a live event during its recovery.
func (r *Reader) received(e *Event) bool {
	if e.Position.Epoch == r.after.Epoch && e.Position.Offset <= r.after.Offset {
		return true
	}
	_, known := r.known[e.EventID]
	return known
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
	for _, found := range page.Events {
		if found.EventID == r.skip {
			continue
		}
		if time.Since(uuidv7.Time(found.EventID)) < knownAge {
			r.known[found.EventID] = struct{}{}
		}
		e := &Event{Event: found, Data: found.AppendJSON(nil), Position: Position{Last: found.EventID}}
		r.pending = append(r.pending, e)
	}
	r.logged = page.Next
	if !page.More {
		r.from = fromLive
	}
	return nil
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
