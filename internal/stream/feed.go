package stream

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"github.com/fanfarehq/fanfare/activity"
)

// Event is one message of a stream. All readers share it and must not modify it.
type Event struct {
	activity.Event
	Position Position // of a reader that has received the event
	Data     []byte   // the JSON as it was published, on one line
}

// feed is the subscription to one tenant's channel, with its readers.
type feed struct {
	sub   *centrifuge.Subscription
	ready chan struct{} // closed once subscribed

	mu      sync.Mutex
	epoch   string
	offset  uint64 // of the last event passed to readers
	settled settled
	next    settled // takes over from settled at its offset; zero if there is none
	readers map[*Reader]struct{}
	unread  bool // whether it has had no reader since the last call of idle
}

// settled is a time before which every activity was settled when the channel was at an offset.
type settled struct {
	before time.Time
	epoch  string
	offset uint64
}

func (f *feed) add(r *Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers[r] = struct{}{}
	f.unread = false
}

func (f *feed) remove(r *Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, r)
}

func (f *feed) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers)
}

// idle reports whether the feed has had no reader since the last call.
func (f *feed) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle := f.unread && len(f.readers) == 0
	f.unread = len(f.readers) == 0
	return idle
}

// position returns the position of the last event passed to readers.
func (f *feed) position() Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Position{Epoch: f.epoch, Offset: f.offset, Settled: f.settled.before}
}

// settle takes over that every activity before a time was settled when the channel was at a
// position, as soon as the feed has passed on the events up to there.
func (f *feed) settle(s settled) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == (settled{}) && s.before.After(f.settled.before) {
		f.next = s
	}
	f.advance()
}

// advance takes over f.next if the feed has come that far. The caller holds f.mu.
func (f *feed) advance() {
	switch {
	case f.next == (settled{}):
	case f.next.epoch != f.epoch:
		f.next = settled{}
	case f.next.offset <= f.offset:
		f.settled, f.next = f.next, settled{}
	}
}

// improve returns the position with the latest time that holds for it.
func (f *feed) improve(p Position) Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Epoch == f.settled.epoch && p.Offset >= f.settled.offset && f.settled.before.After(p.Settled) {
		p.Settled = f.settled.before
	}
	return p
}

// subscribed stores the position of the channel. If Centrifugo could not recover the events of an
// interruption, it drops the readers, which reconnect and catch up one by one.
func (f *feed) subscribed(e centrifuge.SubscribedEvent) {
	f.mu.Lock()
	if e.StreamPosition != nil && !e.Recovered {
		f.epoch, f.offset = e.StreamPosition.Epoch, e.StreamPosition.Offset
		// What was settled stays so; the readers that begin here have received it.
		f.settled.epoch, f.settled.offset, f.next = f.epoch, f.offset, settled{}
	}
	f.mu.Unlock()
	if e.WasRecovering && !e.Recovered {
		f.dropAll(ErrLost)
	}
	select {
	case <-f.ready:
	default:
		close(f.ready)
	}
}

// publish passes an event to every reader, and drops the readers whose buffers are full.
func (f *feed) publish(offset uint64, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offset = offset
	f.advance()
	e := newEvent(Position{Epoch: f.epoch, Offset: offset, Settled: f.settled.before}, data)
	for r := range f.readers {
		select {
		case r.live <- e:
		default:
			r.drop(ErrSlow)
			delete(f.readers, r)
		}
	}
}

// newEvent decodes a message. A message that is not an event, from another publisher, has no id and
// matches no filter.
func newEvent(at Position, data []byte) *Event {
	e := &Event{Data: data, Position: at}
	if json.Unmarshal(data, &e.Event) != nil {
		e.Event = activity.Event{}
	}
	return e
}

func (f *feed) dropAll(reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		r.drop(reason)
		delete(f.readers, r)
	}
}
